import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Clock } from '../core/runtime.js';
import { openDirectoryLock } from './directory-lock.js';
import { pairIdOf, type PairIdentity } from './pair-identity.js';
import { openRegister } from './register.js';
import { pairPathsOf } from './state-directory.js';

/** A clock whose sleeps take no time. */
function virtualClock(onSleep: () => Promise<void> = () => Promise.resolve()): Clock {
  let nowMs = 0;
  return {
    nowMs: () => nowMs,
    sleep: async (durationMs) => {
      nowMs += durationMs;
      await onSleep();
    },
  };
}

let root: string;
let next = 0;
const newState = (): string => path.join(root, `state-${next++}`);
const pair = (folder: string, more: Partial<PairIdentity> = {}): PairIdentity => ({
  endpoint: 'https://s3.example.com',
  bucket: 'bucket',
  prefix: 'p/',
  folder,
  ...more,
});

beforeAll(async () => {
  root = await mkdtemp(path.join(tmpdir(), 'register-'));
});
afterAll(() => rm(root, { recursive: true, force: true }));

describe('openRegister', () => {
  it('knows nothing and creates nothing at first', async () => {
    const state = newState();
    expect(await openRegister(state, virtualClock()).list()).toEqual([]);
    await expect(stat(state)).rejects.toMatchObject({ code: 'ENOENT' });
  });

  it('claims, lists by folder, claims again, and releases', async () => {
    const register = openRegister(newState(), virtualClock());
    const b = await register.claim(pair('/data/b'));
    const a = await register.claim(pair('/data/a'));
    expect(await register.claim(pair('/data/b', { endpoint: 'https://S3.example.com/' }))).toEqual(b);
    expect(await register.list()).toEqual([a, b]);
    expect(a).toEqual({ id: pairIdOf(pair('/data/a')), ...pair('/data/a') });
    expect([await register.release(b.id), await register.release(b.id)]).toEqual([true, false]);
    expect(await register.list()).toEqual([a]);
  });

  const refused: readonly (readonly [string, PairIdentity])[] = [
    ['the same folder with another bucket', pair('/data/a', { bucket: 'other' })],
    ['the same folder with another prefix', pair('/data/a', { prefix: '' })],
    ['the same folder at another endpoint', pair('/data/a', { endpoint: 'https://s3.example.org' })],
    ['a folder inside, with another bucket', pair('/data/a/sub/deep', { bucket: 'other' })],
    ['a folder inside, with the same place', pair('/data/a/sub')],
    ['a folder inside whose name begins with two dots', pair('/data/a/..sub')],
    ['a folder above', pair('/data', { bucket: 'other' })],
    ['the root of the disk', pair('/')],
  ];
  it.each(refused)('refuses %s, naming the other pair and the way out', async (_what, second) => {
    const register = openRegister(newState(), virtualClock());
    const first = await register.claim(pair('/data/a'));
    const error: unknown = await register.claim(second).catch((each: unknown) => each);
    expect(error).toMatchObject({
      name: 'UsageError',
      code: 'ERR_FOLDER_PAIRED_ELSEWHERE',
      data: { other: { folder: '/data/a' } },
    });
    expect(String(error)).toContain('/data/a with s3://bucket/p/ at https://s3.example.com');
    expect(String(error)).toContain('filecloudsync forget /data/a s3://bucket/p/');
    expect(await register.list()).toEqual([first]);
    expect((await register.claim(second, { allowOverlap: true })).folder).toBe(second.folder);
    expect((await register.list()).length).toBe(2);
  });

  it.each(['/data/ab', '/data/b', '/other'])('accepts %s beside /data/a, with any place', async (folder) => {
    const register = openRegister(newState(), virtualClock());
    await register.claim(pair('/data/a'));
    await register.claim(pair(folder));
    expect((await register.list()).length).toBe(2);
  });

  it('loses no claim when many are made at once', async () => {
    const state = newState();
    const folders = Array.from({ length: 12 }, (_, i) => `/data/f${String(i).padStart(2, '0')}`);
    await Promise.all(folders.map((folder) => openRegister(state, virtualClock()).claim(pair(folder))));
    expect((await openRegister(state, virtualClock()).list()).map(({ folder }) => folder)).toEqual(folders);
  });

  it('lets only one of two claims in that exclude each other', async () => {
    const state = newState();
    const results = await Promise.allSettled(
      ['one', 'two'].map((bucket) => openRegister(state, virtualClock()).claim(pair('/data/a', { bucket }))),
    );
    expect(results.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    expect((await openRegister(state, virtualClock()).list()).length).toBe(1);
  });

  const damages: readonly (readonly [string, (file: string) => Promise<void>])[] = [
    ['deleted', (file) => rm(file)],
    ['emptied', (file) => writeFile(file, '')],
    ['cut short', async (file) => writeFile(file, (await readFile(file, 'utf8')).slice(0, -20))],
    ['altered', async (file) => writeFile(file, (await readFile(file, 'utf8')).replace('/data/a', '/data/x'))],
  ];
  it.each(damages)('is rebuilt from the pairs when it was %s', async (_how, damage) => {
    const state = newState();
    const register = openRegister(state, virtualClock());
    const a = await register.claim(pair('/data/a'));
    const b = await register.claim(pair('/data/b'));
    const gone = await register.claim(pair('/data/gone'));
    await register.release(gone.id);
    await damage(path.join(state, 'register.json'));
    expect(await register.list()).toEqual([a, b]);
    await expect(register.claim(pair('/data/a', { bucket: 'other' }))).rejects.toMatchObject({
      code: 'ERR_FOLDER_PAIRED_ELSEWHERE',
    });
    const c = await register.claim(pair('/data/c'));
    expect(await register.list()).toEqual([a, b, c]);
  });

  it('believes no identity that is not the one its directory is named after', async () => {
    const state = newState();
    const register = openRegister(state, virtualClock());
    const a = await register.claim(pair('/data/a'));
    const b = await register.claim(pair('/data/b'));
    await rm(path.join(state, 'register.json'));
    await writeFile(pairPathsOf(state, b.id).identity, JSON.stringify(pair('/data/forged')));
    expect(await register.list()).toEqual([a]);
    await writeFile(pairPathsOf(state, b.id).identity, '{"endpoint":');
    expect(await register.list()).toEqual([a]);
  });

  it('waits for another holder of its lock, and gives up after ten seconds', async () => {
    const state = newState();
    const held = await openDirectoryLock(path.join(state, 'register.lock'));
    await expect(openRegister(state, virtualClock()).claim(pair('/data/a'))).rejects.toMatchObject({
      code: 'ERR_LOCKED',
    });
    let sleeps = 0;
    const clock = virtualClock(async () => {
      if (++sleeps === 3) await held.close();
    });
    await openRegister(state, clock).claim(pair('/data/a'));
    expect(sleeps).toBe(3);
  });

  it.skipIf(process.platform === 'win32')('keeps no secret and lets nobody else read it', async () => {
    const state = newState();
    const register = openRegister(state, virtualClock());
    const { id } = await register.claim(
      pair('/data/a', { endpoint: 'https://key:hunter2@s3.example.com/?sig=hunter2' }),
    );
    const files = [path.join(state, 'register.json'), pairPathsOf(state, id).identity];
    for (const file of files) {
      expect(await readFile(file, 'utf8')).not.toContain('hunter2');
      expect((await stat(file)).mode & 0o777).toBe(0o600);
    }
    expect((await stat(state)).mode & 0o777).toBe(0o700);
    expect((await readdir(state)).filter((name) => name.endsWith('.tmp'))).toEqual([]);
  });
});
