import { randomInt } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { Runtime } from '../core/runtime.js';
import { createThreadedHasher } from './threaded-hasher.js';

const LETTERS = '0123456789abcdefghijklmnopqrstuvwxyz';

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
    id(length) {
      let id = '';
      while (id.length < length) id += LETTERS.charAt(randomInt(LETTERS.length));
      return id;
    },
  },
  hasher: createThreadedHasher(),
};
