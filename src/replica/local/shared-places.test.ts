import { beforeEach, describe, expect, it, vi } from 'vitest';
import { OLD_MS, testRuntime } from '../../../test/local/local-world.js';
import type { FileEntry } from '../../core/entry.js';
import { HaltError, PathError, StaleError } from '../../errors.js';
import { SimulatedFileSystem } from '../../testing/fs/simulated-file-system.js';
import type { FileStat } from './file-system.js';
import { Folder } from './folder.js';
import { createLocalReplica, type LocalReplica } from './local-replica.js';
import type { SharedPlace } from './shared-place.js';
import { SharedPlaces } from './shared-places.js';

let disk: SimulatedFileSystem;
let folder: Folder;
let places: SharedPlaces;
/** Everything that was asked of the disk. */
let trace: string[];
beforeEach(() => {
  trace = [];
  disk = new SimulatedFileSystem();
  for (const path of ['a/b/one', 'a/b/two', 'top']) disk.user.writeFile(path, path, { modifiedMs: OLD_MS });
  disk.step = (operation) => void trace.push(operation.replaceAll('/folder', '~'));
  folder = new Folder(disk.root, 'linux', disk);
  places = new SharedPlaces(folder);
});

const taken = async (path: string): Promise<SharedPlace> => {
  const place = await places.take(path);
  if (place === undefined) throw new Error(`no place for ${path}`);
  return place;
};

describe('SharedPlaces', () => {
  it('opens a directory and all above it once for those who read in it at the same time', async () => {
    const both = await Promise.all([taken('a/b/one'), taken('a/b/two')]);
    expect(trace).toEqual([
      'openRoot ~',
      'stat ~',
      'stat ~',
      'openDirectory ~/a',
      'stat ~/a',
      'openDirectory ~/a/b',
      'stat ~/a/b',
    ]);
    expect(both.map(({ name }) => name)).toEqual(['one', 'two']);
    expect(both[0].parent).toBe(both[1].parent);
    await both[0].release();
    expect(disk.openHandles).toBe(3);
    await both[1].release();
    expect(disk.openHandles).toBe(0);
  });

  it('looks whether the path still leads there without opening anything', async () => {
    const place = await taken('a/b/one');
    trace.length = 0;
    expect(folder.announceFile()).toBe(false);
    expect((await place.lookAgain())?.inode).toBe(BigInt(disk.user.find('a/b/one')?.number ?? 0));
    expect(trace).toEqual(['statRoot ~', 'lstat ~/a', 'lstat ~/a/b', 'lstat ~/a/b/one']);
    disk.user.remove('a/b/one');
    expect(await place.lookAgain()).toBeNull();
    await place.release();
  });

  it('has a place for what stands in the folder itself', async () => {
    const place = await taken('top');
    trace.length = 0;
    expect((await place.lookAgain())?.type).toBe('file');
    expect(trace).toEqual(['statRoot ~', 'lstat ~/top']);
    await place.release();
  });

  it.each<[string, () => void]>([
    ['was moved away', () => disk.user.rename('a/b', 'c')],
    [
      'is another one',
      () => {
        disk.user.rename('a', 'c');
        disk.user.makeDirectory('a/b');
        disk.user.rename('c/b/one', 'a/b/one');
      },
    ],
    [
      'is reached through a link',
      () => {
        disk.user.rename('a', 'c');
        disk.user.symlink('c', 'a');
      },
    ],
    [
      'is a file',
      () => {
        disk.user.remove('a/b');
        disk.user.writeFile('a/b', 'x');
      },
    ],
  ])('cannot tell when a directory on the way %s', async (_, change) => {
    const place = await taken('a/b/one');
    change();
    expect(await place.lookAgain()).toBeUndefined();
    await place.release();
    expect(disk.openHandles).toBe(0);
  });

  it.each<[string, string, () => void]>([
    ['is gone', 'ERR_FOLDER_MISSING', () => disk.user.rename('/folder', '/elsewhere')],
    [
      'is another one',
      'ERR_FOLDER_REPLACED',
      () => {
        disk.user.rename('/folder', '/elsewhere');
        disk.user.makeDirectory('/folder');
      },
    ],
  ])('halts when the folder itself %s', async (_, code, change) => {
    const place = await taken('a/b/one');
    change();
    const error: unknown = await place.lookAgain().catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(HaltError);
    expect(error).toMatchObject({ code });
    await place.release();
  });

  it('leaves the look to a walk where names are compared with those on the disk', async () => {
    folder.checksNames = true;
    const place = await taken('a/b/one');
    expect(await place.lookAgain()).toBeUndefined();
    await place.release();
  });

  describe('where another thread makes many files', () => {
    beforeEach(() => {
      disk = new SimulatedFileSystem({ makesMany: true });
      for (const path of ['a/b/one', 'staged/other']) disk.user.writeFile(path, path, { modifiedMs: OLD_MS });
      folder = new Folder(disk.root, 'linux', disk);
      places = new SharedPlaces(folder);
    });

    const NEW = { bytes: new TextEncoder().encode('new'), modifiedMs: OLD_MS };

    it.each([
      ['a/b/new', true, 'new'],
      ['new', true, 'new'],
      ['a/b/one', false, 'a/b/one'],
    ])('makes a file at %s as long as the path leads there and is free: %s', async (path, isPlaced, content) => {
      const [place, staged] = [await taken(path), await taken('staged/other')];
      expect(folder.announceFile()).toBe(true);
      const stat = await place.placeFile(staged.parent, 'x', NEW);
      expect(stat).toEqual(isPlaced ? await place.lookAgain() : undefined);
      expect(disk.user.readText(path)).toBe(content);
      expect(disk.user.find('staged/x')).toBeUndefined();
      for (const each of [place, staged]) await each.release();
      expect(disk.openHandles).toBe(0);
    });

    it.each<[string, () => void]>([
      ['its directory was moved away', () => disk.user.rename('a/b', 'c')],
      ['a directory above it was moved away', () => disk.user.rename('a', 'c')],
      [
        'another folder stands there',
        () => {
          disk.user.rename('/folder', '/elsewhere');
          disk.user.writeFile('a/b/one', 'another');
        },
      ],
    ])('places nothing when %s', async (_, change) => {
      const [place, staged] = [await taken('a/b/new'), await taken('staged/other')];
      change();
      expect(await place.placeFile(staged.parent, 'x', NEW)).toBeUndefined();
      expect(await staged.parent.lstat('x')).toBeNull();
      for (const each of [place, staged]) await each.release();
      expect(disk.openHandles).toBe(0);
    });

    it('takes none where names are compared with those on the disk', async () => {
      folder.checksNames = true;
      const place = await taken('a/b/new');
      expect(folder.announceFile()).toBe(false);
      await place.release();
    });

    it('takes none on a disk without hard links', async () => {
      folder.hasHardLinks = false;
      const place = await taken('a/b/new');
      expect(folder.announceFile()).toBe(false);
      await place.release();
    });
  });

  it('opens everything anew for the next after it was told to forget', async () => {
    const first = await taken('a/b/one');
    first.forget();
    const second = await taken('a/b/one');
    expect(second.parent).not.toBe(first.parent);
    // The one that was forgotten says nothing about the one that took its place.
    first.forget();
    const third = await taken('a/b/two');
    expect(third.parent).toBe(second.parent);
    for (const place of [first, second, third]) await place.release();
    expect(disk.openHandles).toBe(0);
  });

  it('keeps nothing open, and nothing in mind, of what could not be opened', async () => {
    disk.fault = (operation) => (operation === 'openDirectory /folder/a/b' ? 'EIO' : undefined);
    await expect(Promise.all([taken('a/b/one'), taken('a/b/two')])).rejects.toMatchObject({ code: 'EIO' });
    expect(disk.openHandles).toBe(0);
    disk.fault = (operation) => (operation === 'stat /folder/a/b' ? 'EIO' : undefined);
    await expect(taken('a/b/one')).rejects.toMatchObject({ code: 'EIO' });
    expect(disk.openHandles).toBe(0);
    disk.fault = () => undefined;
    await (await taken('a/b/one')).release();
  });

  it.each(['a', 'a/b'])('says which directory on the way is a link: %s', async (link) => {
    disk.user.rename(link, 'c');
    disk.user.symlink('c', link);
    await expect(places.take('a/b/one')).rejects.toMatchObject({ code: 'ERR_SYMLINK_IN_PATH', data: { path: link } });
    expect(disk.openHandles).toBe(0);
  });

  it('makes a directory that is not there where it is wanted, once for all who come', async () => {
    const looking = places.take('a/x/y/one');
    const made = await Promise.all([
      places.take('a/x/y/two', { make: true }),
      places.take('a/x/y/three', { make: true }),
    ]);
    expect(await looking).toBeUndefined();
    expect(made.map((place) => place?.name)).toEqual(['two', 'three']);
    expect(made[0]?.parent).toBe(made[1]?.parent);
    expect(trace.filter((operation) => operation.startsWith('makeDirectory'))).toEqual([
      'makeDirectory ~/a/x',
      'makeDirectory ~/a/x/y',
    ]);
    const found = await taken('a/x/y/four');
    expect(found.parent).toBe(made[0]?.parent);
    for (const each of [...made, found]) await each?.release();
    expect(disk.openHandles).toBe(0);
    disk.user.writeFile('file', 'in the way');
    expect(await places.tryTake('file/one', { make: true })).toBeUndefined();
    expect(disk.openHandles).toBe(0);
  });

  it('has no place in a directory that is not there, and none for a path that must not be touched', async () => {
    expect(await places.take('a/x/one')).toBeUndefined();
    expect(disk.openHandles).toBe(0);
    expect(() => places.take('../one')).toThrow(PathError);
    expect(places.tryTake('../one')).toBeUndefined();
  });
});

describe('a file that is read', () => {
  let local: LocalReplica;
  const entryOf = async (path: string): Promise<FileEntry> => {
    const entry = await local.observe(path);
    if (entry?.kind !== 'file') throw new Error(`no file at ${path}`);
    return entry;
  };
  beforeEach(() => {
    const runtime = testRuntime({ nowMs: () => OLD_MS + 1e9 });
    local = createLocalReplica({ root: disk.root, fileSystem: disk, runtime, pathRules: 'linux', runId: 'r' });
  });

  it('is opened and looked at again in a few calls while others are read beside it', async () => {
    const [one, two] = [await entryOf('a/b/one'), await entryOf('a/b/two')];
    const other = await local.open(two);
    trace.length = 0;
    const source = await local.open(one);
    await source.verify();
    await source.close();
    await source.close();
    expect(trace).toEqual(['lstatByPath ~/a/b/one', 'openFile ~/a/b/one', 'stat ~/a/b/one', 'lstatByPath ~/a/b/one']);
    await other.close();
    expect(disk.openHandles).toBe(0);
  });

  it.each<[string, () => void]>([
    ['was edited', () => disk.user.writeFile('a/b/one', 'edited')],
    ['is gone', () => disk.user.remove('a/b/one')],
    ['is somewhere else', () => disk.user.rename('a', 'c')],
    [
      'is another one behind a link',
      () => {
        disk.user.rename('a', 'c');
        disk.user.symlink('c', 'a');
        disk.user.remove('c/b/one');
        disk.user.writeFile('c/b/one', 'a/b/one', { modifiedMs: OLD_MS });
      },
    ],
  ])('is stale when it %s, before it is opened and after', async (_, change) => {
    const [one, two] = [await entryOf('a/b/one'), await entryOf('a/b/two')];
    const other = await local.open(two);
    const source = await local.open(one);
    change();
    const problem: unknown = await source.verify()?.catch((error: unknown) => error);
    // What stands behind a link is a problem of its own.
    expect(problem instanceof StaleError || (problem as PathError).code === 'ERR_SYMLINK_IN_PATH').toBe(true);
    await expect(local.open(one)).rejects.toThrow();
    await source.close();
    await other.close();
    expect(disk.openHandles).toBe(0);
  });

  it('is what it was when a link was put in its way after it was opened, and is not opened behind one', async () => {
    const one = await entryOf('a/b/one');
    const source = await local.open(one);
    disk.user.rename('a', 'c');
    disk.user.symlink('c', 'a');
    await source.verify();
    await source.close();
    await expect(local.open(one)).rejects.toMatchObject({ code: 'ERR_SYMLINK_IN_PATH', data: { path: 'a' } });
    expect(disk.openHandles).toBe(0);
  });

  it('is not recognised on another disk that was put in the place of the folder', async () => {
    const one = await entryOf('a/b/one');
    const source = await local.open(one);
    const copied = await disk.lstatByPath('/folder/a/b/one');
    vi.spyOn(disk, 'lstatByPath').mockResolvedValue({ ...(copied as FileStat), device: 2n });
    await source.verify();
    disk.user.rename('/folder', '/elsewhere');
    disk.user.makeDirectory('/folder');
    await expect(source.verify()).rejects.toMatchObject({ code: 'ERR_FOLDER_REPLACED' });
    await source.close();
    expect(disk.openHandles).toBe(0);
  });

  it('is not opened where something stands that could notice it', async () => {
    const one = await entryOf('a/b/one');
    disk.user.remove('a/b/one');
    disk.user.makeSpecial('a/b/one');
    trace.length = 0;
    await expect(local.open(one)).rejects.toBeInstanceOf(StaleError);
    expect(trace).not.toContain('openFile ~/a/b/one');
    expect(disk.openHandles).toBe(0);
  });

  it('is walked to where names are compared with those on the disk', async () => {
    const exact = createLocalReplica({
      root: disk.root,
      fileSystem: disk,
      runtime: testRuntime({ nowMs: () => OLD_MS + 1e9 }),
      pathRules: 'darwin',
      runId: 'r',
    });
    await exact.prepare({ readonly: true });
    const source = await exact.open(await entryOf('a/b/one'));
    trace.length = 0;
    await source.verify();
    expect(trace[0]).toBe('openRoot ~');
    expect(trace).not.toContain('lstatByPath ~/a/b/one');
    await source.close();
  });

  it('is found at its path though its directory was exchanged while others read in the one before', async () => {
    const [one, two] = [await entryOf('a/b/one'), await entryOf('a/b/two')];
    const other = await local.open(two);
    disk.user.rename('a/b', 'c');
    disk.user.makeDirectory('a/b');
    disk.user.rename('c/one', 'a/b/one');
    // A rename touches the ctime: it is observed anew, as the next round does.
    const source = await local.open(await entryOf('a/b/one'));
    await source.verify();
    await source.close();
    await expect(other.verify()).rejects.toBeInstanceOf(StaleError);
    await other.close();
    expect(one.path).toBe('a/b/one');
    expect(disk.openHandles).toBe(0);
  });

  it.each([
    ['lstatByPath', 1],
    ['openFile', 1],
    ['stat', 1],
    ['lstatByPath', 2],
  ])('is read all the same when %s fails (call %i), and nothing is left open', async (failing, nth) => {
    const one = await entryOf('a/b/one');
    let calls = 0;
    disk.fault = (operation) => (operation === `${failing} /folder/a/b/one` && ++calls === nth ? 'EIO' : undefined);
    const source = await local.open(one);
    await source.verify();
    await source.close();
    expect(calls).toBeGreaterThanOrEqual(nth);
    expect(disk.openHandles).toBe(0);
  });
});
