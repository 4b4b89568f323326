import type { Clock } from '../core/runtime.js';

/** How long it has to be quiet before a local change is carried over: programs write a file in several steps. */
const SETTLE_MS = 200;
/** How often the quiet is waited for: a folder in which something is always written is synced all the same. */
const MOST_ROUNDS = 10;
/** Longest wait after failures, unless the delay itself is longer. */
const LONGEST_BACKOFF_MS = 15 * 60_000;

/** Decides when the next cycle of a monitor begins: after the delay, soon after a local change, later after failures. */
export class CyclePacer {
  readonly #clock: Clock;
  readonly #delayMs: number;
  #wake: AbortController | undefined;
  #wakesOnChange = false;
  #stopped = false;
  #changes = 0;
  #seenChanges = 0;
  #lastChangeMs = 0;

  constructor(clock: Clock, delayMs: number) {
    this.#clock = clock;
    this.#delayMs = delayMs;
  }

  /** Something in the folder may have changed. */
  changed(): void {
    this.#changes++;
    this.#lastChangeMs = this.#clock.nowMs();
    if (this.#wakesOnChange) this.#wake?.abort();
  }

  /** A cycle begins: it sees what changed so far. */
  began(): void {
    this.#seenChanges = this.#changes;
  }

  /** Ends all waiting, now and later. */
  stop(): void {
    this.#stopped = true;
    this.#wake?.abort();
  }

  /** Resolves when the next cycle is due, or after `stop`. `failures`: how many cycles failed in a row. */
  async next(failures: number): Promise<void> {
    if (failures > 0) return this.#sleep(this.#backoffMs(failures), false);
    if (this.#changes === this.#seenChanges) await this.#sleep(this.#delayMs, true);
    if (this.#changes === this.#seenChanges) return;
    for (let round = 0; round < MOST_ROUNDS; round++) {
      const before = this.#changes;
      const quietMs = this.#clock.nowMs() - this.#lastChangeMs;
      // Within limits, because a clock may be set back meanwhile.
      await this.#sleep(Math.min(Math.max(SETTLE_MS - quietMs, 0), SETTLE_MS), false);
      if (this.#changes === before) return;
    }
  }

  async #sleep(durationMs: number, wakesOnChange: boolean): Promise<void> {
    if (this.#stopped || durationMs <= 0) return;
    const wake = new AbortController();
    this.#wake = wake;
    this.#wakesOnChange = wakesOnChange;
    try {
      await this.#clock.sleep(durationMs, wake.signal);
    } catch (error) {
      if (!wake.signal.aborted) throw error;
    } finally {
      this.#wake = undefined;
    }
  }

  #backoffMs(failures: number): number {
    return Math.min(this.#delayMs * 2 ** Math.min(failures - 1, 20), Math.max(this.#delayMs, LONGEST_BACKOFF_MS));
  }
}
