import type { Hasher } from '../../core/hasher.js';
import { createByteBudget } from './byte-budget.js';

/** Memory that was lent for one body. */
export interface LentMemory {
  readonly bytes: Uint8Array;
  /**
   * Gives it back; only the first call counts.
   *
   * @param isQuiet - nobody reads or writes it any more, so that it may be lent again. After a failure or a second try
   * what was sent first may still be on its way from it: then it is left to whoever has it.
   */
  release(isQuiet: boolean): void;
}

/** Memory for bodies, shared by everything that sends. */
export interface BodyMemory {
  /**
   * At once where so many bytes are free, else when they are. Served in order; what is larger than all of it gets all of it. Throws,
   * or rejects, when the signal aborts.
   */
  take(sizeBytes: number, signal?: AbortSignal): LentMemory | Promise<LentMemory>;
}

/** Smaller pieces are not kept: they cost less than looking for one. */
const LEAST_KEPT_BYTES = 1024 * 1024;

/** Makes memory for bodies. What was given back is kept for the next of the same size as long as anything is lent. */
export function createBodyMemory(totalBytes: number, hasher: Hasher): BodyMemory {
  const budget = createByteBudget(totalBytes);
  let lentBytes = 0;
  let free: Uint8Array[] = [];

  const allocate = (sizeBytes: number): Uint8Array => {
    const known = free.findIndex(({ length }) => length === sizeBytes);
    if (known >= 0) return free.splice(known, 1)[0] as Uint8Array;
    const freeBytes = free.reduce((sum, { length }) => sum + length, 0);
    if (lentBytes + freeBytes > totalBytes) free = [];
    return hasher.allocate(sizeBytes);
  };

  const lend = (sizeBytes: number, giveBack: () => void): LentMemory => {
    lentBytes += sizeBytes;
    const bytes = allocate(sizeBytes);
    let isLent = true;
    return {
      bytes,
      release(isQuiet) {
        if (!isLent) return;
        isLent = false;
        lentBytes -= sizeBytes;
        if (lentBytes === 0) free = [];
        else if (isQuiet && sizeBytes >= LEAST_KEPT_BYTES) free.push(bytes);
        giveBack();
      },
    };
  };

  return {
    take(sizeBytes, signal) {
      const taken = budget.take(sizeBytes, signal);
      return taken instanceof Promise ? taken.then((giveBack) => lend(sizeBytes, giveBack)) : lend(sizeBytes, taken);
    },
  };
}
