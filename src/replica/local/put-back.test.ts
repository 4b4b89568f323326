import { beforeEach, describe, expect, it } from 'vitest';
import { SimulatedFileSystem } from '../../testing/fs/simulated-file-system.js';
import { errnoError } from '../../testing/fs/simulated-handles.js';
import type { DirectoryHandle } from './file-system.js';
import { isLinkUnsupported, putBack, renameIfFree } from './put-back.js';

describe('isLinkUnsupported', () => {
  it.each(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK'])('takes %s for a disk that cannot do it', (code) => {
    expect(isLinkUnsupported(errnoError(code, 'link'))).toBe(true);
  });

  it('takes no other error for that', () => {
    for (const code of ['EEXIST', 'ENOENT', 'EACCES', 'EIO', 'EXDEV', 'ERR_SOMETHING'])
      expect(isLinkUnsupported(errnoError(code, 'link')), code).toBe(false);
    expect(isLinkUnsupported(new Error('EPERM'))).toBe(false);
    expect(isLinkUnsupported(undefined)).toBe(false);
  });
});

describe.each([
  ['with hard links', false],
  ['without hard links', true],
])('on a disk %s', (_, noHardLinks) => {
  let disk: SimulatedFileSystem;
  let from: DirectoryHandle;
  let parent: DirectoryHandle;
  let trace: string[];
  beforeEach(async () => {
    disk = new SimulatedFileSystem({ noHardLinks });
    disk.user.writeFile('from/kept', 'mine');
    disk.user.makeDirectory('to');
    const root = await disk.openRoot('/folder');
    from = await root.openDirectory('from');
    parent = await root.openDirectory('to');
    trace = [];
    disk.step = (operation) => void trace.push(operation.replaceAll('/folder/', ''));
  });
  const place = () => ({ parent, name: 'f' });

  describe('putBack', () => {
    it('gives the file the free name, and takes the old one', async () => {
      expect(await putBack(from, 'kept', place())).toBe(true);
      expect(disk.user.tree()).toEqual({ 'from/': 'directory', 'to/': 'directory', 'to/f': 'mine' });
    });

    it.each([
      ['a file', () => disk.user.writeFile('to/f', 'theirs')],
      ['a link', () => disk.user.symlink('/elsewhere', 'to/f')],
      ['an empty folder', () => disk.user.makeDirectory('to/f')],
    ])('moves nothing where %s stands', async (_what, plant) => {
      plant();
      const before = disk.user.tree();
      expect(await putBack(from, 'kept', place())).toBe(false);
      expect(disk.user.tree()).toEqual(before);
    });

    it('moves nothing where the directory is gone', async () => {
      disk.user.remove('to');
      expect(await putBack(from, 'kept', place())).toBe(false);
      expect(disk.user.tree()).toEqual({ 'from/': 'directory', 'from/kept': 'mine' });
    });

    it('throws what else goes wrong, and the file has its old name', async () => {
      disk.failNth(1, 'EIO');
      await expect(putBack(from, 'kept', place())).rejects.toMatchObject({ code: 'EIO' });
      expect(disk.user.tree()).toHaveProperty(['from/kept'], 'mine');
      expect(disk.user.tree()).not.toHaveProperty(['to/f']);
    });
  });

  describe('renameIfFree', () => {
    it('renames to a free name', async () => {
      expect(await renameIfFree(from, 'kept', place())).toBe(true);
      expect(disk.user.tree()).toEqual({ 'from/': 'directory', 'to/': 'directory', 'to/f': 'mine' });
    });

    it('does not even try where something stands', async () => {
      disk.user.writeFile('to/f', 'theirs');
      expect(await renameIfFree(from, 'kept', place())).toBe(false);
      expect(trace).toEqual(['lstat to/f']);
    });

    it.each(['EEXIST', 'ENOTEMPTY', 'ENOTDIR', 'EISDIR', 'ENOENT'])(
      'takes %s for a place that was taken or lost since the look',
      async (code) => {
        disk.failNth(2, code);
        expect(await renameIfFree(from, 'kept', place())).toBe(false);
        expect(disk.user.tree()).toHaveProperty(['from/kept'], 'mine');
      },
    );

    it('throws what else goes wrong', async () => {
      disk.failNth(2, 'EXDEV');
      await expect(renameIfFree(from, 'kept', place())).rejects.toMatchObject({ code: 'EXDEV' });
      disk.failNth(1, 'EIO');
      await expect(renameIfFree(from, 'kept', place())).rejects.toMatchObject({ code: 'EIO' });
    });
  });

  it('has the new name on the disk before the old one goes, or makes one step of it', async () => {
    await putBack(from, 'kept', place());
    expect(trace).toEqual(
      noHardLinks
        ? ['link from/kept', 'lstat to/f', 'rename from/kept']
        : ['link from/kept', 'sync to', 'unlink from/kept'],
    );
  });
});
