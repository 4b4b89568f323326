import { randomFillSync } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { Runtime } from '../core/runtime.js';
import { createThreadedHasher } from './threaded-hasher.js';

const LETTERS = '0123456789abcdefghijklmnopqrstuvwxyz';
/** Bytes from here on would make the first letters likelier than the others. */
const EVEN_BYTES = 256 - (256 % LETTERS.length);
/** Randomness is drawn for many letters at once: for one it costs twenty times as much. */
const POOL_BYTES = 512;

/** Draws letters and digits, all as likely as each other, and none that could be guessed. */
function createIdMaker(): (length: number) => string {
  const pool = Buffer.alloc(POOL_BYTES);
  let used = POOL_BYTES;
  return (length) => {
    let id = '';
    while (id.length < length) {
      if (used === POOL_BYTES) {
        randomFillSync(pool);
        used = 0;
      }
      const byte = pool[used++] ?? 0;
      if (byte < EVEN_BYTES) id += LETTERS.charAt(byte % LETTERS.length);
    }
    return id;
  };
}

/** The clock, the randomness and the processors of this machine. */
export const systemRuntime: Runtime = {
  clock: {
    nowMs: () => Date.now(),
    async sleep(durationMs, signal) {
      signal?.throwIfAborted();
      try {
        await delay(durationMs, undefined, { ...(signal !== undefined && { signal }) });
      } catch (error) {
        // The reason itself, not the wrapper that Node.js puts around it.
        signal?.throwIfAborted();
        throw error;
      }
    },
  },
  random: {
    next: () => Math.random(),
    id: createIdMaker(),
  },
  hasher: createThreadedHasher(),
};
