import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { DirectoryHandle, FileSystem, MadeFile, Way } from './file-system.js';
import { identityOfStat } from './folder.js';
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
const startThread = (): NewFilesThread | undefined => {
  const thread = NewFilesThread.start();
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
const make = async (name: string, text: string, more = {}): Promise<MadeFile | undefined> =>
  await tmp.makeFile?.(name, { bytes: bytesOf(text), modifiedMs: MODIFIED_MS, mode: undefined, ...more });
const wayTo = async (above: DirectoryHandle, name: string, directory: DirectoryHandle): Promise<Way> => ({
  root: { path: base, identity: identityOfStat(await root.stat()) },
  below: [{ above, name, identity: identityOfStat(await directory.stat()) }],
});

describe.skipIf(!hasProcDescriptors() || os.availableParallelism() < 2)('small files made by another thread', () => {
  it('makes many files as they would be made here, and gives them their places', async () => {
    const a = await root.openDirectory('a');
    const way = await wayTo(root, 'a', a);
    await Promise.all(
      Array.from({ length: 500 }, async (_, i) => {
        const made = await make(`s${i}`, textOf(i));
        if (made === undefined) throw new Error('the thread did not make it');
        expect(made.stat).toEqual(await tmp.lstat(`s${i}`));
        expect(await tmp.moveInto?.(`s${i}`, a, `f${i}`, way)).toBe('here');
        expect(await made.file.stat()).toEqual(await a.lstat(`f${i}`));
        await made.file.close();
      }),
    );
    expect(fs.readdirSync(path.join(base, 'tmp'))).toEqual([]);
    for (let i = 0; i < 500; i++) {
      expect(fs.readFileSync(path.join(base, 'a', `f${i}`), 'utf8')).toBe(textOf(i));
      expect(Math.round(fs.statSync(path.join(base, 'a', `f${i}`)).mtimeMs)).toBe(MODIFIED_MS);
    }
    await a.close();
  });

  it('sets the rights that are asked for', async () => {
    const made = await make('x', 'x', { mode: 0o600 });
    expect([made?.stat.mode, made?.stat.links, made?.stat.type]).toEqual([0o600, 1, 'file']);
    await made?.file.close();
  });

  it('replaces nothing, and tells why as a call of Node.js does', async () => {
    fs.writeFileSync(path.join(base, 'tmp', 'x'), 'mine');
    await expect(make('x', 'theirs')).rejects.toMatchObject({ code: 'EEXIST', syscall: 'open' });
    fs.symlinkSync(path.join(base, 'a', 'planted'), path.join(base, 'tmp', 'y'));
    await expect(make('y', 'theirs')).rejects.toMatchObject({ code: 'EEXIST' });
    expect(fs.readFileSync(path.join(base, 'tmp', 'x'), 'utf8')).toBe('mine');
    expect(fs.readdirSync(path.join(base, 'a'))).toEqual([]);
  });

  it.each<[string, () => void, string]>([
    ['something stands there', () => fs.writeFileSync(path.join(base, 'a', 'f'), 'mine'), 'taken'],
    [
      'its directory was moved away',
      () => {
        fs.renameSync(path.join(base, 'a'), path.join(base, 'b'));
        fs.mkdirSync(path.join(base, 'a'));
      },
      'elsewhere',
    ],
    [
      'a link leads to its directory',
      () => {
        fs.renameSync(path.join(base, 'a'), path.join(base, 'b'));
        fs.symlinkSync('b', path.join(base, 'a'));
      },
      'elsewhere',
    ],
    [
      'another folder stands in the place of the root',
      () => {
        fs.renameSync(base, `${base}-moved`);
        fs.mkdirSync(base);
      },
      'elsewhere',
    ],
  ])('gives no place where %s', async (_, act, expected) => {
    const a = await root.openDirectory('a');
    const way = await wayTo(root, 'a', a);
    const made = await make('x', 'theirs');
    act();
    expect(await tmp.moveInto?.('x', a, 'f', way)).toBe(expected);
    expect((await tmp.lstat('x'))?.links).toBe(1);
    await made?.file.close();
    await a.close();
    fs.rmSync(`${base}-moved`, { recursive: true, force: true });
  });

  it('lets others be fetched only as long as little waits for the disk', async () => {
    let taken = 0;
    const bytes = new Uint8Array(100_000);
    const all = Array.from({ length: 30 }, (_, i) => make(`s${i}`, '', { bytes, onTaken: () => taken++ }));
    expect(taken).toBe(10);
    for (const made of await Promise.all(all)) await made?.file.close();
    await make('last', '', { bytes, onTaken: () => taken++ });
    expect(taken).toBe(11);
  });

  it.each([
    [Infinity, 128],
    [1024, 128],
    [200, 44],
    [100, 0],
  ])('where %d files may be open, has %d wait while others are fetched, however small', async (limit, expected) => {
    newFiles = new NewFiles(startThread, 1, () => limit);
    disk = createNodeFileSystem(newFiles);
    const top = await disk.openRoot(base);
    const folder = await top.openDirectory('tmp');
    let taken = 0;
    const content = { bytes: new Uint8Array(0), modifiedMs: MODIFIED_MS, mode: undefined, onTaken: () => taken++ };
    const all = Array.from({ length: 300 }, async (_, i) => await folder.makeFile?.(`s${i}`, content));
    expect(taken).toBe(expected);
    for (const made of await Promise.all(all)) await made?.file.close();
    await folder.close();
    await top.close();
  });

  it('knows how many files may be open', async () => {
    const limit = Number(/^Max open files +(\d+)/m.exec(fs.readFileSync('/proc/self/limits', 'latin1'))?.[1]);
    let taken = 0;
    const bytes = new Uint8Array(0);
    const all = Array.from({ length: 300 }, (_, i) => make(`s${i}`, '', { bytes, onTaken: () => taken++ }));
    expect(taken).toBe(Math.min(128, Math.floor((limit - 112) / 2)));
    for (const made of await Promise.all(all)) await made?.file.close();
  });

  it('keeps what was made open when the thread has ended, and says that it has', async () => {
    const made = await make('x', 'content');
    await threads[0]?.stop();
    await threads[0]?.ended;
    expect(tmp.makesMany).toBe(false);
    const bytes = new Uint8Array(7);
    expect(await made?.file.read(bytes, 0)).toBe(7);
    expect(new TextDecoder().decode(bytes)).toBe('content');
    const way = await wayTo(root, 'tmp', tmp);
    expect(await tmp.moveInto?.('x', root, 'f', way)).toBeUndefined();
    expect(fs.existsSync(path.join(base, 'f'))).toBe(false);
    await made?.file.close();
  });

  it('answers nothing of what it was asked when it ends, and another one is started for what comes then', async () => {
    const making = Array.from({ length: 50 }, (_, i) => make(`s${i}`, textOf(i)));
    await threads[0]?.stop();
    const made = await Promise.all(making);
    expect(made.length).toBe(50);
    expect(made.at(-1)).toBeUndefined();
    for (const each of made) await each?.file.close();
    const next = await make('next', 'next');
    expect(next?.stat.sizeBytes).toBe(4);
    expect(threads).toHaveLength(2);
    await next?.file.close();
  });
});

it('starts no thread before it is worth it, and none where none can be', async () => {
  let asked = 0;
  const few = new NewFiles(() => {
    asked++;
    return undefined;
  }, 3);
  const content = { bytes: new Uint8Array(1), modifiedMs: undefined, mode: undefined };
  for (const expected of [0, 0, 1, 1, 1, 2]) {
    expect(await few.make('/nowhere', content)).toBeUndefined();
    expect(asked).toBe(expected);
  }
  expect(few.isAtWork).toBe(false);
});
