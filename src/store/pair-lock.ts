import { rm } from 'node:fs/promises';
import { hostname } from 'node:os';
import type { Clock } from '../core/runtime.js';
import { LockedError } from '../errors.js';
import { readFileIfPresent, writeFileAtomically } from './atomic-file.js';
import { openDirectoryLock } from './directory-lock.js';
import { KeyedMutex } from './keyed-mutex.js';
import { describePair, pairIdOf, type PairIdentity } from './pair-identity.js';
import { createPrivateDirectory, pairPathsOf } from './state-directory.js';

/** Calls of this process, per directory of a pair. */
const waiting = new KeyedMutex();

/** Who holds a pair. */
export interface PairHolder {
  readonly pid: number;
  readonly host: string;
  readonly sinceMs: number;
}

/** A pair held by this call, until `release`. */
export interface PairLock {
  readonly pairId: string;
  release(): Promise<void>;
}

/**
 * Takes a pair for this call alone. Calls of one process wait for each other; when another process has it,
 * `LockedError` `ERR_LOCKED` is thrown at once, saying who that is. The operating system frees the lock of a killed process.
 *
 * It is LevelDB's lock on a directory of its own, so that the database can be put aside while the pair is held.
 */
export async function acquirePairLock(
  stateDirectory: string,
  identity: PairIdentity,
  options: { readonly clock: Pick<Clock, 'nowMs'>; readonly signal?: AbortSignal },
): Promise<PairLock> {
  const pairId = pairIdOf(identity);
  const paths = pairPathsOf(stateDirectory, pairId);
  await createPrivateDirectory(paths.directory);
  const leave = await waiting.acquire(paths.directory, options.signal);
  let lock: Awaited<ReturnType<typeof openDirectoryLock>> | undefined;
  try {
    lock = await openDirectoryLock(paths.lock);
    const holder: PairHolder = { pid: process.pid, host: hostname(), sinceMs: options.clock.nowMs() };
    await writeFileAtomically(paths.holder, JSON.stringify(holder));
  } catch (error) {
    await lock?.close();
    leave();
    throw error instanceof LockedError ? await lockedError(identity, pairId, paths.holder, error) : error;
  }
  const held = lock;
  let released: Promise<void> | undefined;
  const release = async (): Promise<void> => {
    try {
      await rm(paths.holder, { force: true });
      await held.close();
    } finally {
      leave();
    }
  };
  return { pairId, release: () => (released ??= release()) };
}

/** Who holds a pair, as far as it has said so. The word of a killed process stays until the next run. */
export async function readPairHolder(stateDirectory: string, pairId: string): Promise<PairHolder | undefined> {
  return readHolder(pairPathsOf(stateDirectory, pairId).holder);
}

async function lockedError(identity: PairIdentity, pairId: string, file: string, cause: unknown): Promise<LockedError> {
  const holder = await readHolder(file);
  const who =
    holder === undefined
      ? 'another process'
      : `process ${holder.pid} on ${holder.host}, since ${new Date(holder.sinceMs).toISOString()}`;
  return new LockedError(
    'ERR_LOCKED',
    `Another run is syncing ${describePair(identity)} (${who}). Wait until it has ended, or stop it, and try again.`,
    {
      data: { pairId, folder: identity.folder, bucket: identity.bucket, prefix: identity.prefix, holder },
      cause,
      retryable: true,
    },
  );
}

async function readHolder(file: string): Promise<PairHolder | undefined> {
  try {
    const value: unknown = JSON.parse((await readFileIfPresent(file)) ?? 'null');
    if (typeof value !== 'object' || value === null) return undefined;
    const { pid, host, sinceMs } = value as Record<string, unknown>;
    if (typeof pid !== 'number' || typeof host !== 'string' || typeof sinceMs !== 'number') return undefined;
    if (!Number.isFinite(new Date(sinceMs).getTime())) return undefined;
    return { pid, host, sinceMs };
  } catch {
    // Only said for people: whatever cannot be read is not known.
    return undefined;
  }
}
