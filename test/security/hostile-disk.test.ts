import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { S3Client } from '@aws-sdk/client-s3';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { showPath } from '../../src/core/path.js';
import { defaultOptionsForTests } from './pair-options.js';
import { downloadFile, sync, type SyncOptions, type SyncResult } from '../../src/s3/index.js';
import { openPair } from '../../src/s3/open-pair.js';
import { startS3Server, type S3Server } from '../../src/testing/s3/index.js';
import { CanaryWorld, filesIn } from './canaries.js';
import { canStandInBucket, readHostileKeys } from './hostile-keys.js';
import { generateBucketKeys } from './prove-keys.js';

const KEYS = { accessKeyId: 'k', secretAccessKey: 's' };
/** In the long form, one generated key of fifty also goes over the wire and to the disk. */
const generated = Math.round(Number(process.env['FCS_S1'] ?? 15_000) / 50);
const isLong = process.env['FCS_S1'] !== undefined;
const seed = Number(process.env['FCS_SEED'] ?? Math.floor(Math.random() * 2 ** 31));

const corpus = readHostileKeys().filter(({ key }) => canStandInBucket(key));
let server: S3Server;
let client: S3Client;
let world: CanaryWorld;
let before: Record<string, string>;
let stateDir: string;
let buckets = 0;

beforeAll(async () => {
  server = await startS3Server({ credentials: KEYS });
  client = new S3Client({ endpoint: server.endpoint, region: 'us-east-1', forcePathStyle: true, credentials: KEYS });
});

afterAll(async () => {
  client.destroy();
  await server.close();
});

beforeEach(() => {
  world = new CanaryWorld();
  before = world.outside();
  stateDir = mkdtempSync(join(tmpdir(), 'fcs-canary-state-'));
});

afterEach(() => {
  // The promise of this file: whatever the test did, nothing around the folder was touched.
  expect(world.outside()).toEqual(before);
  world.dispose();
  rmSync(stateDir, { recursive: true, force: true });
});

async function bucketOf(keys: readonly string[]): Promise<string> {
  const bucket = `hostile-${++buckets}`;
  server.core.createBucket(bucket);
  for (const key of keys) await server.core.put(bucket, key, `content of ${key}`);
  return bucket;
}

function run(bucket: string, options: SyncOptions = {}): Promise<SyncResult> {
  return sync(client, bucket, world.folder, { stateDir, maxDelete: 1, ...options });
}

/** What the report names, whichever list of it does. */
function named(result: SyncResult): Set<string> {
  return new Set([
    ...result.problems.map(({ path }) => path),
    ...result.held.map(({ path }) => path),
    ...result.conflicts.map(({ path }) => path),
  ]);
}

/** Each key stands in the folder with its content, or is named, or is this program's own; answers those that stand. */
function checkArrived(keys: readonly string[], result: SyncResult): string[] {
  const files = filesIn(world.folder);
  const names = named(result);
  const arrived: string[] = [];
  for (const key of keys) {
    if (files.get(key) === `content of ${key}`) {
      arrived.push(key);
      files.delete(key);
    } else if (!key.startsWith('.filecloudsync/'))
      expect(names.has(key), `${showPath(key)} is neither here nor named`).toBe(true);
  }
  // Under no other name either.
  expect([...files.keys()].map(showPath)).toEqual([]);
  return arrived;
}

describe('hostile keys on a real disk', () => {
  it('arrive inside the folder or are named, and go up again as what they were', async () => {
    const keys = corpus.map(({ key }) => key);
    const bucket = await bucketOf(keys);
    const result = await run(bucket);
    const arrived = checkArrived(keys, result);
    const fine = corpus.filter(({ expected }) => expected.linux === 'fine').map(({ key }) => key);
    // Only what clashes with another key of the corpus is kept back.
    expect(fine.filter((key) => !arrived.includes(key)).length).toBeLessThan(fine.length / 20);
    expect(arrived.every((key) => fine.includes(key))).toBe(true);
    for (const { key, expected } of corpus) {
      if (expected.linux === 'fine' || key.startsWith('.filecloudsync/')) continue;
      expect(
        result.problems.find(({ path }) => path === key),
        showPath(key),
      ).toMatchObject({ code: expected.linux, side: 'remote' });
    }

    const again = await run(bucket);
    expect([...again]).toEqual([]);

    const empty = await bucketOf([]);
    await sync(client, empty, world.folder, { stateDir, allowOverlap: true });
    expect(
      server.core
        .keys(empty)
        .filter((key) => !key.startsWith('.filecloudsync/'))
        .toSorted(),
    ).toEqual(arrived.toSorted());
    for (const key of arrived) {
      expect(Buffer.from((await server.core.peek(empty, key))?.bytes ?? []).toString()).toBe(`content of ${key}`);
    }
  }, 120_000);

  it('become conflict copies, trash and restored files inside the folder only', async () => {
    const fine = corpus.filter(({ expected }) => expected.linux === 'fine').map(({ key }) => key);
    const keys = fine.filter((_, i) => isLong || i % 6 === 0);
    const bucket = await bucketOf(keys);
    const arrived = checkArrived(keys, await run(bucket));

    for (const key of arrived) {
      writeFileSync(join(world.folder, key), `mine ${key}`);
      utimesSync(join(world.folder, key), 1_600_000_000, 1_600_000_000);
      await server.core.put(bucket, key, `theirs ${key}`);
    }
    const fought = await run(bucket, { conflict: 'keep-both' });
    const contents = new Set(filesIn(world.folder).values());
    for (const key of arrived) {
      expect(contents.has(`mine ${key}`), showPath(key)).toBe(true);
      expect(contents.has(`theirs ${key}`), showPath(key)).toBe(true);
    }
    expect(fought.conflicts.length).toBeGreaterThanOrEqual(arrived.length);

    const files = filesIn(world.folder);
    for (const key of server.core.keys(bucket)) await server.core.remove(bucket, key);
    await run(bucket);
    expect(filesIn(world.folder).size).toBe(0);
    const pair = await openPair(client, bucket, world.folder, defaultOptionsForTests({ stateDir, maxDelete: 1 }));
    try {
      await pair.restore({ runId: (await pair.trash()).at(-1)?.runId ?? '' });
    } finally {
      await pair.close();
    }
    expect(filesIn(world.folder)).toEqual(files);
  }, 120_000);

  it('are refused or contained by downloadFile, one by one', async () => {
    const bucket = await bucketOf(corpus.map(({ key }) => key));
    const refused = corpus.filter(({ expected }) => expected.linux !== 'fine');
    for (const { key, expected } of refused) {
      await expect(downloadFile(client, bucket, key, world.folder), showPath(key)).rejects.toMatchObject({
        code: expected.linux,
      });
    }
    expect(filesIn(world.folder).size).toBe(0);
    const accepted = corpus.filter(({ expected }) => expected.linux === 'fine').map(({ key }) => key);
    // Of a file and another below it only one can stand.
    const fine = accepted
      .filter((key) => !accepted.some((other) => other.startsWith(`${key}/`) || key.startsWith(`${other}/`)))
      .filter((_, i) => isLong || i % 8 === 0);
    for (const key of fine) {
      expect(await downloadFile(client, bucket, key, world.folder)).toBe(join(world.folder, key));
      expect(readFileSync(join(world.folder, key), 'utf8')).toBe(`content of ${key}`);
    }
    expect(filesIn(world.folder).size).toBe(fine.length);
  }, 120_000);

  it(`hold for ${generated} generated keys`, async () => {
    const keys = generateBucketKeys(seed, generated);
    const bucket = await bucketOf(keys);
    const arrived = checkArrived(keys, await run(bucket));
    console.log(
      `S1 on a real disk: ${keys.length} generated keys from seed ${seed}, ${arrived.length} arrived, the others are named; 0 outside`,
    );
    expect(arrived.length).toBeGreaterThan(keys.length / 10);
  }, 1_800_000);
});

describe('what somebody planted in the folder', () => {
  it('is no way out for restore: a forged note in the trash cannot name a place outside', async () => {
    const bucket = await bucketOf(['a', 'b']);
    await run(bucket);
    await server.core.remove(bucket, 'a');
    await run(bucket);
    const trash = join(world.folder, '.filecloudsync/trash');
    const [id = ''] = readdirSync(trash);
    const note = JSON.parse(readFileSync(join(trash, id, 'item.json'), 'utf8'));
    for (const path of [
      '../canary',
      '../../x',
      world.outsideFolder,
      '.filecloudsync/tmp/x',
      'b/../../canary',
      '',
      '\0',
    ]) {
      writeFileSync(join(trash, id, 'item.json'), JSON.stringify({ ...note, path }));
      const pair = await openPair(client, bucket, world.folder, defaultOptionsForTests({ stateDir }));
      try {
        await expect(pair.restore({ ids: [id] }), showPath(path)).rejects.toMatchObject({
          code: expect.stringMatching(/^ERR_KEY_/),
        });
        await expect(pair.restore({ ids: [`../../../../outside`] })).rejects.toMatchObject({
          code: 'ERR_TRASH_ITEM_NOT_FOUND',
        });
      } finally {
        await pair.close();
      }
    }
  });

  it.each(['.filecloudsync', '.filecloudsync/tmp', '.filecloudsync/trash'])(
    'is not followed when %s is a link to a place outside',
    async (name) => {
      const bucket = await bucketOf(['a', 'sub/b']);
      if (name !== '.filecloudsync') mkdirSync(join(world.folder, '.filecloudsync'));
      symlinkSync(world.outsideFolder, join(world.folder, name));
      await expect(run(bucket)).rejects.toMatchObject({ code: 'ERR_PRIVATE_FOLDER_BLOCKED' });
      await expect(downloadFile(client, bucket, 'a', world.folder)).rejects.toMatchObject({
        code: 'ERR_PRIVATE_FOLDER_BLOCKED',
      });
      expect(filesIn(world.folder).size).toBe(0);
    },
  );

  it('is not followed, read or replaced when a link stands where a key or its folder would be', async () => {
    const bucket = await bucketOf(['f0.txt', 'sub/canary', 'sub/deeper/victim.txt', 'fine']);
    symlinkSync(join(world.outsideFolder, 'f0.txt'), join(world.folder, 'f0.txt'));
    symlinkSync(join(world.outsideFolder, 'sub'), join(world.folder, 'sub'));
    const result = await run(bucket);
    expect(named(result).has('f0.txt')).toBe(true);
    expect([...named(result)].some((path) => path === 'sub' || path.startsWith('sub/'))).toBe(true);
    await expect(downloadFile(client, bucket, 'sub/canary', world.folder)).rejects.toMatchObject({
      code: 'ERR_SYMLINK_IN_PATH',
    });
    await expect(downloadFile(client, bucket, 'f0.txt', world.folder)).rejects.toMatchObject({
      code: 'ERR_FILE_IN_THE_WAY',
    });
    expect(statSync(join(world.folder, 'fine')).isFile()).toBe(true);
    // Nothing that lies behind a link went up.
    expect(server.core.keys(bucket).filter((key) => !key.startsWith('.filecloudsync/'))).toEqual([
      'f0.txt',
      'fine',
      'sub/canary',
      'sub/deeper/victim.txt',
    ]);
    expect(Buffer.from((await server.core.peek(bucket, 'sub/canary'))?.bytes ?? []).toString()).toBe(
      'content of sub/canary',
    );
  });
});
