import { showPath } from '../../core/path.js';
import { PathError } from '../../errors.js';
import type { Precondition } from '../replica.js';
import type { FileStat } from './file-system.js';
import { fingerprintOf } from './fingerprint.js';

/**
 * Compares what stands at a path with a precondition; answers why it does not hold, or `undefined` when it does.
 * Throws `ERR_DIRECTORY_IN_THE_WAY` where nothing was expected and a directory stands.
 */
export function whyStale(path: string, stat: FileStat | null, precondition: Precondition): string | undefined {
  if (precondition === null) {
    if (stat === null) return undefined;
    if (stat.type === 'directory') {
      throw new PathError(
        'ERR_DIRECTORY_IN_THE_WAY',
        `A folder stands at ${showPath(path)}, where a file is to be put. Rename the folder, or the file on the other side.`,
        { data: { path } },
      );
    }
    return `${showPath(path)} was expected to be free, but something stands there.`;
  }
  if (stat === null) return `${showPath(path)} is gone.`;
  if (stat.type !== 'file') return `${showPath(path)} is no longer a file.`;
  if (fingerprintOf(stat) !== precondition.fingerprint) return `${showPath(path)} was changed.`;
  return undefined;
}
