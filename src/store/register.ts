import { readdir, rm } from 'node:fs/promises';
import path from 'node:path';
import type { Clock } from '../core/runtime.js';
import { LockedError } from '../errors.js';
import { hasCode, readFileIfPresent, writeFileAtomically } from './atomic-file.js';
import { openDirectoryLock } from './directory-lock.js';
import { findOverlap, overlapError } from './folder-overlap.js';
import { KeyedMutex } from './keyed-mutex.js';
import { normalizeIdentity, pairIdOf, parseIdentity, type PairIdentity } from './pair-identity.js';
import { sealValue, unsealValue } from './sealed-value.js';
import { createPrivateDirectory, pairPathsOf, pairsDirectoryOf } from './state-directory.js';

const FORMAT_VERSION = 1;
const SEAL_KEY = 'register';
/** How long another process may change the register before we give up; it takes milliseconds. */
const LOCK_PATIENCE_MS = 10_000;
const LOCK_RETRY_MS = 20;

const waiting = new KeyedMutex();

/** A pair that is known on this machine. */
export interface RegisteredPair extends PairIdentity {
  readonly id: string;
}

/** Which folders of this machine are paired with which places, in one file that all processes share. */
export interface Register {
  /**
   * Registers a pair; does nothing when it is known. Throws `UsageError` `ERR_FOLDER_PAIRED_ELSEWHERE` when its folder, or one
   * above or below, is paired with anything else, unless `allowOverlap`.
   */
  claim(
    pair: PairIdentity,
    options?: { readonly allowOverlap?: boolean; readonly signal?: AbortSignal },
  ): Promise<RegisteredPair>;
  /** All pairs, ordered by folder. */
  list(): Promise<RegisteredPair[]>;
  /** Forgets a pair; answers whether it was known. Its other state stays. */
  release(id: string, options?: { readonly signal?: AbortSignal }): Promise<boolean>;
}

/** Opens the register of a state directory. Reads and writes nothing yet. */
export function openRegister(stateDirectory: string, clock: Clock): Register {
  const file = path.join(stateDirectory, 'register.json');

  const change = async (
    signal: AbortSignal | undefined,
    edit: (pairs: readonly RegisteredPair[]) => Promise<RegisteredPair[]>,
  ): Promise<void> => {
    await createPrivateDirectory(stateDirectory);
    const leave = await waiting.acquire(file, signal);
    try {
      const lock = await lockPatiently(path.join(stateDirectory, 'register.lock'), clock, signal);
      try {
        const pairs = await edit(await readPairs(stateDirectory, file));
        const text = JSON.stringify({ format: FORMAT_VERSION, pairs: pairs.toSorted(byFolder) });
        await writeFileAtomically(file, sealValue(SEAL_KEY, text));
      } finally {
        await lock.close();
      }
    } finally {
      leave();
    }
  };

  return {
    async claim(pair, options = {}) {
      const entry: RegisteredPair = { id: pairIdOf(pair), ...normalizeIdentity(pair) };
      const isKnown = (pairs: readonly RegisteredPair[]): boolean => {
        const other = options.allowOverlap === true ? undefined : findOverlap(entry, pairs);
        if (other !== undefined) throw overlapError(entry, other);
        return pairs.some(({ id }) => id === entry.id);
      };
      // The file is replaced whole, so that looking needs no lock: the common case.
      const identityFile = pairPathsOf(stateDirectory, entry.id).identity;
      const registered = await readRegister(file);
      if (registered !== undefined && isKnown(registered) && (await readFileIfPresent(identityFile)) !== undefined)
        return entry;
      await change(options.signal, async (pairs) => {
        const known = isKnown(pairs);
        await createPrivateDirectory(path.dirname(identityFile));
        await writeFileAtomically(identityFile, JSON.stringify(normalizeIdentity(pair)));
        return known ? [...pairs] : [...pairs, entry];
      });
      return entry;
    },

    async list() {
      return [...(await readPairs(stateDirectory, file))].sort(byFolder);
    },

    async release(id, options = {}) {
      let wasKnown = false;
      await change(options.signal, async (pairs) => {
        wasKnown = pairs.some((pair) => pair.id === id);
        // First, or a register that has to be rebuilt would bring the pair back.
        if (wasKnown) await rm(pairPathsOf(stateDirectory, id).identity, { force: true });
        return pairs.filter((pair) => pair.id !== id);
      });
      return wasKnown;
    },
  };
}

/** The pairs in the register; when it is missing or damaged, those whose state is there. */
async function readPairs(stateDirectory: string, file: string): Promise<readonly RegisteredPair[]> {
  return (await readRegister(file)) ?? (await readIdentities(stateDirectory));
}

/** What the register itself says; `undefined` when it is missing or damaged. */
async function readRegister(file: string): Promise<readonly RegisteredPair[] | undefined> {
  const sealed = await readFileIfPresent(file);
  const text = sealed === undefined ? undefined : unsealValue(SEAL_KEY, sealed);
  return text === undefined ? undefined : parsePairs(text);
}

function parsePairs(text: string): RegisteredPair[] | undefined {
  const value = JSON.parse(text) as { readonly format?: unknown; readonly pairs?: unknown };
  if (value.format !== FORMAT_VERSION || !Array.isArray(value.pairs)) return undefined;
  return value.pairs.flatMap((pair: unknown) => toRegistered(pair) ?? []);
}

async function readIdentities(stateDirectory: string): Promise<RegisteredPair[]> {
  let ids: string[];
  try {
    ids = await readdir(pairsDirectoryOf(stateDirectory));
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return [];
    throw error;
  }
  const pairs: RegisteredPair[] = [];
  for (const id of ids) {
    const pair = await readIdentity(pairPathsOf(stateDirectory, id).identity);
    // The directory's name is the checksum of what the file says.
    if (pair?.id === id) pairs.push(pair);
  }
  return pairs;
}

async function readIdentity(file: string): Promise<RegisteredPair | undefined> {
  const text = await readFileIfPresent(file);
  if (text === undefined) return undefined;
  try {
    return toRegistered(JSON.parse(text));
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

function toRegistered(value: unknown): RegisteredPair | undefined {
  const identity = parseIdentity(value);
  return identity === undefined ? undefined : { id: pairIdOf(identity), ...identity };
}

function byFolder(a: RegisteredPair, b: RegisteredPair): number {
  return a.folder === b.folder ? (a.id < b.id ? -1 : 1) : a.folder < b.folder ? -1 : 1;
}

async function lockPatiently(
  directory: string,
  clock: Clock,
  signal: AbortSignal | undefined,
): Promise<{ close(): Promise<void> }> {
  const deadlineMs = clock.nowMs() + LOCK_PATIENCE_MS;
  for (;;) {
    signal?.throwIfAborted();
    try {
      return await openDirectoryLock(directory);
    } catch (error) {
      if (!(error instanceof LockedError)) throw error;
      if (clock.nowMs() >= deadlineMs) {
        throw new LockedError(
          'ERR_LOCKED',
          `Another process has been changing the register of folders in ${path.dirname(directory)} for ${LOCK_PATIENCE_MS / 1000} seconds. ` +
            'See whether a filecloudsync process hangs, end it, and try again.',
          { cause: error, retryable: true },
        );
      }
      await clock.sleep(LOCK_RETRY_MS, signal);
    }
  }
}
