import type { Clock } from '../core/runtime.js';
import { MOST_TOUCHED } from '../session/look-at-touched.js';
import type { Heard } from '../session/watch.js';

/** How long it has to be quiet at a path before it is carried over: programs write a file in several steps. */
const SETTLE_MS = 100;
/** How long the quiet is waited for: a file to which something is always written is carried all the same. */
const LONGEST_WAIT_MS = 2000;
/** A name that came within this time of one that went may be the same file, renamed: both are looked at together. */
const TOGETHER_MS = 50;
/** Longest wait after failures, unless the delay itself is longer. */
const LONGEST_BACKOFF_MS = 15 * 60_000;

/** So long the folder may be believed to be as it was left, where everything that changes in it is heard. */
const WHOLE_LOOK_MS = 10 * 60_000;

/** What the next cycle is to look at: both sides, the bucket while the folder is believed, or paths of the folder. */
export type Due = 'everything' | 'bucket' | readonly string[];

interface Waiting {
  heard: Heard;
  firstMs: number;
  lastMs: number;
  /** It came just after something went. */
  withGone: boolean;
}

/**
 * Decides when the next cycle of a monitor begins, and over what: over the bucket after the delay; over everything every ten
 * minutes instead, after changes were lost, and later after failures; over single paths soon after they changed, each when it is
 * quiet there.
 *
 * What is gone waits until nothing more goes anywhere: a folder that is being emptied is judged as a whole.
 */
export class CyclePacer {
  readonly #clock: Clock;
  readonly #delayMs: number;
  readonly #waiting = new Map<string, Waiting>();
  #lost: { firstMs: number; lastMs: number } | undefined;
  #lastGoneMs = -Infinity;
  #pollDueMs: number | undefined;
  #wholeMs = -Infinity;
  /** Since everything was last looked at. */
  #polls = 0;
  #wake: AbortController | undefined;
  #wakesOnChange = false;
  #stopped = false;

  constructor(clock: Clock, delayMs: number) {
    this.#clock = clock;
    this.#delayMs = delayMs;
  }

  /** Something at this path may have changed. */
  changed(path: string, heard: Heard): void {
    const nowMs = this.#clock.nowMs();
    if (heard === 'gone') this.#lastGoneMs = nowMs;
    const withGone = heard === 'appeared' && Math.abs(nowMs - this.#lastGoneMs) <= TOGETHER_MS;
    if (this.#lost !== undefined) this.#lost.lastMs = nowMs;
    else {
      const before = this.#waiting.get(path);
      this.#waiting.set(path, {
        // What came or went and was written then is still one that came or went.
        heard: heard === 'written' ? (before?.heard ?? heard) : heard,
        firstMs: before?.firstMs ?? nowMs,
        lastMs: nowMs,
        withGone: withGone || before?.withGone === true,
      });
      if (this.#waiting.size > MOST_TOUCHED) this.lost();
    }
    if (this.#wakesOnChange) this.#wake?.abort();
  }

  /** It is not known what changed. */
  lost(): void {
    const nowMs = this.#clock.nowMs();
    this.#lost = { firstMs: this.#lost?.firstMs ?? nowMs, lastMs: nowMs };
    this.#waiting.clear();
    if (this.#wakesOnChange) this.#wake?.abort();
  }

  /** Whether it is not known what changed since everything was last looked at. */
  get isLost(): boolean {
    return this.#lost !== undefined;
  }

  /** A cycle over the bucket begins. */
  polled(): void {
    this.#pollDueMs = undefined;
    this.#polls++;
  }

  /** A cycle over everything begins: it sees what changed so far, but for what is still being written. */
  began(): void {
    const nowMs = this.#clock.nowMs();
    this.#lost = undefined;
    this.#pollDueMs = undefined;
    this.#wholeMs = nowMs;
    this.#polls = 0;
    for (const [path, { lastMs }] of this.#waiting) if (nowMs - lastMs >= SETTLE_MS) this.#waiting.delete(path);
  }

  /** Ends all waiting, now and later. */
  stop(): void {
    this.#stopped = true;
    this.#wake?.abort();
  }

  /** Resolves when a cycle is due with what it is to look at, or after `stop`. `failures`: how many cycles failed in a row. */
  async next(failures: number): Promise<Due> {
    if (failures > 0) {
      await this.#sleep(this.#backoffMs(failures), false);
      return 'everything';
    }
    for (;;) {
      const nowMs = this.#clock.nowMs();
      this.#forgetFuture(nowMs);
      if (this.#stopped || this.#pollWaitMs(nowMs) <= 0) return this.#isWholeDue(nowMs) ? 'everything' : 'bucket';
      const due = this.#takeDue(nowMs);
      if (due.length > 0) return due;
      const waits = Array.from(this.#waiting.values(), (each) => this.#waitMs(each, nowMs));
      const isIdle = this.#waiting.size === 0 && this.#lost === undefined;
      await this.#sleep(Math.min(this.#pollWaitMs(nowMs), ...waits), isIdle);
    }
  }

  #takeDue(nowMs: number): readonly string[] {
    const due: string[] = [];
    for (const [path, each] of this.#waiting) if (this.#waitMs(each, nowMs) <= 0) due.push(path);
    for (const path of due) this.#waiting.delete(path);
    return due;
  }

  /** Counted as well as timed: a clock that is set back postpones nothing for long. */
  #isWholeDue(nowMs: number): boolean {
    if (this.#lost !== undefined || (this.#polls + 1) * this.#delayMs >= WHOLE_LOOK_MS) return true;
    return nowMs - this.#wholeMs >= WHOLE_LOOK_MS;
  }

  #pollWaitMs(nowMs: number): number {
    this.#pollDueMs = Math.min(this.#pollDueMs ?? Infinity, nowMs + this.#delayMs);
    const wait = this.#pollDueMs - nowMs;
    return this.#lost === undefined ? wait : Math.min(wait, waitForQuiet(this.#lost, nowMs));
  }

  #waitMs(each: Waiting, nowMs: number): number {
    const lastMs = each.heard === 'gone' || each.withGone ? Math.max(each.lastMs, this.#lastGoneMs) : each.lastMs;
    return waitForQuiet({ firstMs: each.firstMs, lastMs }, nowMs);
  }

  /** A clock that was set back must not make anything wait for as long. */
  #forgetFuture(nowMs: number): void {
    this.#lastGoneMs = Math.min(this.#lastGoneMs, nowMs);
    for (const each of [...this.#waiting.values(), ...(this.#lost === undefined ? [] : [this.#lost])]) {
      each.firstMs = Math.min(each.firstMs, nowMs);
      each.lastMs = Math.min(each.lastMs, nowMs);
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

function waitForQuiet(
  { firstMs, lastMs }: { readonly firstMs: number; readonly lastMs: number },
  nowMs: number,
): number {
  return Math.min(lastMs + SETTLE_MS, firstMs + LONGEST_WAIT_MS) - nowMs;
}
