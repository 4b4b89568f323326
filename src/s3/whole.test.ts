import { access, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { S3Client } from '@aws-sdk/client-s3';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startS3Server, type S3Server } from '../testing/s3/index.js';
import * as s3 from './index.js';

const credentials = { accessKeyId: 'TESTKEY', secretAccessKey: 'very-secret-text' };
let server: S3Server;
let client: S3Client;
let bucket: string;
let count = 0;
let base: string;
let folder: string;
let stateDir: string;

beforeAll(async () => {
  server = await startS3Server({ credentials });
  client = await s3.connect({ ...credentials, endpoint: server.endpoint });
});
afterAll(async () => {
  client.destroy();
  await server.close();
});
beforeEach(async () => {
  bucket = `whole-${++count}`;
  server.core.createBucket(bucket);
  base = await mkdtemp(path.join(tmpdir(), 'fcs-whole-'));
  folder = path.join(base, 'folder');
  stateDir = path.join(base, 'state');
  await mkdir(folder);
});
afterEach(() => rm(base, { recursive: true }));

describe('sync, with a real folder and a real server', () => {
  it('carries both ways below a prefix, and then has nothing to do', async () => {
    await put('local.txt', 'l');
    await server.core.put(bucket, 'p/remote.txt', 'r');
    await server.core.put(bucket, 'other.txt', 'o');
    const address = `s3://${bucket}/p`;
    const expected = await s3.checkChanges(client, address, folder, { stateDir });
    expect(server.core.keys(bucket)).toEqual(['other.txt', 'p/remote.txt']);
    const changes = await s3.sync(client, address, folder, { stateDir });
    expect(byKey(changes)).toEqual([
      { key: 'local.txt', operation: s3.Operation.ADDED, location: s3.Location.LOCAL },
      { key: 'remote.txt', operation: s3.Operation.ADDED, location: s3.Location.BUCKET },
    ]);
    expect(byKey(expected)).toEqual(byKey(changes));
    expect([...changes.problems, ...changes.conflicts, ...changes.held]).toEqual([]);
    expect(server.core.keys(bucket)).toEqual(['other.txt', 'p/local.txt', 'p/remote.txt']);
    expect(await readFile(path.join(folder, 'remote.txt'), 'utf8')).toBe('r');
    expect([...(await s3.sync(client, address, folder, { stateDir }))]).toEqual([]);
  });

  it('forgets with removeSyncStatus, and then deletes nothing', async () => {
    await put('a', '1');
    await s3.sync(client, bucket, folder, { stateDir });
    await s3.removeSyncStatus(client, bucket, folder, { stateDir });
    await rm(path.join(folder, 'a'));
    expect(byKey(await s3.sync(client, bucket, folder, { stateDir }))).toEqual([
      { key: 'a', operation: 'added', location: 'bucket' },
    ]);
  });

  it('never writes to the bucket under readonly, and uploads afterwards', async () => {
    await put('a', '1');
    const changes = await s3.sync(client, bucket, folder, { stateDir, readonly: true });
    expect([...changes]).toEqual([]);
    expect(changes.held).toEqual([{ path: 'a', rule: 'R11', reason: 'readonly' }]);
    expect(server.core.keys(bucket)).toEqual([]);
    expect([...(await s3.sync(client, bucket, folder, { stateDir }))]).toHaveLength(1);
  });
});

describe('Monitor, with a real folder and a real server', () => {
  it('carries a local change while it runs, and removes the folder at the end', async () => {
    await put('a', '1');
    const monitor = new s3.Monitor(bucket, folder, { client, stateDir, remove: true, delaySeconds: 3600 });
    const errors: Error[] = [];
    monitor.on('error', (error) => errors.push(error));
    await monitor.start();
    expect(server.core.keys(bucket)).toEqual(['a']);
    const told = new Promise<string>((resolve) => monitor.addOnChangeHandle((key) => resolve(key)));
    await put('dir/b', '2');
    expect(await told).toBe('dir/b');
    await put('c', '3');
    expect(await monitor.stop()).toEqual([{ key: 'c', operation: 'added', location: 'local' }]);
    expect(errors).toEqual([]);
    expect(server.core.keys(bucket)).toEqual(['a', 'c', 'dir/b']);
    await expect(access(folder)).rejects.toMatchObject({ code: 'ENOENT' });
  });

  it('looks at nothing but the file that was saved, and shares the pair meanwhile', async () => {
    for (const name of ['a', 'b', 'c/d']) await put(name, name);
    const monitor = new s3.Monitor(bucket, folder, { client, stateDir, delaySeconds: 3600 });
    let cycles = 0;
    let ended = (): void => {};
    monitor.on('cycle', () => {
      cycles++;
      ended();
    });
    const cycle = async (number: number): Promise<void> => {
      while (cycles < number) await new Promise<void>((resolve) => (ended = resolve));
    };
    await monitor.start();
    // The second is for what changed before the watch stood.
    await cycle(2);
    const before: Record<string, number> = { ...server.core.counter.byOperation };
    await put('a', 'saved');
    await cycle(3);
    const asked = Object.entries(server.core.counter.byOperation).flatMap(([operation, total]) => {
      const more = total - (before[operation] ?? 0);
      return more === 0 ? [] : [`${operation} ${more}`];
    });
    expect(asked.toSorted()).toEqual(['HeadObject 1', 'PutObject 1']);
    expect([...(await s3.sync(client, bucket, folder, { stateDir }))]).toEqual([]);
    await rm(path.join(folder, 'b'));
    await cycle(4);
    expect(server.core.keys(bucket)).toEqual(['a', 'c/d']);
    await monitor.stop();
  });

  it('keeps the folder when an edit was never uploaded', async () => {
    await put('a', '1');
    const monitor = new s3.Monitor(bucket, folder, { client, stateDir, remove: true, readonly: true, watch: false });
    const errors: Error[] = [];
    monitor.on('error', (error) => errors.push(error));
    await monitor.start();
    await monitor.stop();
    expect(errors).toEqual([expect.objectContaining({ code: 'ERR_FOLDER_KEPT' })]);
    expect(await readdir(folder)).toContain('a');
  });

  it('shares the pair with other calls between its cycles', async () => {
    await using monitor = await s3.Monitor.start(bucket, folder, { client, stateDir, watch: false });
    await put('a', '1');
    expect([...(await s3.sync(client, bucket, folder, { stateDir }))]).toHaveLength(1);
    expect(await monitor.stop()).toEqual([]);
  });

  it('rejects the start when there is no such bucket', async () => {
    await expect(s3.Monitor.start('no-such-bucket', folder, { client, stateDir })).rejects.toMatchObject({
      code: 'ERR_S3_BUCKET_NOT_FOUND',
    });
  });
});

async function put(name: string, content: string): Promise<void> {
  const file = path.join(folder, name);
  await mkdir(path.dirname(file), { recursive: true });
  await writeFile(file, content);
}

function byKey(changes: readonly s3.Change[]): s3.Change[] {
  return [...changes].toSorted((a, b) => (a.key < b.key ? -1 : 1));
}
