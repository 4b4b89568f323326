// P8: a transfer of one large file is killed at 80 %; what the next run sends or fetches.
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, rmSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { summary } from '../lib/compare.mjs';
import { makeLargeFile } from '../lib/data.mjs';
import { measure } from '../lib/measure.mjs';
import { oursAndRclone } from '../lib/programs.mjs';
import { show } from '../lib/picture.mjs';
import { asked, startServer } from '../lib/server.mjs';

const MIB = 1024 * 1024;
const KILLED_AT = 0.8;

export async function run({ directory, dist, main, short, mib = short ? 256 : 5120, serverKind, log }) {
  const server = await startServer(serverKind, dist, { countsBytes: true });
  const programs = oursAndRclone({ main, server, verb: 'copy' });
  try {
    const source = path.join(directory, 'source');
    makeLargeFile(path.join(source, 'large.bin'), mib);
    const tables = [];
    for (const way of ['up', 'down']) {
      const runs = [];
      for (const program of programs) {
        runs.push(
          program.missing === undefined
            ? await interrupt({ program, way, directory, source, server, mib, log })
            : { name: program.name, missing: program.missing },
        );
      }
      tables.push({
        title: `${way} again after a kill at 80 %, ${server.name}`,
        columns: ['sentMiB', 'receivedMiB', 'seconds', 'cpuSeconds', 'peakMiB', 'requests', 'ratio'],
        picture: way === 'up' ? 'sentMiB' : 'receivedMiB',
        rows: runs.map((one) => (one.missing === undefined ? rowOf(one, runs[0]) : one)),
      });
    }
    const share = (way, bytes) => `${show((tables[way].rows[0][bytes] / MIB / mib) * 100)} %`;
    const figure = `next run: ${share(0, 'bytesIn')} sent, ${share(1, 'bytesOut')} fetched; others: 100 %`;
    const what = `${show(mib)} MiB killed at 80 %`;
    const title = `P8: a transfer of ${mib} MiB killed at 80 %, and the next run`;
    return { title, mib, server: server.name, headlines: [{ what, figure }], tables, notes: [`${what}: ${figure}`] };
  } finally {
    await server.stop();
  }
}

function rowOf(own, ours) {
  return { ...summary(own.name, [own], [ours]), carriedBefore: own.carriedBefore };
}

async function interrupt({ program, way, directory, source, server, mib, log }) {
  const { name } = program;
  const slug = `${way}-${name.replaceAll(/[^a-z]/g, '')}`;
  const bucket = `resume-${slug}-${process.pid}`;
  await server.makeBucket(bucket);
  let folder = source;
  if (way === 'down') {
    folder = path.join(directory, slug);
    mkdirSync(folder);
    // Brought by somebody else, so that nothing is known here of how it went up.
    const { command, args, env } = program.commandFor(source, bucket, 'up');
    const upEnv = { ...env, FILECLOUDSYNC_STATE_DIR: path.join(directory, `${slug}-other-state`) };
    execFileSync(command, args, { env: { ...process.env, ...upEnv } });
    rmSync(path.join(source, '.filecloudsync'), { recursive: true, force: true });
  }
  const { command, args, env } = program.commandFor(folder, bucket, way);
  const carriedBefore = await killAt(server, way, mib * MIB * KILLED_AT, { command, args, env });
  const before = await server.counts();
  const { stdout, stderr, exitCode, ...figures } = await measure(command, args, { env });
  if (exitCode !== 0) throw new Error(`${name} ended with ${exitCode}:\n${stdout}\n${stderr}`);
  const after = asked(before, await server.counts());
  log(
    `${name}, ${way}: killed after ${show(carriedBefore / MIB)} MiB, then ${show(after.bytesIn / MIB)} MiB sent and ${show(after.bytesOut / MIB)} MiB fetched`,
  );
  if (way === 'down') {
    execFileSync('cmp', [path.join(source, 'large.bin'), path.join(folder, 'large.bin')]);
    rmSync(folder, { recursive: true });
  }
  rmSync(path.join(source, '.filecloudsync'), { recursive: true, force: true });
  rmSync(`${folder}-state`, { recursive: true, force: true });
  await server.removeBucket(bucket);
  return { name, carriedBefore, ...figures, ...after };
}

/** Starts a program and kills it, as `kill -9` does, as soon as so many bytes have been carried. Answers how many. */
async function killAt(server, way, bytes, { command, args, env }) {
  const before = await server.counts();
  const child = spawn(command, args, { env: { ...process.env, ...env }, stdio: 'ignore' });
  const ended = once(child, 'close');
  for (;;) {
    // Down, what counts is what the program has written: the server has sent more, which is still under way.
    const carried = way === 'up' ? asked(before, await server.counts()).bytesIn : await writtenBy(child.pid);
    if (carried >= bytes || child.exitCode !== null) {
      if (child.exitCode !== null) throw new Error(`${command} ended before it could be killed`);
      child.kill('SIGKILL');
      await ended;
      return carried;
    }
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** Bytes that a process has written so far; Linux only. */
async function writtenBy(pid) {
  const text = await readFile(`/proc/${pid}/io`, 'utf8').catch(() => '');
  return Number(/wchar: (\d+)/.exec(text)?.[1] ?? 0);
}
