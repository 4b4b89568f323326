import type { DirectoryHandle } from './file-system.js';
import { errnoOf } from './file-system.js';
import type { Place } from './folder.js';

/** What `link` answers where the disk has no hard links (FAT: EPERM), or no more of them for this file. */
const NO_LINKS: ReadonlySet<string | undefined> = new Set(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK']);

/** Whether an error of `link` means that the disk cannot do it, though nothing is wrong. */
export function isLinkUnsupported(error: unknown): boolean {
  return NO_LINKS.has(errnoOf(error));
}

/**
 * Gives something a free name in another directory, and takes the old name away. Never replaces what stands there.
 *
 * @returns `false` when the place is taken, or its directory is gone: nothing was moved.
 */
export async function putBack(from: DirectoryHandle, fromName: string, place: Place): Promise<boolean> {
  try {
    await from.link(fromName, place.parent, place.name);
  } catch (error) {
    const errno = errnoOf(error);
    if (errno === 'EEXIST' || errno === 'ENOENT') return false;
    if (!isLinkUnsupported(error)) throw error;
    return await renameIfFree(from, fromName, place);
  }
  // Two directories can reach the disk in any order: the new name has to be there before the old one goes.
  await place.parent.sync();
  await from.unlink(fromName);
  return true;
}

/**
 * Renames to a free name, for directories and for disks without hard links.
 *
 * RACE: a file that appears between the look and the rename is replaced. No call of Node.js closes this window.
 */
export async function renameIfFree(from: DirectoryHandle, fromName: string, place: Place): Promise<boolean> {
  if ((await place.parent.lstat(place.name)) !== null) return false;
  try {
    await from.rename(fromName, place.parent, place.name);
    return true;
  } catch (error) {
    const errno = errnoOf(error);
    if (errno === 'EEXIST' || errno === 'ENOTEMPTY' || errno === 'ENOTDIR' || errno === 'EISDIR' || errno === 'ENOENT')
      return false;
    throw error;
  }
}
