import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { plainBucket } from '../../src/cli/demo/plain-bucket.js';
import { startS3Server, type S3Server } from '../../src/testing/s3/index.js';
import { buildCommand } from '../cli/built-command.js';

const FILES = 2000;
const KEYS = { accessKeyId: 'key', secretAccessKey: 'secret' };
const place = mkdtempSync(join(tmpdir(), 'filecloudsync-hidden-classes-'));
const here = join(place, 'here');
const there = join(place, 'there');
let main = '';
let server: S3Server;

beforeAll(async () => {
  [main, server] = await Promise.all([buildCommand(), startS3Server({ credentials: KEYS })]);
  await plainBucket({ endpoint: server.endpoint, name: 'bucket', ...KEYS, nowMs: () => Date.now() }).create();
  mkdirSync(join(here, 'folder'), { recursive: true });
  mkdirSync(there);
  writeFiles('first');
});
afterAll(async () => {
  await server.close();
  rmSync(place, { recursive: true, force: true });
});

function writeFiles(content: string): void {
  for (let i = 0; i < FILES; i++) writeFileSync(join(here, 'folder', `${i}.txt`), `${content} ${i}`);
}

/**
 * Runs a program and answers which fields, and where in the code, V8 looked for again with every second file at least: where it had
 * met too many hidden classes to remember them, and then one that it did not know either.
 */
async function fieldsLookedFor(argv: readonly string[]): Promise<readonly string[]> {
  const log = join(place, 'v8.log');
  const flags = ['--log-ic', '--no-logfile-per-isolate', `--logfile=${log}`];
  await promisify(execFile)(process.execPath, [...flags, ...argv], {
    env: {
      PATH: process.env['PATH'],
      HOME: place,
      S3_ENDPOINT: server.endpoint,
      S3_REGION: 'us-east-1',
      S3_ACCESS_KEY: KEYS.accessKeyId,
      S3_SECRET_KEY: KEYS.secretAccessKey,
    },
  });
  const counts = new Map<string, number>();
  // Kind, address, time, line, column, what was remembered before and after, where `N` is too much, class, field.
  const misses = readFileSync(log, 'latin1').matchAll(/^(?:\w+IC),[^,]*,[^,]*,([^,]*,[^,]*),N,N,[^,]*,([^,\n]*)/gm);
  for (const [, where, field] of misses) {
    const what = `${field} at ${where}`;
    counts.set(what, (counts.get(what) ?? 0) + 1);
  }
  return [...counts].filter(([, count]) => count > FILES / 2).map(([what]) => what);
}

const sync = (folder: string, state: string): Promise<readonly string[]> =>
  fieldsLookedFor([main, 'sync', folder, 's3://bucket', '--state-dir', join(place, state), '--max-delete', '100%']);

// On Node.js 20 a spread that other fields follow makes a class of its own for each object, and every field of it is looked for.
describe('objects of which one is made for each file', () => {
  it('are noticed when each has a class of its own', async () => {
    const program = `const read = (object) => object.a; for (let i = 0; i < ${FILES}; i++) read({ ['x' + i]: 1, a: 2 });`;
    expect(await fieldsLookedFor(['--eval', program])).toEqual([expect.stringMatching(/^a at 1,/)]);
  });

  it('have their classes in common when new files are carried', async () => {
    expect(await sync(here, 'state-here')).toEqual([]);
    expect(await sync(there, 'state-there')).toEqual([]);
    expect(readdirSync(join(there, 'folder'))).toHaveLength(FILES);
  });

  it('have their classes in common when files are replaced', async () => {
    writeFiles('second');
    expect(await sync(here, 'state-here')).toEqual([]);
    expect(await sync(there, 'state-there')).toEqual([]);
    expect(readFileSync(join(there, 'folder', '7.txt'), 'utf8')).toBe('second 7');
  });

  it('have their classes in common when files are renamed', async () => {
    renameSync(join(here, 'folder'), join(here, 'other'));
    expect(await sync(here, 'state-here')).toEqual([]);
    expect(await sync(there, 'state-there')).toEqual([]);
    expect(readdirSync(join(there, 'other'))).toHaveLength(FILES);
  });

  it('have their classes in common when files are deleted', async () => {
    rmSync(join(here, 'other'), { recursive: true });
    writeFileSync(join(here, 'left.txt'), 'the folder is not empty');
    expect(await sync(here, 'state-here')).toEqual([]);
    expect(await sync(there, 'state-there')).toEqual([]);
    expect(readdirSync(there)).toEqual(['.filecloudsync', 'left.txt']);
  });
});
