import type { Clock } from '../../../core/runtime.js';

/** What a line that stood idle may catch up with: late timers, and the pauses between two requests. */
const CREDIT_MS = 50;
/** Shorter waits are left to the next piece: a timer cannot tell them apart. */
const LEAST_SLEEP_MS = 2;

/** Resolves when so many bytes have had their time on the line. Rejects with the signal's reason. */
export type Line = (bytes: number, signal: AbortSignal | undefined) => Promise<void>;

/**
 * Makes a line that carries `bytesPerSecond`, whoever sends on it and in whatever pieces: each piece is given the time
 * after the one before it.
 *
 * Bytes that were let pass since any instant: at most the rate times the time since then, and 52 ms worth.
 */
export function createLine(clock: Clock, bytesPerSecond: number): Line {
  let lastMs = clock.nowMs();
  let freeAtMs = lastMs;
  return async (bytes, signal) => {
    const nowMs = clock.nowMs();
    // A clock that was set back must not stop the line for as long.
    freeAtMs -= Math.max(0, lastMs - nowMs);
    lastMs = nowMs;
    freeAtMs = Math.max(freeAtMs, nowMs - CREDIT_MS) + (bytes / bytesPerSecond) * 1000;
    const waitMs = freeAtMs - nowMs;
    if (waitMs >= LEAST_SLEEP_MS) await clock.sleep(waitMs, signal);
  };
}
