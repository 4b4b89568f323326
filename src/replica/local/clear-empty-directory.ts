import { decodeByteName } from './byte-name.js';
import type { DirectoryHandle } from './file-system.js';
import { errnoOf } from './file-system.js';
import type { Place } from './folder.js';

/**
 * Removes a directory in which there is nothing but empty directories, so that a file can take its place.
 * Directories are not synchronised by themselves: those that only hold each other hold nothing of anybody's.
 *
 * Answers whether it is gone. What is created in it meanwhile keeps it, since only empty directories can be removed.
 */
export async function clearEmptyDirectory({ parent, name }: Place): Promise<boolean> {
  try {
    if (!(await clearBelow(parent, name))) return false;
    await parent.removeDirectory(name);
    return true;
  } catch (error) {
    const errno = errnoOf(error);
    if (errno === undefined) throw error;
    return errno === 'ENOENT';
  }
}

async function clearBelow(parent: DirectoryHandle, name: string): Promise<boolean> {
  const directory = await parent.openDirectory(name);
  try {
    const items = await directory.list();
    if (items.some(({ type }) => type !== 'directory')) return false;
    for (const item of items) {
      const child = decodeByteName(item.name);
      if (child === undefined || !(await clearBelow(directory, child))) return false;
      await directory.removeDirectory(child);
    }
    return true;
  } finally {
    await directory.close();
  }
}
