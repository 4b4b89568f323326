import type { Clock } from '../../core/runtime.js';
import { S3ConnectionError } from '../../errors.js';

/** A body that brings less than this in the longest silence allowed counts as silent: a byte a minute would hold a run for years. */
const LEAST_BYTES = 1024;

/** Tells a slow body from one that only drips. One for each body. */
export interface DripGuard {
  /** Takes a step of the body: what came, and since when it was waited for. Throws `S3ConnectionError` `ERR_S3_TIMEOUT`. */
  took(bytes: number, askedMs: number): void;
}

/**
 * Makes a {@link DripGuard}: whoever waits `longestMs` in all and is given less than 1 KiB waits for nothing.
 * Only the time that is waited counts, not the time that the reader takes.
 */
export function createDripGuard(clock: Clock, origin: string, longestMs: number): DripGuard {
  let waitedMs = 0;
  let received = 0;
  return {
    took(bytes, askedMs) {
      // A clock that was set back counts for nothing.
      waitedMs += Math.max(0, clock.nowMs() - askedMs);
      received += bytes;
      if (waitedMs <= longestMs) return;
      if (received < LEAST_BYTES) {
        throw new S3ConnectionError(
          'ERR_S3_TIMEOUT',
          `The S3 service at ${origin} could not be used: it sent only ${received} bytes in ${Math.round(waitedMs / 1000)} seconds. Check the network and the service.`,
          { data: { origin, received }, retryable: true },
        );
      }
      waitedMs = 0;
      received = 0;
    },
  };
}
