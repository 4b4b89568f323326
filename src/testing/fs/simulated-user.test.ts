import { describe, expect, it } from 'vitest';
import { SimulatedFileSystem } from './simulated-file-system.js';

/** A disk on which the engine has moved `a/b` to `kept/b` and synced nothing. */
async function afterUnsyncedMove(): Promise<SimulatedFileSystem> {
  const disk = new SimulatedFileSystem();
  disk.user.writeFile('a/b', 'version');
  disk.user.makeDirectory('kept');
  const root = await disk.openRoot(disk.root);
  const [a, kept] = [await root.openDirectory('a'), await root.openDirectory('kept')];
  await a.rename('b', kept, 'b');
  for (const directory of [a, kept, root]) await directory.close();
  return disk;
}

describe('SimulatedUser', () => {
  it.each([
    ['to/file', undefined, 'file'],
    ['absolute/file', undefined, 'file'],
    ['to', 'symlink', 'symlink'],
    ['loop/file', undefined, undefined],
    ['to/file/below', undefined, undefined],
    ['to/absent', undefined, undefined],
    ['a/file', 'file', 'file'],
  ])('finds %s without links on the way: %s, and through them: %s', (path, plain, followed) => {
    const { user } = new SimulatedFileSystem();
    user.writeFile('a/file', 'x');
    user.symlink('a', 'to');
    user.symlink('/folder/a', 'absolute');
    user.symlink('loop', 'loop');
    expect(user.find(path)?.type).toBe(plain);
    expect(user.find(path, 40)?.type).toBe(followed);
  });

  it('removes a directory no more durably than what was moved out of it before', async () => {
    const disk = await afterUnsyncedMove();
    disk.user.remove('a');
    disk.crash({ keep: 'durable' });
    expect(disk.user.tree()).toEqual({ 'kept/': 'directory', 'kept/b': 'version' });
  });

  it('makes nothing of others durable by removing something beside it', async () => {
    const disk = await afterUnsyncedMove();
    disk.user.writeFile('c/d', 'other');
    disk.user.remove('c');
    disk.crash({ keep: 'durable' });
    expect(disk.user.tree()).toEqual({ 'a/': 'directory', 'a/b': 'version', 'kept/': 'directory' });
  });

  it('writes no more durably than the directories in which it writes, whoever made them', async () => {
    const disk = new SimulatedFileSystem();
    const root = await disk.openRoot(disk.root);
    await root.makeDirectory('a');
    await root.makeDirectory('b');
    await root.close();
    disk.user.writeFile('a/file', 'kept');
    disk.crash({ keep: 'durable' });
    expect(disk.user.tree()).toMatchObject({ 'a/': 'directory', 'a/file': 'kept' });
  });
});
