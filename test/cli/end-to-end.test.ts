import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { plainBucket } from '../../src/cli/demo/plain-bucket.js';
import { startS3Server, type S3Server } from '../../src/testing/s3/index.js';
import { buildCommand } from './built-command.js';

const KEYS = { accessKeyId: 'test-key', secretAccessKey: 'test-secret' };
let main = '';
let server: S3Server;
const place = mkdtempSync(join(tmpdir(), 'filecloudsync-e2e-'));

beforeAll(async () => {
  [main, server] = await Promise.all([buildCommand(), startS3Server({ credentials: KEYS })]);
}, 60_000);
afterAll(async () => {
  await server.close();
  rmSync(place, { recursive: true, force: true });
});

interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

interface Started {
  readonly ended: Promise<Ended>;
  kill(signal: NodeJS.Signals): void;
  /** Resolves as soon as a stream holds this text. */
  says(text: string): Promise<void>;
}

function start(argv: readonly string[]): Started {
  const env = {
    PATH: process.env['PATH'],
    HOME: place,
    FILECLOUDSYNC_STATE_DIR: join(place, 'state'),
    S3_ENDPOINT: server.endpoint,
    S3_REGION: 'us-east-1',
    S3_ACCESS_KEY: KEYS.accessKeyId,
    S3_SECRET_KEY: KEYS.secretAccessKey,
  };
  const child = spawn(process.execPath, [main, ...argv], { cwd: place, env, stdio: ['ignore', 'pipe', 'pipe'] });
  let stdout = '';
  let stderr = '';
  const waiting = new Set<() => void>();
  const heard = (): void => {
    for (const look of waiting) look();
  };
  child.stdout.on('data', (chunk) => {
    stdout += chunk;
    heard();
  });
  child.stderr.on('data', (chunk) => {
    stderr += chunk;
    heard();
  });
  const ended = new Promise<Ended>((resolve) => {
    child.on('close', (code) => {
      resolve({ code, stdout, stderr });
      heard();
    });
  });
  return {
    ended,
    kill: (signal) => void child.kill(signal),
    says: (text) =>
      new Promise((resolve, reject) => {
        const look = (): void => {
          if (stdout.includes(text) || stderr.includes(text)) resolve();
          else if (child.exitCode !== null)
            reject(new Error(`ended with ${child.exitCode} and never said "${text}": ${stdout}${stderr}`));
        };
        waiting.add(look);
        look();
      }),
  };
}

let pairs = 0;

/** A folder with these files, and an empty bucket. */
async function newPair(
  files: Readonly<Record<string, string | Uint8Array>>,
): Promise<{ argv: [string, string]; bucket: ReturnType<typeof plainBucket>; folder: string }> {
  pairs += 1;
  const folder = join(place, `folder-${pairs}`);
  mkdirSync(folder);
  for (const [path, content] of Object.entries(files)) writeFileSync(join(folder, path), content);
  const bucket = plainBucket({ endpoint: server.endpoint, name: `bucket-${pairs}`, ...KEYS, nowMs: () => Date.now() });
  await bucket.create();
  return { argv: [folder, `s3://bucket-${pairs}`], bucket, folder };
}

describe('the command on a real folder and a real server', () => {
  it('carries both ways, and keeps stderr clean', async () => {
    const { argv, bucket, folder } = await newPair({ 'a.txt': 'from here' });
    await bucket.write('b.txt', 'from there');
    const first = await start(['sync', ...argv]).ended;
    expect(first).toMatchObject({ code: 0, stderr: '' });
    expect(first.stdout).toContain('↑ a.txt  9 B\n');
    expect(first.stdout).toContain('↓ b.txt  10 B\n');
    expect(String(await bucket.read('a.txt'))).toBe('from here');
    expect(readFileSync(join(folder, 'b.txt'), 'utf8')).toBe('from there');
    const second = await start(['sync', ...argv, '--json']).ended;
    expect(
      second.stdout
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line))
        .at(-1),
    ).toMatchObject({ type: 'end', changes: 0, problems: 0 });
    expect(await start(['verify', ...argv]).ended).toMatchObject({
      code: 0,
      stdout: '2 files checked, 2 of them by content: all the same.\n',
    });
    expect((await start(['status', ...argv]).ended).stdout).toContain('Known files  2 files');
  });

  it('keeps a deleted file in the trash and restores it', async () => {
    const { argv, bucket, folder } = await newPair({ 'a.txt': 'kept', 'b.txt': 'stays' });
    await start(['sync', ...argv]).ended;
    await bucket.remove('a.txt');
    expect((await start(['plan', ...argv]).ended).stdout).toContain('✗ a.txt  deleted here');
    expect((await start(['sync', ...argv]).ended).code).toBe(0);
    expect(existsSync(join(folder, 'a.txt'))).toBe(false);
    expect((await start(['trash', ...argv]).ended).stdout).toContain('a.txt');
    expect((await start(['restore', ...argv, 'a.txt']).ended).stdout).toContain('↩ a.txt');
    expect(readFileSync(join(folder, 'a.txt'), 'utf8')).toBe('kept');
  });

  it('ends with 4 while a conflict waits, and with 0 once it is resolved', async () => {
    const { argv, bucket, folder } = await newPair({ 'a.txt': 'one' });
    await start(['sync', ...argv]).ended;
    writeFileSync(join(folder, 'a.txt'), 'mine, edited');
    await bucket.write('a.txt', 'theirs, edited too');
    expect((await start(['sync', ...argv, '--conflict', 'manual']).ended).code).toBe(4);
    expect(await start(['conflicts', ...argv]).ended).toMatchObject({
      code: 4,
      stdout: 'a.txt  changed on both sides\n',
    });
    expect((await start(['resolve', ...argv, 'a.txt', '--use', 'local']).ended).code).toBe(0);
    expect(String(await bucket.read('a.txt'))).toBe('mine, edited');
    expect((await start(['conflicts', ...argv]).ended).code).toBe(0);
  });

  it('ends with 10 when a side is suddenly empty, and touches nothing', async () => {
    const { argv, bucket, folder } = await newPair({ 'a.txt': 'a', 'b.txt': 'b', 'c.txt': 'c' });
    await start(['sync', ...argv]).ended;
    for (const name of ['a.txt', 'b.txt', 'c.txt']) rmSync(join(folder, name));
    expect((await start(['plan', ...argv]).ended).code).toBe(10);
    expect((await start(['sync', ...argv]).ended).code).toBe(10);
    expect((await bucket.list()).size).toBe(3);
  });

  it('ends with 1 and one clear line where nothing answers or the bucket is missing', async () => {
    const { argv } = await newPair({});
    const gone = await start(['sync', argv[0], 's3://no-such-bucket']).ended;
    expect([gone.code, gone.stdout]).toEqual([1, '']);
    expect(gone.stderr).toContain('no-such-bucket');
    const silent = await start(['sync', ...argv, '--endpoint', 'http://127.0.0.1:1', '--json']).ended;
    expect(silent.code).toBe(1);
    expect(JSON.parse(silent.stdout)).toMatchObject({ type: 'error', code: 'ERR_S3_UNREACHABLE' });
    expect(silent.stdout + silent.stderr).not.toContain(KEYS.secretAccessKey);
  });

  it('stops at the first Ctrl-C with 130, holds the pair until then, and goes on later', async () => {
    const files = Object.fromEntries(
      Array.from({ length: 24 }, (_, i) => [`f${String(i).padStart(2, '0')}.bin`, Buffer.alloc(64 * 1024, i)]),
    );
    const { argv, bucket } = await newPair(files);
    const slow = start(['sync', ...argv, '--bandwidth', '256KiB', '--concurrency', '1']);
    await slow.says('↑');
    const second = await start(['sync', ...argv]).ended;
    expect([second.code, second.stderr.includes('ERR_LOCKED')]).toEqual([11, true]);
    slow.kill('SIGINT');
    const ended = await slow.ended;
    expect(ended.code).toBe(130);
    expect(ended.stderr).toContain('Finishing what is running');
    const carried = (await bucket.list()).size;
    expect(carried).toBeGreaterThan(0);
    expect(carried).toBeLessThan(24);
    // What was told as carried is there, and nothing that was not told.
    expect(ended.stdout.match(/^↑/gm)).toHaveLength(carried);
    expect((await start(['sync', ...argv]).ended).code).toBe(0);
    expect((await bucket.list()).size).toBe(24);
  });

  it('cancels at the second signal', async () => {
    const { argv, bucket } = await newPair({ 'large.bin': Buffer.alloc(24 * 1024 * 1024, 7) });
    const slow = start(['sync', ...argv, '--bandwidth', '1MiB', '--part-size', '5', '--json', '--verbose']);
    await slow.says('"type":"start"');
    slow.kill('SIGTERM');
    await slow.says('"stage":"finish"');
    // Two signals within a moment count as one, as npx sends them: this one is told apart by its time.
    const again = setInterval(() => slow.kill('SIGTERM'), 400);
    const ended = await slow.ended;
    clearInterval(again);
    expect(ended.code).toBe(130);
    expect(ended.stdout).toContain('"stage":"cancel"');
    expect((await bucket.list()).size).toBe(0);
    expect((await start(['sync', ...argv]).ended).code).toBe(0);
    expect((await bucket.list()).size).toBe(1);
  });

  it('watches until it is told to end', async () => {
    const { argv, bucket, folder } = await newPair({ 'a.txt': 'a' });
    const watch = start(['watch', ...argv, '--delay', '0.3']);
    await watch.says('↑ a.txt');
    writeFileSync(join(folder, 'b.txt'), 'b');
    await watch.says('↑ b.txt');
    await bucket.write('c.txt', 'c');
    await watch.says('↓ c.txt');
    watch.kill('SIGTERM');
    expect(await watch.ended).toMatchObject({ code: 0 });
    expect(readFileSync(join(folder, 'c.txt'), 'utf8')).toBe('c');
  });

  it('shows a demo that holds, twice in the same place', async () => {
    for (let turn = 0; turn < 2; turn++) {
      const ended = await start(['demo', '--port', '0', '--dir', join(place, 'demo')]).ended;
      expect(ended, ended.stdout).toMatchObject({ code: 0 });
      expect(ended.stdout.match(/^✔/gm)).toHaveLength(5);
    }
  }, 60_000);
});
