import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SeededRandom } from '../../testing/simulation/seeded-random.js';
import type { DirectoryHandle, FileStat, FileSystem, NewPlace } from './file-system.js';
import { identityOfStat } from './folder.js';
import { createLocalReplica } from './local-replica.js';
import { NewFiles } from './new-files.js';
import { NewFilesThread } from './new-files-thread.js';
import { createNodeFileSystem, hasProcDescriptors } from './node-file-system.js';

const MODIFIED_MS = 1_600_000_000_123;

let base: string;
let threads: NewFilesThread[];
let newFiles: NewFiles;
let disk: FileSystem;
let root: DirectoryHandle;
let tmp: DirectoryHandle;
const startThread = (mostOpenFiles: number): NewFilesThread | undefined => {
  const thread = NewFilesThread.start(mostOpenFiles);
  if (thread !== undefined) threads.push(thread);
  return thread;
};
beforeEach(async () => {
  base = fs.mkdtempSync(path.join(os.tmpdir(), 'filecloudsync-'));
  for (const name of ['tmp', 'a']) fs.mkdirSync(path.join(base, name));
  threads = [];
  newFiles = new NewFiles(startThread, 1);
  disk = createNodeFileSystem(newFiles);
  root = await disk.openRoot(base);
  tmp = await root.openDirectory('tmp');
});
afterEach(async () => {
  await tmp.close();
  await root.close();
  for (const thread of threads) await thread.stop();
  fs.rmSync(base, { recursive: true, force: true });
});

const textOf = (i: number): string => `content of ${i} `.repeat(i % 40);
const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);
/** The place of a file in the folder `a`, or in another that is given. */
const placeOf = async (name: string, directory: DirectoryHandle, folder = 'a'): Promise<NewPlace> => ({
  directory,
  name,
  way: {
    root: { path: base, identity: identityOfStat(await root.stat()) },
    below: [{ above: root, name: folder, identity: identityOfStat(await directory.stat()) }],
  },
});
const placeFile = async (
  name: string,
  place: NewPlace,
  text: string,
  onTaken?: () => void,
): Promise<FileStat | undefined> => {
  expect(disk.announceFile?.()).toBe(true);
  return await tmp.placeFile?.(name, { bytes: bytesOf(text), modifiedMs: MODIFIED_MS }, place, onTaken);
};
const openDescriptors = (): number => fs.readdirSync('/proc/self/fd').length;

describe.skipIf(!hasProcDescriptors() || os.availableParallelism() < 2)('small files made by another thread', () => {
  let a: DirectoryHandle;
  beforeEach(async () => {
    a = await root.openDirectory('a');
  });
  afterEach(async () => {
    await a.close();
  });

  it('stand in their places as if they had been made here', async () => {
    const place = await placeOf('', a);
    const descriptors = openDescriptors();
    const stats = await Promise.all(
      Array.from({ length: 500 }, (_, i) => placeFile(`s${i}`, { ...place, name: `f${i}` }, textOf(i))),
    );
    expect(fs.readdirSync(path.join(base, 'tmp'))).toEqual([]);
    for (const [i, stat] of stats.entries()) {
      expect(stat).toEqual(await a.lstat(`f${i}`));
      expect(fs.readFileSync(path.join(base, 'a', `f${i}`), 'utf8')).toBe(textOf(i));
      expect(Math.round(fs.statSync(path.join(base, 'a', `f${i}`)).mtimeMs)).toBe(MODIFIED_MS);
    }
    // Those of the thread itself, and no file.
    expect(openDescriptors()).toBeLessThan(descriptors + 50);
  });

  it('stand in different folders, each in its own', async () => {
    fs.mkdirSync(path.join(base, 'b'));
    const b = await root.openDirectory('b');
    await Promise.all([
      placeFile('s1', await placeOf('f', a), 'of a'),
      placeFile('s2', await placeOf('f', b, 'b'), 'of b'),
    ]);
    expect(['a', 'b'].map((name) => fs.readFileSync(path.join(base, name, 'f'), 'utf8'))).toEqual(['of a', 'of b']);
    await b.close();
  });

  it('have the time of their making where none is given', async () => {
    const place = await placeOf('f', a);
    expect(disk.announceFile?.()).toBe(true);
    const before = Date.now() - 20;
    const stat = await tmp.placeFile?.('s', { bytes: bytesOf('x'), modifiedMs: undefined }, place);
    expect(Number(stat?.mtimeNs) / 1e6).toBeGreaterThan(before);
  });

  it('replace nothing, and what went wrong is told as a call of Node.js does', async () => {
    fs.writeFileSync(path.join(base, 'tmp', 'x'), 'mine');
    const place = await placeOf('f', a);
    await expect(placeFile('x', place, 'theirs')).rejects.toMatchObject({ code: 'EEXIST', syscall: 'open' });
    fs.symlinkSync(path.join(base, 'a', 'planted'), path.join(base, 'tmp', 'y'));
    await expect(placeFile('y', place, 'theirs')).rejects.toMatchObject({ code: 'EEXIST' });
    expect(fs.readFileSync(path.join(base, 'tmp', 'x'), 'utf8')).toBe('mine');
    expect(fs.readdirSync(path.join(base, 'a'))).toEqual([]);
  });

  it.each<[string, () => void]>([
    ['something stands there', () => fs.writeFileSync(path.join(base, 'a', 'f'), 'mine')],
    [
      'their directory was moved away',
      () => {
        fs.renameSync(path.join(base, 'a'), path.join(base, 'b'));
        fs.mkdirSync(path.join(base, 'a'));
      },
    ],
    [
      'a link leads to their directory',
      () => {
        fs.renameSync(path.join(base, 'a'), path.join(base, 'b'));
        fs.symlinkSync('b', path.join(base, 'a'));
      },
    ],
    [
      'another folder stands in the place of the root',
      () => {
        fs.renameSync(base, `${base}-moved`);
        fs.mkdirSync(base);
      },
    ],
  ])('have no place where %s, and are gone', async (_, act) => {
    const place = await placeOf('f', a);
    act();
    expect(await placeFile('x', place, 'theirs')).toBeUndefined();
    expect(await tmp.lstat('x')).toBeNull();
    expect((await a.lstat('f'))?.sizeBytes).not.toBe('theirs'.length);
    fs.rmSync(`${base}-moved`, { recursive: true, force: true });
  });

  it('let others be fetched only as long as little waits for the disk', async () => {
    let taken = 0;
    const place = await placeOf('', a);
    const text = 'x'.repeat(400_000);
    const all = Array.from({ length: 30 }, (_, i) =>
      placeFile(`s${i}`, { ...place, name: `f${i}` }, text, () => taken++),
    );
    expect(taken).toBe(10);
    await Promise.all(all);
    await placeFile('last', { ...place, name: 'last' }, text, () => taken++);
    expect(taken).toBe(11);
  });

  it.each([
    [Infinity, 2000],
    [1024, 432],
    [256, 48],
    [200, 20],
    [100, 0],
  ])('where %d files may be open, have %d wait while others are fetched, however small', async (limit, expected) => {
    const few = new NewFiles(startThread, 1, () => limit);
    const place = await placeOf('', a);
    few.announce();
    const folder = await (await createNodeFileSystem(few).openRoot(base)).openDirectory('tmp');
    let taken = 0;
    const all = Array.from({ length: expected + 50 }, async (_, i) =>
      folder.placeFile?.(
        `s${i}`,
        { bytes: new Uint8Array(0), modifiedMs: MODIFIED_MS },
        { ...place, name: `f${i}` },
        () => taken++,
      ),
    );
    expect(taken).toBe(expected);
    await Promise.all(all);
    await folder.close();
  });

  it.each([
    [Infinity, 128],
    [640, 60],
    [256, 12],
    [100, 1],
  ])(
    'are made at most so many at a time where %d files may be open: %d in each of four messages',
    async (limit, most) => {
      const few = new NewFiles(startThread, 1, () => limit);
      const place = await placeOf('', a);
      few.announce();
      const thread = threads[0] ?? expect.fail('no thread was started');
      const asked: number[] = [];
      let pending = 0;
      const ask = thread.ask.bind(thread);
      thread.ask = (question, moved) => {
        asked.push(question.names.length / 2);
        pending = Math.max(pending, thread.pending + 1);
        return ask(question, moved);
      };
      const folder = await (await createNodeFileSystem(few).openRoot(base)).openDirectory('tmp');
      const all = Array.from({ length: 400 }, async (_, i) =>
        folder.placeFile?.(`s${i}`, { bytes: new Uint8Array(1), modifiedMs: MODIFIED_MS }, { ...place, name: `f${i}` }),
      );
      expect((await Promise.all(all)).every((placed) => placed?.sizeBytes === 1)).toBe(true);
      expect([Math.max(...asked), pending]).toEqual([most, Math.min(4, Math.ceil(400 / most))]);
      expect(asked.reduce((sum, count) => sum + count)).toBe(400);
      await folder.close();
    },
  );

  it('know how many files may be open', async () => {
    const limit = Number(/^Max open files +(\d+)/m.exec(fs.readFileSync('/proc/self/limits', 'latin1'))?.[1]);
    let taken = 0;
    const place = await placeOf('', a);
    const all = Array.from({ length: 2100 }, async (_, i) =>
      placeFile(`s${i}`, { ...place, name: `f${i}` }, '', () => taken++),
    );
    expect(taken).toBe(Math.min(2000, limit - 160 - Math.min(512, Math.trunc((limit - 160) / 2))));
    await Promise.all(all);
  });

  it('are told of as not placed when the thread ends, which leaves nothing open; another one is started for what comes then', async () => {
    const descriptors = openDescriptors();
    const place = await placeOf('', a);
    const all = Array.from({ length: 50 }, (_, i) => placeFile(`s${i}`, { ...place, name: `f${i}` }, textOf(i)));
    // In the midst of them.
    while (fs.readdirSync(path.join(base, 'tmp')).length < 10) await new Promise(setImmediate);
    await threads[0]?.stop();
    await threads[0]?.ended;
    expect((await Promise.all(all)).at(-1)).toBeUndefined();
    expect(openDescriptors()).toBe(descriptors);
    expect((await placeFile('next', { ...place, name: 'next' }, 'next'))?.sizeBytes).toBe(4);
    expect(threads).toHaveLength(2);
  });
});

it('starts no thread before it is worth it, and none where none can be', async () => {
  let asked = 0;
  const few = new NewFiles(() => {
    asked++;
    return undefined;
  }, 3);
  for (const expected of [0, 0, 1, 1, 1, 2]) {
    expect(few.announce()).toBe(false);
    expect(asked).toBe(expected);
  }
  const way = { prefix: '/nowhere/', descriptor: -1, landmarks: [] };
  const file = { path: '/nowhere/x', bytes: new Uint8Array(1), modifiedMs: undefined, name: 'x', way };
  expect(await few.place({ ...file, onTaken: () => expect.fail('nothing waits') })).toBeUndefined();
});

it('starts a thread at once where as many are expected, and another only when that has ended', async () => {
  const started: NewFilesThread[] = [];
  const files = new NewFiles(() => {
    const thread = NewFilesThread.start();
    if (thread !== undefined) started.push(thread);
    return thread;
  }, 3);
  files.expect(2);
  expect([started.length, files.announce()]).toEqual([0, false]);
  files.expect(3);
  expect([started.length, files.announce()]).toEqual([1, true]);
  files.expect(1000);
  expect(started.length).toBe(1);
  await started[0]?.stop();
  files.expect(3);
  expect([started.length, files.announce()]).toEqual([2, true]);
  await started[1]?.stop();
});

it.each([
  ['many small files', { files: 200, bytes: 200 * 4096 }, true],
  ['a few', { files: 100, bytes: 100 * 4096 }, false],
  ['large ones', { files: 200, bytes: 200 * 1024 * 1024 }, false],
])('is told of %s that a folder expects', async (_, writes, isWorthIt) => {
  const clock = { nowMs: () => Date.now(), sleep: async () => undefined };
  const local = createLocalReplica({
    root: base,
    pathRules: 'linux',
    fileSystem: createNodeFileSystem(new NewFiles(startThread)),
    runtime: { clock, random: new SeededRandom(1) },
    runId: 'run',
  });
  await local.prepare({ readonly: false });
  local.expectWrites?.(writes);
  expect(threads).toHaveLength(isWorthIt ? 1 : 0);
  await local.close();
});
