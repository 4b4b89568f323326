import path from 'node:path';
import { FileCloudSyncError } from '../../errors.js';
import { RESERVED_NAME } from '../../core/path.js';
import { decodeByteName } from './byte-name.js';
import type { DirectoryHandle, FileSystem } from './file-system.js';
import { errnoOf } from './file-system.js';
import type { Folder } from './folder.js';

/**
 * Removes a folder in which no file is left, with its trash. Only empty directories can go, so a file that appears meanwhile keeps it.
 *
 * @throws FileCloudSyncError `ERR_FOLDER_KEPT` when something stands in it.
 */
export async function destroyFolder(folder: Folder, fileSystem: FileSystem): Promise<void> {
  const root = await folder.open();
  try {
    for (const item of await root.list()) {
      const name = decodeByteName(item.name);
      if (name === RESERVED_NAME || item.type !== 'directory' || name === undefined) continue;
      if (!(await removeTree(root, name, false))) throw kept(folder.path, name);
    }
    await removeTree(root, RESERVED_NAME, true);
  } finally {
    await root.close();
  }
  const parent = await fileSystem.openRoot(path.dirname(folder.path));
  try {
    await parent.removeDirectory(path.basename(folder.path));
  } catch (error) {
    if (errnoOf(error) === 'ENOTEMPTY' || errnoOf(error) === 'EEXIST') throw kept(folder.path, 'something in it');
    throw error;
  } finally {
    await parent.close();
  }
}

/** Removes a directory and the directories in it, with `files` also all else; `false` when something stays. Follows no link. */
async function removeTree(parent: DirectoryHandle, name: string, files: boolean): Promise<boolean> {
  let directory: DirectoryHandle;
  try {
    directory = await parent.openDirectory(name);
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return true;
    throw error;
  }
  try {
    for (const item of await directory.list()) {
      const child = decodeByteName(item.name);
      if (child === undefined) return false;
      if (item.type === 'directory') {
        if (!(await removeTree(directory, child, files))) return false;
      } else if (files) {
        await directory.unlink(child);
      } else {
        return false;
      }
    }
  } finally {
    await directory.close();
  }
  await parent.removeDirectory(name);
  return true;
}

function kept(folder: string, what: string): FileCloudSyncError {
  return new FileCloudSyncError(
    'ERR_FOLDER_KEPT',
    `The folder ${folder} was to be deleted, but ${what} appeared in it meanwhile. Look at it, and delete the folder by hand.`,
    { data: { folder } },
  );
}
