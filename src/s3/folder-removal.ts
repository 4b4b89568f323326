import { FileCloudSyncError } from '../errors.js';
import type { CycleResult } from '../session/result.js';

/** What a monitor was asked to do with its folder at the end. */
export interface RemovalWish {
  readonly remove: true | 'force';
  readonly readonly: boolean;
}

/**
 * Why the folder must stay after the last cycle; `undefined`: it may go, as far as the cycle tells.
 * The deletion itself looks again at every file.
 */
export function reasonToKeepFolder(result: CycleResult, wish: RemovalWish): string | undefined {
  const failed = result.problems.find(({ severity }) => severity === 'error');
  if (failed !== undefined) return `"${failed.path}" could not be synced: ${failed.message}`;
  const waiting = result.conflicts.find(({ resolution }) => resolution === 'manual');
  if (waiting !== undefined) return `the conflict at "${waiting.path}" waits for a person`;
  const mayLoseEdits = removesUnsynced(wish);
  const held = result.held.find(({ reason }) => !(mayLoseEdits && reason === 'readonly'));
  if (held !== undefined)
    return held.reason === 'readonly'
      ? `the local change of "${held.path}" was never uploaded`
      : `"${held.path}" was left alone (${held.reason})`;
  // Only the first thousand are named; the others count as well.
  if (result.heldCount > result.held.length && !mayLoseEdits) return `${result.heldCount} paths were left alone`;
  return undefined;
}

/** Whether files that were never uploaded are deleted too: only under `readonly`, where nothing can be uploaded. */
export function removesUnsynced(wish: RemovalWish): boolean {
  return wish.readonly && wish.remove === 'force';
}

/** The error that says why the folder stays. */
export function folderKept(folder: string, reason: string): FileCloudSyncError {
  return new FileCloudSyncError(
    'ERR_FOLDER_KEPT',
    `The folder ${folder} was to be deleted at the end, but stays, with all that is known about it: ${reason}.`,
    { data: { folder } },
  );
}
