import { readdir, rm } from 'node:fs/promises';
import path from 'node:path';
import type { Clock } from '../core/runtime.js';
import type { DatabaseHome } from './database.js';
import { LevelDatabaseHome } from './level-database-home.js';
import { openStateStore } from './open-state-store.js';
import { acquirePairLock } from './pair-lock.js';
import { pairIdOf, type PairIdentity } from './pair-identity.js';
import { openRegister } from './register.js';
import { pairPathsOf } from './state-directory.js';
import type { StateStore } from './state-store.js';
import { withStateErrors } from './state-unusable.js';

/** Options of {@link openPair}. */
export interface OpenPairOptions {
  readonly clock: Clock;
  /** Pair the folder although it, or one above or below, is paired with another place. Default `false`. */
  readonly allowOverlap?: boolean;
  readonly signal?: AbortSignal;
  /** Makes the home of the database in a directory. Default: a LevelDB database. */
  readonly databaseHome?: (directory: string) => DatabaseHome;
}

/** A pair whose lock this call holds, with its state. */
export interface OpenPair {
  readonly pairId: string;
  /** The state; another object after `reopen`. */
  readonly store: StateStore;
  /** Closes the state and opens it again under the same lock: the answer to `ERR_STATE_DAMAGED`, then `store.rebuilt` is `true`. */
  reopen(): Promise<StateStore>;
  /** Closes the state and frees the pair. */
  close(): Promise<void>;
}

/**
 * Registers a pair, takes its lock and opens its state.
 *
 * Waits for other calls of this process; throws `ERR_LOCKED` when another process has the pair, and
 * `ERR_FOLDER_PAIRED_ELSEWHERE` when the folder belongs to another pair.
 */
export async function openPair(
  stateDirectory: string,
  identity: PairIdentity,
  options: OpenPairOptions,
): Promise<OpenPair> {
  const lock = await withStateErrors(stateDirectory, async () => {
    await openRegister(stateDirectory, options.clock).claim(identity, options);
    return acquirePairLock(stateDirectory, identity, options);
  });
  const { pairId } = lock;
  const { database } = pairPathsOf(stateDirectory, pairId);
  const home = options.databaseHome?.(database) ?? new LevelDatabaseHome(database, options.clock);
  try {
    let store = await withStateErrors(stateDirectory, () => openStateStore(home, { pairId }));
    return {
      pairId,
      get store() {
        return store;
      },
      async reopen() {
        await store.close();
        store = await openStateStore(home, { pairId });
        return store;
      },
      async close() {
        try {
          await store.close();
        } finally {
          await lock.release();
        }
      },
    };
  } catch (error) {
    await lock.release();
    throw error;
  }
}

/**
 * Deletes everything that is remembered about a pair, its place in the register included; answers whether it was known.
 * Neither the folder nor the bucket is touched. Waits and throws as {@link openPair} does.
 */
export async function forgetPair(
  stateDirectory: string,
  identity: PairIdentity,
  options: { readonly clock: Clock; readonly signal?: AbortSignal },
): Promise<boolean> {
  const register = openRegister(stateDirectory, options.clock);
  const pairId = pairIdOf(identity);
  if (!(await register.list()).some(({ id }) => id === pairId)) return false;
  const lock = await acquirePairLock(stateDirectory, identity, options);
  try {
    // Before the register lets go of the folder: an old state must never be taken for a new one.
    const paths = pairPathsOf(stateDirectory, pairId);
    for (const name of await readdir(paths.directory)) {
      const file = path.join(paths.directory, name);
      // The lock stays: another process may be waiting at it.
      if (file !== paths.lock) await rm(file, { recursive: true, force: true });
    }
    return await register.release(pairId, options);
  } finally {
    await lock.release();
  }
}
