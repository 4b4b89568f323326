import type { DirectoryHandle } from './file-system.js';
import { identityOfStat } from './folder.js';

/**
 * Makes the names in a directory durable, those that were put there before the call. `identity`: which directory it is, as
 * {@link identityOfStat} tells, where that is known.
 */
export type SyncDirectory = (directory: DirectoryHandle, identity?: string) => Promise<void>;

/**
 * Makes a {@link SyncDirectory} that syncs a directory once for all who ask while an earlier sync of it is under way: hundreds
 * of files that arrive in one folder need a few syncs, not hundreds.
 *
 * Nobody joins a sync that has begun, because it need not cover a name that came later. What fails, fails for all who joined.
 */
export function createDirectorySyncs(): SyncDirectory {
  /** The last sync that was asked for of each directory; another one joins it as long as it has not begun. */
  const last = new Map<string, { begun: boolean; readonly ended: Promise<void> }>();
  return async (directory, identity) => {
    const id = identity ?? identityOfStat(await directory.stat());
    const before = last.get(id);
    if (before !== undefined && !before.begun) return await before.ended;
    const sync = async (): Promise<void> => {
      await before?.ended.catch(() => {});
      own.begun = true;
      try {
        await directory.sync();
      } finally {
        if (last.get(id) === own) last.delete(id);
      }
    };
    const own = { begun: before === undefined, ended: Promise.resolve() };
    last.set(id, own);
    own.ended = sync();
    await own.ended;
  };
}
