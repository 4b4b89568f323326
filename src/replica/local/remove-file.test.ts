import { describe, expect, it } from 'vitest';
import { expecting, observeFile } from '../../../test/local/local-world.js';
import { tracedWorld, type TracedWorld } from '../../../test/local/traced-world.js';

const LAST_MOMENT = 'rename a/b/f';

async function worldWith(...paths: readonly string[]): Promise<TracedWorld> {
  const traced = await tracedWorld();
  for (const path of paths) traced.world.write(path, path);
  return traced;
}

/** Removes `a/b/f` as it stands now. */
async function remove(traced: TracedWorld, options = {}): ReturnType<TracedWorld['replica']['remove']> {
  const entry = await observeFile(traced.replica, 'a/b/f');
  traced.trace.length = 0;
  return await traced.replica.remove('a/b/f', expecting(entry), options);
}

describe('removeFile', () => {
  it('has the description in the trash before the file enters, and its going on the disk before the folders go', async () => {
    const traced = await worldWith('a/b/f');
    expect(await remove(traced)).toEqual({ outcome: 'done' });
    const { trace } = traced;
    expect(traced.changes()).toEqual([
      'makeDirectory trash/ITEM',
      'createFile trash/ITEM/item.json',
      'write trash/ITEM/item.json',
      'sync trash/ITEM/item.json',
      'sync trash/ITEM',
      'sync trash',
      'rename a/b/f',
      'sync a/b',
      'removeDirectory a/b',
      'removeDirectory a',
    ]);
    expect(trace.indexOf('lstat a/b/f')).toBeLessThan(trace.indexOf('makeDirectory trash/ITEM'));
    expect(traced.world.openHandles()).toBe(0);
  });

  it('notes why, which is that it was deleted unless it is said otherwise', async () => {
    const traced = await worldWith('a/b/f');
    await remove(traced);
    traced.world.write('a/b/f', 'again');
    await remove(traced, { reason: 'resolved' });
    expect((await traced.replica.trash.list()).map(({ path, reason }) => [path, reason])).toEqual([
      ['a/b/f', 'deleted'],
      ['a/b/f', 'resolved'],
    ]);
  });

  it('says when the folder is gone', async () => {
    const traced = await worldWith('a/b/f');
    const entry = await observeFile(traced.replica, 'a/b/f');
    traced.world.remove('a');
    expect(await traced.replica.remove('a/b/f', expecting(entry))).toEqual({
      outcome: 'stale',
      message: '"a/b/f" is gone.',
    });
  });

  it('says what it found instead, and touches nothing', async () => {
    const traced = await worldWith('a/b/f');
    const entry = await observeFile(traced.replica, 'a/b/f');
    traced.world.write('a/b/f', 'edited');
    traced.trace.length = 0;
    expect(await traced.replica.remove('a/b/f', expecting(entry))).toEqual({
      outcome: 'stale',
      message: '"a/b/f" was changed.',
    });
    expect(traced.changes()).toEqual([]);
    expect(traced.world.openHandles()).toBe(0);
  });

  it('gives the file its place back when it is edited in the very last moment', async () => {
    const traced = await worldWith('a/b/f');
    traced.before(LAST_MOMENT, () => traced.world.write('a/b/f', 'edited'));
    expect(await remove(traced)).toEqual({ outcome: 'stale', message: '"a/b/f" was changed at the last moment.' });
    expect(traced.world.tree()).toMatchObject({ 'a/b/f': 'edited' });
    expect(await traced.replica.trash.list()).toEqual([]);
    expect(traced.world.openHandles()).toBe(0);
  });

  it('says which path the disk failed at, and leaves nothing open', async () => {
    const traced = await worldWith('a/b/f');
    traced.before('sync a/b', 'EIO');
    await expect(remove(traced)).rejects.toMatchObject({
      code: 'ERR_DISK_IO',
      message: expect.stringMatching(/^Could not remove "a\/b\/f": /),
    });
    expect(traced.world.openHandles()).toBe(0);
    // The version is in the trash: nothing is lost.
    expect(await traced.replica.trash.list()).toMatchObject([{ path: 'a/b/f' }]);
  });

  describe('the folders above', () => {
    it('go as long as they are empty, and the root never', async () => {
      const traced = await worldWith('a/b/f');
      await remove(traced);
      expect(traced.world.tree()).toEqual({});
      expect(traced.trace.filter((operation) => operation.startsWith('removeDirectory'))).toEqual([
        'removeDirectory a/b',
        'removeDirectory a',
      ]);
    });

    it('stay from the first on that holds something', async () => {
      const traced = await worldWith('a/b/f', 'a/x');
      await remove(traced);
      expect(traced.world.tree()).toEqual({ 'a/': 'directory', 'a/x': 'a/x' });
      const other = await worldWith('a/b/f', 'a/b/x');
      await remove(other);
      expect(other.trace.filter((operation) => operation.startsWith('removeDirectory'))).toEqual([
        'removeDirectory a/b',
      ]);
      expect(other.world.openHandles()).toBe(0);
    });

    it('are passed over when somebody else has removed them, up to the next', async () => {
      const traced = await worldWith('a/b/f');
      traced.before('removeDirectory a/b', () => traced.world.remove('a/b'));
      expect(await remove(traced)).toEqual({ outcome: 'done' });
      expect(traced.world.tree()).toEqual({});
      const whole = await worldWith('x/a/b/f');
      const entry = await observeFile(whole.replica, 'x/a/b/f');
      whole.before('removeDirectory x/a/b', () => whole.world.remove('x/a'));
      expect(await whole.replica.remove('x/a/b/f', expecting(entry))).toEqual({ outcome: 'done' });
      expect(whole.world.tree()).toEqual({});
      expect(whole.world.openHandles()).toBe(0);
    });

    it('are of no account when they cannot be removed: the file is removed all the same', async () => {
      const traced = await worldWith('a/b/f');
      traced.before('removeDirectory a/b', 'EACCES');
      expect(await remove(traced)).toEqual({ outcome: 'done' });
      expect(traced.world.tree()).toEqual({ 'a/': 'directory', 'a/b/': 'directory' });
      expect(traced.world.openHandles()).toBe(0);
    });

    it('are not removed through a link that took the place of one of them', async () => {
      const traced = await worldWith('a/b/f');
      traced.before('sync a/b', () => {
        traced.world.rename('a', 'moved');
        traced.world.symlink('/outside', 'a');
      });
      expect(await remove(traced)).toEqual({ outcome: 'done' });
      expect(traced.world.tree()).toEqual({ a: '-> /outside', 'moved/': 'directory', 'moved/b/': 'directory' });
    });
  });

  it('needs no folder above', async () => {
    const traced = await tracedWorld();
    traced.world.write('f', 'x');
    const entry = await observeFile(traced.replica, 'f');
    traced.trace.length = 0;
    expect(await traced.replica.remove('f', expecting(entry))).toEqual({ outcome: 'done' });
    expect(traced.trace.filter((operation) => operation.startsWith('removeDirectory'))).toEqual([]);
  });
});
