// The main job at a size that hurts: 10,000 files and one of 2 GiB go up, come down on a second machine, and are edited on both
// sides, through the installed command, against the embedded server in its own process with its data in a folder.
//   npm run transcript [-- --files 10000 --big-mib 2048 --dir DIR]
// Prints each command with time, CPU, peak memory of the command, and the requests and bytes that the server counted.
import { fork, spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, mkdtemp, open, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const MIB = 1024 * 1024;
const { values } = parseArgs({
  options: {
    files: { type: 'string', default: '10000' },
    'big-mib': { type: 'string', default: '2048' },
    dir: { type: 'string' },
  },
});
const files = Number(values.files);
const bigBytes = Number(values['big-mib']) * MIB;
const here = path.dirname(fileURLToPath(import.meta.url));
const main = path.join(here, '../dist/cli/main.cjs');
const base = values.dir ?? (await mkdtemp(path.join(tmpdir(), 'filecloudsync-transcript-')));
const address = 's3://transcript/data';
const machines = { a: path.join(base, 'a'), b: path.join(base, 'b') };

const server = fork(path.join(here, 's3-server.mjs'), [path.join(base, 'bucket')]);
const [{ endpoint }] = await once(server, 'message');

async function counts() {
  server.send('counts');
  return (await once(server, 'message'))[0];
}

/** Highest resident memory of a process so far, in bytes; Linux only, 0 elsewhere. */
async function peakOf(pid) {
  const text = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
  return Number(/VmHWM:\s+(\d+)/.exec(text)?.[1] ?? 0) * 1024;
}

async function cpuOf(pid) {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return text === '' ? 0 : (Number(fields[11]) + Number(fields[12])) / 100;
}

async function run(title, machine, ...args) {
  const before = await counts();
  const began = performance.now();
  const child = spawn(process.execPath, [main, ...args, '--json'], {
    env: {
      ...process.env,
      S3_ENDPOINT: endpoint,
      S3_REGION: 'us-east-1',
      S3_ACCESS_KEY: 'bench-access-key',
      S3_SECRET_KEY: 'bench-secret-key',
      FILECLOUDSYNC_STATE_DIR: path.join(base, `state-${machine}`),
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let text = '';
  let end;
  child.stdout.on('data', (chunk) => {
    text += chunk;
    const lines = text.split('\n');
    text = lines.pop();
    for (const line of lines) {
      const event = JSON.parse(line);
      if (event.type === 'end' || event.type === 'error') end = event;
    }
  });
  let peak = 0;
  let cpu = 0;
  const look = async () => {
    peak = Math.max(peak, await peakOf(child.pid));
    cpu = Math.max(cpu, await cpuOf(child.pid));
  };
  const watch = setInterval(() => void look(), 20);
  const [code] = await once(child, 'close');
  clearInterval(watch);
  const seconds = (performance.now() - began) / 1000;
  const after = await counts();
  const asked = Object.entries(after.byOperation)
    .map(([name, count]) => [name, count - (before.byOperation[name] ?? 0)])
    .filter(([, count]) => count > 0)
    .map(([name, count]) => `${name} ${count}`)
    .join(', ');
  console.log(
    `\n$ filecloudsync ${args.map((arg) => (arg === machines[machine] ? machine : arg)).join(' ')}    # ${title}`,
  );
  console.log(
    `  exit ${code}; ${seconds.toFixed(1)} s, CPU ${cpu.toFixed(1)} s, peak memory ${(peak / MIB).toFixed(0)} MiB`,
  );
  console.log(`  ${after.requests - before.requests} requests: ${asked}`);
  console.log(
    `  ${((after.bytesIn - before.bytesIn) / MIB).toFixed(1)} MiB sent, ${((after.bytesOut - before.bytesOut) / MIB).toFixed(1)} MiB received`,
  );
  if (end !== undefined) console.log(`  ${JSON.stringify(end).slice(0, 300)}`);
  if (code !== 0) process.exitCode = 1;
}

async function digest(file) {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(file)) hash.update(chunk);
  return hash.digest('hex');
}

function check(claim, holds) {
  console.log(`  ${holds ? 'ok' : 'FAILED'}: ${claim}`);
  if (!holds) process.exitCode = 1;
}

const S3 = await import('@aws-sdk/client-s3');
const client = new S3.S3Client({
  endpoint,
  region: 'us-east-1',
  forcePathStyle: true,
  credentials: { accessKeyId: 'bench-access-key', secretAccessKey: 'bench-secret-key' },
});
await client.send(new S3.CreateBucketCommand({ Bucket: 'transcript' }));

console.log(`# ${files} files of 0 to 8 KiB in 100 folders, and one of ${bigBytes / MIB} MiB`);
await mkdir(machines.a, { recursive: true });
await mkdir(machines.b, { recursive: true });
for (let i = 0; i < files; i++) {
  const folder = path.join(machines.a, `folder-${i % 100}`);
  if (i < 100) await mkdir(folder, { recursive: true });
  await writeFile(path.join(folder, `file-${i}.bin`), randomBytes((i * 7919) % 8192));
}
const big = await open(path.join(machines.a, 'big.bin'), 'w');
for (let written = 0; written < bigBytes; written += 16 * MIB) await big.write(randomBytes(16 * MIB));
await big.close();

await run('everything goes up', 'a', 'sync', machines.a, address);
await run('nothing changed', 'a', 'sync', machines.a, address);
await run('everything comes down elsewhere', 'b', 'sync', machines.b, address);
check(
  'the large file arrived byte for byte',
  (await digest(path.join(machines.a, 'big.bin'))) === (await digest(path.join(machines.b, 'big.bin'))),
);
check(
  'with its modification time',
  Math.abs(
    (await stat(path.join(machines.a, 'big.bin'))).mtimeMs - (await stat(path.join(machines.b, 'big.bin'))).mtimeMs,
  ) < 1,
);

// Both sides edit: 100 files each, one of them the same on both, a deletion against an edit, and a new file each.
for (let i = 0; i < 100; i++)
  await writeFile(path.join(machines.a, `folder-${i}`, `file-${i}.bin`), `edited on a ${i}`);
for (let i = 99; i < 199; i++)
  await writeFile(path.join(machines.b, `folder-${i % 100}`, `file-${i}.bin`), `edited on b ${i}`);
await rm(path.join(machines.a, 'folder-50', 'file-150.bin'));
await writeFile(path.join(machines.a, 'new-on-a.txt'), 'a');
await writeFile(path.join(machines.b, 'new-on-b.txt'), 'b');
await run('machine a, edited', 'a', 'sync', machines.a, address);
await run('machine b, edited, one conflict', 'b', 'sync', machines.b, address);
await run('machine a takes what b brought', 'a', 'sync', machines.a, address);
await run('both agree, by content', 'a', 'verify', machines.a, address);
check(
  'a deletion lost against an edit',
  (await readFile(path.join(machines.a, 'folder-50', 'file-150.bin'), 'utf8')) === 'edited on b 150',
);

server.send('stop');
await once(server, 'exit');
if (values.dir === undefined) await rm(base, { recursive: true, force: true });
