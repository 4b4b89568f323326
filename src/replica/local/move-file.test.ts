import { describe, expect, it } from 'vitest';
import { expecting, observeFile } from '../../../test/local/local-world.js';
import { tracedWorld, type TracedWorld } from '../../../test/local/traced-world.js';

async function worldWith(
  options: Parameters<typeof tracedWorld>[0],
  ...paths: readonly string[]
): Promise<TracedWorld> {
  const traced = await tracedWorld(options);
  for (const path of paths) traced.world.write(path, 'mine');
  return traced;
}

/** Moves `a/f` as it stands now to `b/g`. */
async function move(traced: TracedWorld, options = {}): ReturnType<TracedWorld['replica']['move']> {
  const entry = await observeFile(traced.replica, 'a/f');
  traced.trace.length = 0;
  return await traced.replica.move('a/f', 'b/g', expecting(entry), options);
}

const files = (traced: TracedWorld): Record<string, string> =>
  Object.fromEntries(Object.entries(traced.world.tree()).filter(([path]) => !path.endsWith('/')));

describe('moveFile', () => {
  describe('on a disk with hard links', () => {
    it('has the new name on the disk before the old one goes, and both before the version leaves the trash', async () => {
      const traced = await worldWith({}, 'a/f');
      const result = await move(traced);
      expect(result).toEqual({ outcome: 'done', entry: await observeFile(traced.replica, 'b/g') });
      expect(traced.changes()).toEqual([
        'makeDirectory b',
        'sync ',
        'link a/f',
        'sync b',
        'makeDirectory trash/ITEM',
        'createFile trash/ITEM/item.json',
        'write trash/ITEM/item.json',
        'sync trash/ITEM/item.json',
        'sync trash/ITEM',
        'sync trash',
        'rename a/f',
        'sync a',
        'unlink trash/ITEM/content',
        'unlink trash/ITEM/item.json',
        'removeDirectory trash/ITEM',
        'removeDirectory a',
      ]);
      expect(traced.world.tree()).toEqual({ 'b/': 'directory', 'b/g': 'mine' });
      expect(traced.world.openHandles()).toBe(0);
    });

    it('takes the new name that a move before it made, when that was cut off', async () => {
      const traced = await worldWith({}, 'a/f');
      traced.before('makeDirectory trash/ITEM', 'EIO');
      await expect(move(traced)).rejects.toMatchObject({ code: 'ERR_DISK_IO' });
      expect(files(traced)).toEqual({ 'a/f': 'mine', 'b/g': 'mine' });
      expect(await move(traced)).toMatchObject({ outcome: 'done' });
      expect(files(traced)).toEqual({ 'b/g': 'mine' });
      expect(await traced.replica.trash.list()).toEqual([]);
    });

    it('leaves the file where it is, and takes the new name away, when it is edited in the last moment', async () => {
      const traced = await worldWith({}, 'a/f');
      traced.before('rename a/f', () => {
        // A careful editor: the new name keeps the old version.
        traced.world.write('a/f.new', 'edited');
        traced.world.rename('a/f.new', 'a/f');
      });
      expect(await move(traced)).toEqual({ outcome: 'stale', message: '"a/f" was changed at the last moment.' });
      expect(files(traced)).toEqual({ 'a/f': 'edited' });
      // The version that stood there when the move began is kept.
      expect(await traced.replica.trash.list()).toMatchObject([{ path: 'b/g', reason: 'unexpected' }]);
      expect(traced.world.openHandles()).toBe(0);
    });

    it('keeps both names of a file that is edited in place in the last moment: nobody knows which of them was meant', async () => {
      const traced = await worldWith({}, 'a/f');
      traced.before('rename a/f', () => traced.world.write('a/f', 'edited'));
      expect(await move(traced)).toMatchObject({ outcome: 'stale' });
      expect(files(traced)).toEqual({ 'a/f': 'edited', 'b/g': 'edited' });
      expect(await traced.replica.trash.list()).toEqual([]);
    });

    it('keeps the version in the trash when the new name went meanwhile', async () => {
      const traced = await worldWith({}, 'a/f');
      traced.before('lstat b/g', () => traced.world.remove('b/g'));
      expect(await move(traced)).toEqual({ outcome: 'stale', message: '"b/g" was changed at the last moment.' });
      expect(files(traced)).toEqual({});
      expect(await traced.replica.trash.list()).toMatchObject([{ path: 'a/f', reason: 'replaced' }]);
      expect(traced.world.openHandles()).toBe(0);
    });

    it('keeps the version in the trash when another file has the new name by now', async () => {
      const traced = await worldWith({}, 'a/f');
      traced.before('lstat b/g', () => {
        traced.world.remove('b/g');
        traced.world.write('b/g', 'theirs');
      });
      expect(await move(traced, { reason: 'lost-conflict' })).toMatchObject({ outcome: 'stale' });
      expect(files(traced)).toEqual({ 'b/g': 'theirs' });
      expect(await traced.replica.trash.list()).toMatchObject([{ path: 'a/f', reason: 'lost-conflict' }]);
    });

    it('does not call it done when the file at the new name was exchanged right after', async () => {
      const traced = await worldWith({}, 'a/f');
      traced.before('lstat b/g', () => traced.world.write('b/g', 'edited there'), 2);
      expect(await move(traced)).toEqual({ outcome: 'stale', message: '"b/g" was changed at the last moment.' });
    });

    it('throws what else goes wrong with the new name, and the file has its old one', async () => {
      const traced = await worldWith({}, 'a/f');
      traced.before('link a/f', 'EIO');
      await expect(move(traced)).rejects.toMatchObject({
        code: 'ERR_DISK_IO',
        message: expect.stringMatching(/^Could not rename "a\/f": /),
      });
      expect(files(traced)).toEqual({ 'a/f': 'mine' });
      expect(traced.world.openHandles()).toBe(0);
    });

    it('leaves nothing open when the disk fails after the version is in the trash', async () => {
      const traced = await worldWith({}, 'a/f');
      traced.before('sync a', 'EIO');
      await expect(move(traced)).rejects.toMatchObject({ code: 'ERR_DISK_IO' });
      expect(files(traced)).toEqual({ 'b/g': 'mine' });
      expect(traced.world.openHandles()).toBe(0);
    });
  });

  describe('on a disk without hard links', () => {
    it('renames, and has both directories on the disk', async () => {
      const traced = await worldWith({ noHardLinks: true }, 'a/f', 'b/x');
      expect(await move(traced)).toEqual({ outcome: 'done', entry: await observeFile(traced.replica, 'b/g') });
      expect(traced.changes()).toEqual(['link a/f', 'rename a/f', 'sync b', 'sync a', 'removeDirectory a']);
      expect(await traced.replica.trash.list()).toEqual([]);
    });

    it('replaces nothing', async () => {
      const traced = await worldWith({ noHardLinks: true }, 'a/f');
      traced.world.write('b/g', 'theirs');
      expect(await move(traced)).toEqual({ outcome: 'stale', message: 'Something stands at "b/g".' });
      expect(files(traced)).toEqual({ 'a/f': 'mine', 'b/g': 'theirs' });
    });
  });

  it.each([
    ['another file', (traced: TracedWorld) => traced.world.write('b/g', 'theirs')],
    ['the same content in another file', (traced: TracedWorld) => traced.world.write('b/g', 'mine')],
    ['a link', (traced: TracedWorld) => traced.world.symlink('/outside/canary', 'b/g')],
  ])('never replaces %s', async (_, plant) => {
    const traced = await worldWith({}, 'a/f', 'b/x');
    plant(traced);
    const before = traced.world.tree();
    expect(await move(traced)).toEqual({ outcome: 'stale', message: 'Something stands at "b/g".' });
    expect(traced.world.tree()).toEqual(before);
    expect(traced.world.openHandles()).toBe(0);
  });

  it('leaves a folder that holds something else, and one from which nothing was moved', async () => {
    const shared = await worldWith({}, 'a/f', 'a/other');
    expect(await move(shared)).toMatchObject({ outcome: 'done' });
    expect(files(shared)).toEqual({ 'a/other': 'mine', 'b/g': 'mine' });
    const edited = await worldWith({}, 'a/f');
    edited.before('rename a/f', () => edited.world.rename('a/f', 'f'));
    expect(await move(edited)).toMatchObject({ outcome: 'stale' });
    expect(edited.world.tree()).toHaveProperty(['a/']);
  });

  it('is not disturbed by what stood at the new name and went again', async () => {
    const traced = await worldWith({}, 'a/f');
    traced.world.write('b/g', 'theirs');
    traced.before('lstat b/g', () => traced.world.remove('b/g'));
    expect(await move(traced)).toEqual({ outcome: 'stale', message: 'Something stands at "b/g".' });
    expect(files(traced)).toEqual({ 'a/f': 'mine' });
  });

  it('says when the folder of the file is gone', async () => {
    const traced = await worldWith({}, 'a/f');
    const entry = await observeFile(traced.replica, 'a/f');
    traced.world.remove('a');
    expect(await traced.replica.move('a/f', 'b/g', expecting(entry))).toEqual({
      outcome: 'stale',
      message: '"a/f" is gone.',
    });
    expect(traced.world.tree()).toEqual({});
  });

  it('says what it found instead, and makes no folder for it', async () => {
    const traced = await worldWith({}, 'a/f');
    const entry = await observeFile(traced.replica, 'a/f');
    traced.world.write('a/f', 'edited');
    traced.trace.length = 0;
    expect(await traced.replica.move('a/f', 'b/g', expecting(entry))).toEqual({
      outcome: 'stale',
      message: '"a/f" was changed.',
    });
    expect(traced.changes()).toEqual([]);
    expect(traced.world.openHandles()).toBe(0);
  });

  it('says which folder cannot be reached, and leaves nothing open', async () => {
    const traced = await worldWith({}, 'a/f');
    traced.world.symlink('/outside', 'b');
    await expect(move(traced)).rejects.toMatchObject({ code: 'ERR_SYMLINK_IN_PATH' });
    expect(traced.world.openHandles()).toBe(0);
  });
});
