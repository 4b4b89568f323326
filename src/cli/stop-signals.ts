import type { Clock } from '../core/runtime.js';

/** The signals that ask a command to end. */
export type StopSignal = 'SIGINT' | 'SIGTERM';

/** What a signal brought about: finish what runs, cancel it, or leave at once. */
export type StopStage = 'finish' | 'cancel' | 'exit';

/** `npm` and `npx` pass on a Ctrl-C that the terminal has sent already: both arrive within this span and count as one. */
const SAME_PRESS_MS = 300;

/**
 * Turns signals of the process into abort signals: the first finishes what is running, the second cancels it,
 * the third leaves at once. Before there is anything to finish, the first one cancels.
 */
export class StopSignals {
  readonly #soft = new AbortController();
  readonly #hard = new AbortController();
  readonly #clock: Clock;
  readonly #onStage: (stage: StopStage, signal: StopSignal) => void;
  #stage: StopStage | undefined;
  #working = false;
  #lastAtMs = Number.NEGATIVE_INFINITY;

  constructor(clock: Clock, onStage: (stage: StopStage, signal: StopSignal) => void) {
    this.#clock = clock;
    this.#onStage = onStage;
  }

  /** Aborted by the first signal while there is work to finish. */
  get soft(): AbortSignal {
    return this.#soft.signal;
  }

  /** Aborted by the second signal, or by the first one before there was work. */
  get hard(): AbortSignal {
    return this.#hard.signal;
  }

  /** Whether any signal came. */
  get stopped(): boolean {
    return this.#stage !== undefined;
  }

  /** From now on there is work that a first signal lets finish. */
  beginWork(): void {
    this.#working = true;
  }

  /** Takes one signal of the process. */
  readonly receive = (signal: StopSignal): void => {
    const nowMs = this.#clock.nowMs();
    if (nowMs - this.#lastAtMs < SAME_PRESS_MS) return;
    this.#lastAtMs = nowMs;
    this.#stage = this.#nextStage();
    this.#onStage(this.#stage, signal);
    const reason = new DOMException(`Stopped by ${signal}.`, 'AbortError');
    this.#soft.abort(reason);
    if (this.#stage !== 'finish') this.#hard.abort(reason);
  };

  /** Waits for `work`, or rejects as soon as it is cancelled: for work that cannot be interrupted and changes nothing. */
  async race<T>(work: Promise<T>): Promise<T> {
    this.hard.throwIfAborted();
    let stop: (() => void) | undefined;
    const cancelled = new Promise<never>((_resolve, reject) => {
      stop = () => reject(this.hard.reason);
      this.hard.addEventListener('abort', stop, { once: true });
    });
    try {
      return await Promise.race([work, cancelled]);
    } finally {
      if (stop !== undefined) this.hard.removeEventListener('abort', stop);
    }
  }

  #nextStage(): StopStage {
    if (this.#stage === undefined) return this.#working ? 'finish' : 'cancel';
    return this.#stage === 'finish' ? 'cancel' : 'exit';
  }
}
