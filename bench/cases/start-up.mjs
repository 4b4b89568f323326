// What the command costs before its first request: CPU time of all its threads at the moment the server hears from it.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import path from 'node:path';
import { median, spread } from '../lib/compare.mjs';
import { commonEnvironment } from '../lib/peers.mjs';

export async function run({ directory, main, rounds = 15, log }) {
  const folder = path.join(directory, 'folder');
  mkdirSync(folder);
  const toRequest = [];
  const toHelp = [];
  const empty = [];
  for (let round = 0; round < rounds; round++) {
    toRequest.push(await cpuUntilRequest(main, folder, directory));
    toHelp.push(await cpuOf([main, '--help']));
    empty.push(await cpuOf(['--eval', '0']));
  }
  const rows = {
    'first request of sync': toRequest,
    '--help, whole': toHelp,
    'an empty program of Node.js, whole': empty,
  };
  for (const [name, values] of Object.entries(rows)) log(`  ${name}: CPU ${median(values).toFixed(0)} ms`);
  return {
    title: 'Start-up: CPU milliseconds before the first request (goal: 150; --help 120)',
    rounds,
    cpuMilliseconds: Object.fromEntries(Object.entries(rows).map(([name, values]) => [name, spread(values)])),
    headlines: [
      {
        what: 'CPU before the first request of `sync`',
        figure: `${Math.round(median(toRequest))} ms, of which Node.js alone ${Math.round(median(empty))} ms`,
      },
    ],
    tables: [],
    notes: Object.entries(rows).map(([name, values]) => `${name}: ${JSON.stringify(spread(values))} ms of CPU`),
  };
}

async function cpuUntilRequest(main, folder, directory) {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const place = { endpoint: `http://127.0.0.1:${server.address().port}`, accessKeyId: 'k', secretAccessKey: 's' };
  const child = spawn(process.execPath, [main, 'sync', folder, 's3://bucket'], {
    env: { ...process.env, ...commonEnvironment(place, path.join(directory, 'state')) },
    stdio: 'ignore',
  });
  await once(server, 'connection');
  const spent = cpuMilliseconds(child.pid);
  child.kill('SIGKILL');
  await once(child, 'close');
  server.closeAllConnections();
  server.close();
  return spent;
}

async function cpuOf(args) {
  // A program cannot be asked once it has ended: it tells by itself.
  const child = spawn(
    'bash',
    ['-c', 'TIMEFORMAT="%U %S"; time "$@" >/dev/null 2>&1', 'bash', process.execPath, ...args],
    { stdio: ['ignore', 'ignore', 'pipe'] },
  );
  let text = '';
  child.stderr.on('data', (chunk) => (text += chunk));
  await once(child, 'close');
  const [user, system] = text.trim().split(/\s+/).map(Number);
  return (user + system) * 1000;
}

/** Time on a processor of all threads so far; Linux only. */
function cpuMilliseconds(pid) {
  let nanoseconds = 0;
  for (const task of readdirSync(`/proc/${pid}/task`)) {
    nanoseconds += Number(readFileSync(`/proc/${pid}/task/${task}/schedstat`, 'utf8').split(' ')[0]);
  }
  return nanoseconds / 1e6;
}
