import type { Hasher } from './hasher.js';

/** Time, as the engine sees it. A real clock, or a virtual one in a simulation. */
export interface Clock {
  /** Milliseconds since 1970. */
  nowMs(): number;
  /** Resolves after `durationMs`; rejects with the signal's reason as soon as it is aborted. */
  sleep(durationMs: number, signal?: AbortSignal): Promise<void>;
}

/** Randomness, as the engine sees it. */
export interface Random {
  /** A number in [0, 1). */
  next(): number;
  /** `length` characters of [0-9a-z]. */
  id(length: number): string;
}

/** Everything from outside that makes two runs differ. */
export interface Runtime {
  readonly clock: Clock;
  readonly random: Random;
  /** Makes digests on other threads. Default: they are made where they are asked for, which a simulation needs. */
  readonly hasher?: Hasher;
}
