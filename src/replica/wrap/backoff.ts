import type { Runtime } from '../../core/runtime.js';

/** How often and how long to wait before something is tried again. */
export interface BackoffOptions {
  /** Tries in all, the first included. Default 6. */
  readonly attempts?: number;
  /** Longest first wait. Default 100 ms. */
  readonly baseMs?: number;
  /** Longest wait at all. Default 10 s. */
  readonly capMs?: number;
}

/** Waits between tries: exponential, with full jitter, so that many clients do not come back at once. */
export interface Backoff {
  readonly attempts: number;
  /** Waits before try number `attempt + 1`, counted from 1; at least `atLeastMs`. */
  wait(attempt: number, signal: AbortSignal | undefined, atLeastMs?: number): Promise<void>;
}

/** Makes a {@link Backoff} on the runtime's clock and randomness. */
export function createBackoff(runtime: Runtime, options: BackoffOptions = {}): Backoff {
  const baseMs = options.baseMs ?? 100;
  const capMs = options.capMs ?? 10_000;
  return {
    attempts: options.attempts ?? 6,
    async wait(attempt, signal, atLeastMs = 0) {
      const ceilingMs = Math.min(capMs, baseMs * 2 ** Math.min(attempt - 1, 30));
      await runtime.clock.sleep(Math.max(atLeastMs, runtime.random.next() * ceilingMs), signal);
    },
  };
}
