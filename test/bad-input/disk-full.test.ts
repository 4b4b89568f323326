import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdir, rm, statfs, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { Stage, type BadPair } from './stage.js';

// Each test starts processes, and the machine may have other work.
vi.setConfig({ testTimeout: 90_000, hookTimeout: 90_000 });

/** Whoever may not mount a small disk cannot see this; where everything has to be shown, that is a failure. */
const canTry = process.getuid?.() === 0 || (process.env['CI'] ?? '') !== '';

let stage: Stage;
const mounted: string[] = [];

beforeAll(async () => {
  stage = await Stage.open();
});
afterEach(() => {
  for (const place of mounted.splice(0)) execFileSync('umount', [place]);
});
afterAll(() => stage.close());

/** A disk of its own, of this many bytes. */
async function smallDisk(name: string, sizeBytes: number): Promise<string> {
  const place = path.join(stage.place, name);
  await mkdir(place);
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${sizeBytes},mode=755`, 'tmpfs', place]);
  mounted.push(place);
  return place;
}

function grow(place: string, sizeBytes: number): void {
  execFileSync('mount', ['-o', `remount,size=${sizeBytes}`, place]);
}

const KIB = 1024;
const MIB = 1024 * KIB;

describe.runIf(canTry)('a disk that fills', () => {
  it('under the folder fails the file that is too large, keeps the others and leaves no half file', async () => {
    const pair = await stage.pair({
      folder: await smallDisk('folder disk', 2 * MIB),
      files: { 'mine.txt': 'mine' },
      objects: { 'a.txt': 'a', 'large.bin': randomBytes(4 * MIB), 'z.txt': 'z' },
    });
    const ended = await pair.sync(['--concurrency', '1']);
    expect(ended.code).toBe(3);
    const told = ended.lines().filter(({ type }) => type === 'problem');
    expect(told).toMatchObject([
      {
        problem: {
          path: 'large.bin',
          code: 'ERR_DISK_FULL',
          message: expect.stringMatching(/disk is full: free some space and run again/),
        },
      },
    ]);
    expect([await pair.files(), await pair.staged()]).toEqual([['a.txt', 'mine.txt', 'z.txt'], []]);
    expect(await pair.keys()).toEqual(['a.txt', 'large.bin', 'mine.txt', 'z.txt']);
    grow(pair.folder, 8 * MIB);
    expect((await pair.sync()).code).toBe(0);
    expect((await pair.read('large.bin')).equals(await pair.get('large.bin'))).toBe(true);
  });

  it('under the folder while a file is replaced keeps the old version', async () => {
    const pair = await stage.pair({
      folder: await smallDisk('replace disk', 2 * MIB),
      files: { 'doc.bin': Buffer.alloc(300 * KIB, 1) },
    });
    expect((await pair.sync()).code).toBe(0);
    await pair.put('doc.bin', Buffer.alloc(3 * MIB, 2));
    expect((await pair.sync()).code).toBe(3);
    expect((await pair.read('doc.bin')).equals(Buffer.alloc(300 * KIB, 1))).toBe(true);
    expect(await pair.staged()).toEqual([]);
    expect(await pair.keys()).toEqual(['doc.bin']);
  });

  it('before the run can even begin says so, and uploads nothing wrong', async () => {
    const pair = await stage.pair({
      folder: await smallDisk('full disk', 256 * KIB),
      files: { 'a.txt': 'a' },
      objects: { 'b.txt': 'b' },
    });
    await fill(pair.folder);
    const ended = await pair.sync();
    expect([1, 3]).toContain(ended.code);
    expect(ended.stdout).toMatch(/ERR_DISK_FULL/);
    expect(ended.stderr + ended.stdout).toMatch(/free some space and run again/);
    await rm(path.join(pair.folder, 'ballast'));
    expect((await pair.sync()).code).toBe(0);
    expect([await pair.files(), await pair.keys()]).toEqual([
      ['a.txt', 'b.txt'],
      ['a.txt', 'b.txt'],
    ]);
  });

  it('under the state ends the run, and the next one goes on', async () => {
    const files = Object.fromEntries(
      Array.from({ length: 400 }, (_, i) => [`${String(i).padStart(3, '0')}-${'n'.repeat(200)}`, String(i)]),
    );
    const pair = await stage.pair({ files });
    const state = await smallDisk('state disk', 128 * KIB);
    const flags = ['--state-dir', state];
    const ended = await pair.sync(flags);
    expect(ended.code, ended.stdout.slice(-600)).toBe(1);
    expect(ended.error()).toMatchObject({
      code: 'ERR_STATE_UNUSABLE',
      message: expect.stringMatching(/free space/),
      retryable: true,
    });
    expect(ended.stderr).not.toMatch(/\n\s+at /);
    expect(await pair.files()).toHaveLength(400);
    await expectSame(pair, Object.keys(files));
    grow(state, 32 * MIB);
    const again = await pair.sync(flags);
    expect(again.code, again.stderr).toBe(0);
    expect((await pair.keys()).sort()).toEqual(Object.keys(files).sort());
    expect(await pair.files()).toHaveLength(400);
    expect(await pair.trashed()).toEqual([]);
  });

  it('under the state from the beginning says so, and touches nothing', async () => {
    const pair = await stage.pair({ files: { 'a.txt': 'a' }, objects: { 'b.txt': 'b' } });
    const state = await smallDisk('full state', 64 * KIB);
    await fill(state);
    const ended = await pair.sync(['--state-dir', state]);
    expect([ended.code, ended.error()['code']]).toEqual([1, 'ERR_STATE_UNUSABLE']);
    expect(ended.error()['message']).toMatch(/free space/);
    expect([await pair.files(), await pair.keys()]).toEqual([['a.txt'], ['b.txt']]);
  });
});

/** What arrived is whole. */
async function expectSame(pair: BadPair, names: readonly string[]): Promise<void> {
  const keys = (await pair.keys()).filter((key) => !key.startsWith('.filecloudsync/'));
  for (const key of keys) expect(names).toContain(key);
  for (const key of keys.slice(0, 20)) expect((await pair.get(key)).equals(await pair.read(key))).toBe(true);
}

async function fill(place: string): Promise<void> {
  const { bavail, bsize } = await statfs(place);
  await writeFile(path.join(place, 'ballast'), Buffer.alloc(bavail * bsize)).catch(() => {});
}
