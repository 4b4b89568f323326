import { realpath, stat } from 'node:fs/promises';
import path from 'node:path';
import { UsageError } from '../../errors.js';
import { errnoOf } from './file-system.js';

/**
 * Answers the real path of a folder, links resolved: the one name under which it is known.
 *
 * @throws UsageError `ERR_FOLDER_MISSING`, `ERR_FOLDER_NOT_A_DIRECTORY`, `ERR_FOLDER_NOT_READABLE`.
 */
export async function resolveRoot(folder: string): Promise<string> {
  try {
    const real = await realpath(path.resolve(folder));
    if ((await stat(real)).isDirectory()) return real;
  } catch (error) {
    switch (errnoOf(error)) {
      case 'ENOENT':
        throw new UsageError(
          'ERR_FOLDER_MISSING',
          `The folder ${folder} does not exist. It is never created: an absent folder may be a disk that is not mounted. Mount it, create the folder, or correct the path.`,
          { cause: error, data: { folder } },
        );
      case 'ENOTDIR':
        break;
      case 'EACCES':
      case 'EPERM':
        throw new UsageError(
          'ERR_FOLDER_NOT_READABLE',
          `The folder ${folder} cannot be reached by this user. Give the right to read it and what is above it.`,
          {
            cause: error,
            data: { folder },
          },
        );
      default:
        throw error;
    }
  }
  throw new UsageError('ERR_FOLDER_NOT_A_DIRECTORY', `${folder} is not a folder. Give the path of a folder.`, {
    data: { folder },
  });
}
