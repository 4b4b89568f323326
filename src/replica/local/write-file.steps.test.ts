import { describe, expect, it } from 'vitest';
import { expecting, observeFile, sourceOf } from '../../../test/local/local-world.js';
import { tracedWorld, type TracedWorld } from '../../../test/local/traced-world.js';

/** Writes `a/f`: where nothing stands, or in the place of what stands there now. */
async function write(traced: TracedWorld, source = sourceOf('new'), options = {}) {
  const entry = traced.world.read('a/f') === undefined ? null : await observeFile(traced.replica, 'a/f');
  traced.trace.length = 0;
  return await traced.replica.write('a/f', source, entry === null ? null : expecting(entry), options);
}

const trashed = async ({ replica }: TracedWorld): Promise<string[]> =>
  (await replica.trash.list()).map(({ path, reason }) => `${path} ${reason}`);

describe('writeFile, step by step', () => {
  it('puts a new file into place whole and durable: content, then name, then the directory, then the staged name goes', async () => {
    const traced = await tracedWorld();
    await write(traced);
    expect([...new Set(traced.changes())]).toEqual([
      'createFile tmp/STAGED',
      'write tmp/STAGED',
      'setModified tmp/STAGED',
      'sync tmp/STAGED',
      'makeDirectory a',
      'sync ',
      'link tmp/STAGED',
      'sync a',
      'unlink tmp/STAGED',
    ]);
    expect(traced.world.openHandles()).toBe(0);
  });

  it('takes the same steps where another thread makes many files', async () => {
    const traced = await tracedWorld({ makesMany: true });
    traced.world.write('a/other', 'other');
    await write(traced);
    expect([...new Set(traced.changes())]).toEqual([
      'createFile tmp/STAGED',
      'write tmp/STAGED',
      'setModified tmp/STAGED',
      'sync tmp/STAGED',
      'link tmp/STAGED',
      'sync a',
      'unlink tmp/STAGED',
    ]);
    // Looked at when it gets its place, not before: the link fails where something stands.
    expect(traced.trace).not.toContain('lstat a/f');
    expect(traced.world.staged()).toEqual([]);
    expect(traced.world.openHandles()).toBe(0);
  });

  it('has the old version in the trash, explained, before its name is taken', async () => {
    const traced = await tracedWorld();
    traced.world.write('a/f', 'old');
    expect(await write(traced)).toMatchObject({ outcome: 'done' });
    expect([...new Set(traced.changes())]).toEqual([
      'createFile tmp/STAGED',
      'write tmp/STAGED',
      'setModified tmp/STAGED',
      'setMode tmp/STAGED',
      'sync tmp/STAGED',
      'makeDirectory trash/ITEM',
      'createFile trash/ITEM/item.json',
      'write trash/ITEM/item.json',
      'sync trash/ITEM/item.json',
      'sync trash/ITEM',
      'sync trash',
      'rename a/f',
      'link tmp/STAGED',
      'sync a',
      'unlink tmp/STAGED',
    ]);
    expect(await trashed(traced)).toEqual(['a/f replaced']);
    expect(traced.world.openHandles()).toBe(0);
  });

  it('notes why the old version went', async () => {
    const traced = await tracedWorld();
    traced.world.write('a/f', 'old');
    await write(traced, sourceOf('new'), { reason: 'lost-conflict' });
    expect(await trashed(traced)).toEqual(['a/f lost-conflict']);
  });

  it('keeps the rights of the old version, its permission bits and no more', async () => {
    const traced = await tracedWorld();
    traced.world.write('a/f', 'old');
    const inode = traced.world.disk.user.find('a/f');
    if (inode === undefined) throw new Error('the file is there');
    inode.mode = 0o4640;
    await write(traced);
    expect(traced.world.disk.user.modeOf('a/f')).toBe(0o640);
  });

  it('takes the place of a folder that holds nothing but empty folders', async () => {
    const traced = await tracedWorld();
    traced.world.makeDirectory('a/f/empty');
    expect(await traced.replica.write('a/f', sourceOf('new'), null)).toMatchObject({ outcome: 'done' });
    expect(traced.world.read('a/f')).toBe('new');
    expect(traced.world.disk.user.modeOf('a/f')).toBe(0o644);
  });

  it('fetches nothing when the place is not as expected', async () => {
    const traced = await tracedWorld();
    traced.world.write('a/f', 'old');
    const source = sourceOf('new');
    expect(await traced.replica.write('a/f', source, null)).toEqual({
      outcome: 'stale',
      message: '"a/f" was expected to be free, but something stands there.',
    });
    expect(source.reads).toBe(0);
    expect(traced.world.openHandles()).toBe(0);
  });

  it('asks the source just before the file takes its place, and does not place what has become stale', async () => {
    const traced = await tracedWorld();
    const source = sourceOf('new', {
      onVerify: () => {
        expect(traced.trace).toContain('sync tmp/STAGED');
        expect(traced.trace).not.toContain('link tmp/STAGED');
        throw new Error('the object was changed');
      },
    });
    await expect(write(traced, source)).rejects.toThrow('the object was changed');
    expect(traced.world.tree()).toEqual({});
    expect(traced.world.staged()).toEqual([]);
    expect(traced.world.openHandles()).toBe(0);
  });

  it('places nothing once it was told to stop', async () => {
    const traced = await tracedWorld();
    const stop = new AbortController();
    const source = sourceOf('new', { onVerify: () => stop.abort() });
    await expect(write(traced, source, { signal: stop.signal })).rejects.toMatchObject({ name: 'AbortError' });
    expect(traced.world.tree()).toEqual({});
    expect(traced.world.staged()).toEqual([]);
    expect(traced.world.openHandles()).toBe(0);
  });

  it('replaces nothing that appears between the last look and the link', async () => {
    const traced = await tracedWorld();
    traced.before('link tmp/STAGED', () => traced.world.write('a/f', 'appeared'));
    expect(await write(traced)).toEqual({ outcome: 'stale', message: 'Something appeared at "a/f".' });
    expect(traced.world.read('a/f')).toBe('appeared');
    expect(traced.world.staged()).toEqual([]);
    expect(traced.world.openHandles()).toBe(0);
  });

  it('replaces nothing that appears after the old version went; that one stays in the trash', async () => {
    const traced = await tracedWorld();
    traced.world.write('a/f', 'old');
    traced.before('link tmp/STAGED', () => traced.world.write('a/f', 'appeared'));
    expect(await write(traced)).toEqual({
      outcome: 'stale',
      message: 'Something appeared at "a/f"; the version before it is in the trash.',
    });
    expect(traced.world.read('a/f')).toBe('appeared');
    expect(await trashed(traced)).toEqual(['a/f replaced']);
    expect(traced.changes()).toContain('sync a');
    expect(traced.world.openHandles()).toBe(0);
  });

  it('gives the old version its place back when the new one cannot be put there', async () => {
    const traced = await tracedWorld();
    traced.world.write('a/f', 'old');
    traced.before('link tmp/STAGED', 'EIO');
    await expect(write(traced)).rejects.toMatchObject({
      code: 'ERR_DISK_IO',
      message: expect.stringMatching(/^Could not write "a\/f": /),
    });
    expect(traced.world.read('a/f')).toBe('old');
    expect(await trashed(traced)).toEqual([]);
    expect(traced.world.staged()).toEqual([]);
    expect(traced.world.openHandles()).toBe(0);
  });

  it.each<[string, string | undefined, string]>([
    ['was edited', 'old', '"a/f" was changed.'],
    ['appeared', undefined, '"a/f" was expected to be free, but something stands there.'],
  ])('touches nothing when the file %s while the new version was fetched', async (_, old, message) => {
    const traced = await tracedWorld();
    if (old !== undefined) traced.world.write('a/f', old);
    const source = sourceOf('new', { onVerify: () => traced.world.write('a/f', 'theirs') });
    expect(await write(traced, source)).toEqual({ outcome: 'stale', message });
    expect(traced.world.read('a/f')).toBe('theirs');
    expect(traced.trace).not.toContain('link tmp/STAGED');
    expect(traced.trace).not.toContain('makeDirectory trash/ITEM');
    expect([traced.world.staged(), traced.world.openHandles()]).toEqual([[], 0]);
  });

  it('leaves the old version alone when it is edited in the last moment', async () => {
    const traced = await tracedWorld();
    traced.world.write('a/f', 'old');
    traced.before('rename a/f', () => traced.world.write('a/f', 'edited'));
    expect(await write(traced)).toEqual({ outcome: 'stale', message: '"a/f" was changed at the last moment.' });
    expect(traced.world.read('a/f')).toBe('edited');
    expect(await trashed(traced)).toEqual([]);
    expect(traced.world.openHandles()).toBe(0);
  });

  it('says when the folder of the file went while the new version was fetched', async () => {
    const traced = await tracedWorld();
    traced.world.write('a/f', 'old');
    const source = sourceOf('new', { onVerify: () => traced.world.remove('a') });
    expect(await write(traced, source)).toEqual({ outcome: 'stale', message: '"a/f" is gone.' });
    expect(traced.world.tree()).toEqual({});
    expect(traced.world.openHandles()).toBe(0);
  });

  describe('where the folder of a new file is removed under it', () => {
    it('makes the folder again', async () => {
      const traced = await tracedWorld();
      traced.before('link tmp/STAGED', () => traced.world.remove('a'));
      expect(await write(traced)).toMatchObject({ outcome: 'done' });
      expect(traced.world.read('a/f')).toBe('new');
      expect(traced.world.openHandles()).toBe(0);
    });

    it('gives up after five times', async () => {
      const traced = await tracedWorld();
      for (let nth = 1; nth <= 6; nth++) traced.before('link tmp/STAGED', () => traced.world.remove('a'), nth);
      await expect(write(traced)).rejects.toMatchObject({ code: 'ERR_DISK_FAILED', data: { errno: 'ENOENT' } });
      expect(traced.trace.filter((operation) => operation === 'link tmp/STAGED')).toHaveLength(5);
      expect(traced.world.tree()).toEqual({});
      expect(traced.world.openHandles()).toBe(0);
    });

    it('does not try again after another error', async () => {
      const traced = await tracedWorld();
      traced.before('link tmp/STAGED', 'EXDEV');
      await expect(write(traced)).rejects.toMatchObject({ code: 'ERR_OTHER_DISK' });
      expect(traced.trace.filter((operation) => operation === 'link tmp/STAGED')).toHaveLength(1);
    });

    it('does not make the folder of a file again that was to be replaced: somebody removed it', async () => {
      const traced = await tracedWorld();
      traced.world.write('a/f', 'old');
      traced.before('link tmp/STAGED', () => traced.world.remove('a'));
      await expect(write(traced)).rejects.toMatchObject({ data: { errno: 'ENOENT' } });
      expect(traced.world.tree()).toEqual({});
      expect(await trashed(traced)).toEqual(['a/f unexpected']);
      expect(traced.world.openHandles()).toBe(0);
    });
  });

  it('is done when the staged name cannot be taken away: the file is in its place', async () => {
    const traced = await tracedWorld();
    traced.before('unlink tmp/STAGED', 'EIO');
    expect(await write(traced)).toMatchObject({ outcome: 'done' });
    expect(traced.world.read('a/f')).toBe('new');
    expect(traced.world.openHandles()).toBe(0);
  });

  it('takes the staged name away once', async () => {
    const traced = await tracedWorld();
    await write(traced);
    expect(traced.trace.filter((operation) => operation === 'unlink tmp/STAGED')).toHaveLength(1);
  });

  it('is not done when it is stopped instead, by what is no failure of the disk', async () => {
    const traced = await tracedWorld();
    traced.before('unlink tmp/STAGED', () => {
      throw new Error('stopped');
    });
    await expect(write(traced)).rejects.toThrow('stopped');
    expect(traced.world.openHandles()).toBe(0);
  });

  it('opens the directory once for new files that come together', async () => {
    const traced = await tracedWorld();
    traced.world.write('a/old', 'x');
    const names = ['f', 'g', 'h'];
    await Promise.all(names.map((name) => traced.replica.write(`a/${name}`, sourceOf(name), null)));
    expect(names.map((name) => traced.world.read(`a/${name}`))).toEqual(names);
    expect(traced.trace.filter((operation) => operation === 'openDirectory a')).toHaveLength(1);
    expect(traced.world.openHandles()).toBe(0);
  });

  it.each<[string, (traced: TracedWorld) => void]>([
    ['there is none in its place', () => {}],
    ['another one is in its place', ({ world }) => world.makeDirectory('a')],
  ])('follows no directory that is moved away while it is held open, and %s', async (_, act) => {
    const traced = await tracedWorld();
    traced.world.write('a/old', 'x');
    traced.before('sync tmp/STAGED', () => {
      traced.world.rename('a', 'moved');
      act(traced);
    });
    expect(await write(traced)).toMatchObject({ outcome: 'done' });
    expect(traced.world.tree()).toMatchObject({ 'a/f': 'new', 'moved/old': 'x' });
    expect(traced.world.read('moved/f')).toBeUndefined();
    expect(traced.world.openHandles()).toBe(0);
  });

  it('follows no link in the place of a directory that is held open', async () => {
    const traced = await tracedWorld();
    traced.world.write('a/old', 'x');
    traced.before('sync tmp/STAGED', () => {
      traced.world.rename('a', 'moved');
      traced.world.symlink('moved', 'a');
    });
    await expect(write(traced)).rejects.toMatchObject({ code: 'ERR_SYMLINK_IN_PATH' });
    expect(traced.world.read('moved/f')).toBeUndefined();
    expect(traced.world.openHandles()).toBe(0);
  });

  it('makes a directory again that is removed while it is held open', async () => {
    const traced = await tracedWorld();
    traced.world.makeDirectory('a');
    traced.before('link tmp/STAGED', () => traced.world.remove('a'));
    expect(await write(traced)).toMatchObject({ outcome: 'done' });
    expect(traced.world.read('a/f')).toBe('new');
    expect(traced.world.openHandles()).toBe(0);
  });

  it('sees what appeared in a directory that is held open', async () => {
    const traced = await tracedWorld();
    traced.world.makeDirectory('a');
    traced.before('sync tmp/STAGED', () => traced.world.write('a/f', 'mine'));
    expect(await write(traced)).toMatchObject({ outcome: 'stale' });
    expect(traced.world.read('a/f')).toBe('mine');
    expect(traced.trace).not.toContain('link tmp/STAGED');
  });

  it('says which path could not be looked at, and leaves nothing open', async () => {
    const traced = await tracedWorld();
    traced.world.makeDirectory('a');
    traced.before('lstat a/f', 'EIO');
    await expect(write(traced)).rejects.toMatchObject({
      code: 'ERR_DISK_IO',
      message: expect.stringMatching(/^Could not look at "a\/f": /),
    });
    expect(traced.world.openHandles()).toBe(0);
  });

  describe('on a disk without hard links', () => {
    it('renames into a free place', async () => {
      const traced = await tracedWorld({ noHardLinks: true });
      expect(await write(traced)).toMatchObject({ outcome: 'done' });
      expect(traced.world.read('a/f')).toBe('new');
      expect(traced.world.staged()).toEqual([]);
    });

    it('replaces nothing that appears', async () => {
      const traced = await tracedWorld({ noHardLinks: true });
      traced.before('link tmp/STAGED', () => traced.world.write('a/f', 'appeared'));
      expect(await write(traced)).toEqual({ outcome: 'stale', message: 'Something appeared at "a/f".' });
      expect(traced.world.read('a/f')).toBe('appeared');
      expect(traced.world.staged()).toEqual([]);
    });
  });

  it('answers the file as it stands, which is what the next look finds', async () => {
    const traced = await tracedWorld();
    const result = await write(traced);
    expect(result).toMatchObject({ outcome: 'done', entry: await observeFile(traced.replica, 'a/f') });
  });
});
