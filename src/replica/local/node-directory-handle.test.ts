import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { DirectoryHandle, FileSystem } from './file-system.js';
import { createNodeFileSystem, hasProcDescriptors } from './node-file-system.js';
import { createPortableFileSystem } from './portable-file-system.js';

let base = '';
beforeEach(() => {
  base = fs.mkdtempSync(path.join(os.tmpdir(), 'filecloudsync-'));
  fs.mkdirSync(path.join(base, 'outside'));
  fs.writeFileSync(path.join(base, 'outside/secret'), 'not ours');
  fs.mkdirSync(path.join(base, 'root'));
  fs.symlinkSync(path.join(base, 'outside'), path.join(base, 'root/directory'));
  fs.symlinkSync(path.join(base, 'outside/secret'), path.join(base, 'root/file'));
});
afterEach(() => fs.rmSync(base, { recursive: true, force: true }));

const SYSTEMS: readonly (readonly [string, () => FileSystem])[] = [
  ...(hasProcDescriptors() ? [['descriptors', createNodeFileSystem] as const] : []),
  ['paths', createPortableFileSystem],
];

describe.skipIf(process.platform === 'win32').each(SYSTEMS)('a directory held by %s', (_, create) => {
  const within = async (work: (root: DirectoryHandle) => Promise<unknown>): Promise<void> => {
    const root = await create().openRoot(path.join(base, 'root'));
    try {
      await work(root);
    } finally {
      await root.close();
    }
  };

  it('opens no directory through a link', () =>
    within((root) => expect(root.openDirectory('directory')).rejects.toThrow(/ELOOP|ENOTDIR/)));

  it.each(['openFile', 'reopenFile'] as const)('opens no file through a link (%s)', (open) =>
    within((root) => expect((async () => root[open]('file'))()).rejects.toThrow('ELOOP')),
  );

  it('looks by path through the links on the way, and at one that stands there', async () => {
    const look = (name: string) => create().lstatByPath(path.join(base, name));
    const inode = fs.statSync(path.join(base, 'outside/secret'), { bigint: true }).ino;
    expect(await look('outside/secret')).toMatchObject({ type: 'file', inode });
    expect(await look('root/directory/secret')).toMatchObject({ type: 'file', inode });
    expect(await look('root/file')).toMatchObject({ type: 'symlink' });
    expect(await look('root/absent')).toBeNull();
  });

  it('creates no file through a link', async () => {
    fs.symlinkSync(path.join(base, 'outside/new'), path.join(base, 'root/new'));
    await within((root) => expect(root.createFile('new')).rejects.toThrow('EEXIST'));
    expect(fs.readdirSync(path.join(base, 'outside'))).toEqual(['secret']);
  });
});
