import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { S3Client } from '@aws-sdk/client-s3';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { withDefaults } from '../../src/s3/default-options.js';
import * as s3 from '../../src/s3/index.js';
import { openPair } from '../../src/s3/open-pair.js';
import type { Pair } from '../../src/s3/pair.js';
import { startS3Server, type S3Server } from '../../src/testing/s3/index.js';

const credentials = { accessKeyId: 'TESTKEY', secretAccessKey: 'very-secret-text' };
let server: S3Server;
let client: S3Client;
let bucket: string;
let base: string;
let folder: string;
let stateDir: string;
let count = 0;

beforeAll(async () => {
  server = await startS3Server({ credentials });
  client = await s3.connect({ ...credentials, endpoint: server.endpoint });
});
afterAll(async () => {
  client.destroy();
  await server.close();
});
beforeEach(async () => {
  bucket = `errors-${++count}`;
  server.core.createBucket(bucket);
  base = await mkdtemp(path.join(tmpdir(), 'filecloudsync-errors-'));
  folder = path.join(base, 'folder');
  stateDir = path.join(base, 'state');
  await mkdir(folder);
});
afterEach(() => rm(base, { recursive: true }));

const at = (name: string): string => path.join(folder, name);

async function withPair<T>(use: (pair: Pair) => Promise<T>, options: s3.SyncOptions = {}): Promise<T> {
  const pair = await openPair(client, bucket, folder, withDefaults({ stateDir, ...options }));
  try {
    return await use(pair);
  } finally {
    await pair.close();
  }
}

describe('resolve', () => {
  it('refuses a path at which no conflict waits (ERR_CONFLICT_NOT_FOUND)', async () => {
    await expect(withPair((pair) => pair.resolve('nowhere', 'local'))).rejects.toMatchObject({
      code: 'ERR_CONFLICT_NOT_FOUND',
      message: expect.stringContaining('"nowhere"'),
    });
  });
});

describe('a conflict function', () => {
  it('that answers nonsense ends the run, and both versions stay (ERR_CONFLICT_ANSWER)', async () => {
    await writeFile(at('a'), 'local');
    await server.core.put(bucket, 'a', 'bucket');
    // A program in JavaScript can answer anything.
    const conflict = (() => 'mine') as unknown as () => 'local';
    await expect(s3.sync(client, bucket, folder, { stateDir, conflict })).rejects.toMatchObject({
      code: 'ERR_CONFLICT_ANSWER',
      message: expect.stringMatching(/"mine".*'local', 'bucket', 'keep-both' or 'manual'/),
    });
    expect(await readFile(at('a'), 'utf8')).toBe('local');
    expect(String((await server.core.peek(bucket, 'a'))?.bytes)).toBe('bucket');
  });
});

describe('restore', () => {
  it('puts nothing in the place of a folder, and keeps the version (ERR_RESTORE_BLOCKED)', async () => {
    await writeFile(at('a'), 'kept');
    await writeFile(at('b'), 'b');
    await s3.sync(client, bucket, folder, { stateDir });
    await server.core.remove(bucket, 'a');
    await s3.sync(client, bucket, folder, { stateDir });
    await mkdir(at('a'));
    await withPair(async (pair) => {
      await expect(pair.restore({ paths: ['a'] })).rejects.toMatchObject({
        code: 'ERR_RESTORE_BLOCKED',
        message: expect.stringContaining('stays in the trash'),
      });
      expect(await pair.trash()).toMatchObject([{ path: 'a' }]);
    });
  });
});

describe('Monitor', () => {
  it('goes on when a handler throws, and says so (ERR_HANDLER)', async () => {
    await using monitor = await s3.Monitor.start(bucket, folder, { client, stateDir, delaySeconds: 3600 });
    const errors: Error[] = [];
    monitor.on('error', (error) => errors.push(error));
    const heard: string[] = [];
    monitor.addOnChangeHandle(() => {
      throw new Error('a mistake in the handler');
    });
    monitor.addOnChangeHandle((key) => void heard.push(key));
    await writeFile(at('a'), '1');
    await vi.waitFor(() => expect(heard).toEqual(['a']), { timeout: 10_000, interval: 10 });
    expect(errors).toEqual([
      expect.objectContaining({ code: 'ERR_HANDLER', message: expect.stringContaining('a mistake in the handler') }),
    ]);
  });
});
