import type { Clock } from '../core/runtime.js';

/** A place text is written to: a stream of the process, or an array in a test. */
export interface TextOutput {
  write(text: string): unknown;
}

/** Which of the three streams are terminals. */
export interface Terminals {
  readonly stdin: boolean;
  readonly stdout: boolean;
  readonly stderr: boolean;
}

/** How often the status line is drawn at most. */
const REDRAW_MS = 100;
const CLEAR_LINE = '\r\u001B[2K';

/**
 * Writes lines to stdout and stderr around one status line, which lives on stderr while that is a terminal
 * and is never written elsewhere.
 */
export class Screen {
  readonly #stdout: TextOutput;
  readonly #stderr: TextOutput;
  readonly #clock: Clock;
  readonly #live: boolean;
  readonly #columns: () => number;
  #shown = false;
  #drawnAtMs = Number.NEGATIVE_INFINITY;

  constructor(options: {
    readonly stdout: TextOutput;
    readonly stderr: TextOutput;
    readonly clock: Clock;
    readonly live: boolean;
    readonly columns: () => number;
  }) {
    this.#stdout = options.stdout;
    this.#stderr = options.stderr;
    this.#clock = options.clock;
    this.#live = options.live;
    this.#columns = options.columns;
  }

  /** Writes one line, or several joined by line breaks, to stdout. */
  out(text: string): void {
    this.clearStatus();
    this.#stdout.write(`${text}\n`);
  }

  /** Writes to stderr. */
  err(text: string): void {
    this.clearStatus();
    this.#stderr.write(`${text}\n`);
  }

  /** Whether a status line is shown at all. */
  get live(): boolean {
    return this.#live;
  }

  /** Shows a status line made by `text`, which is called only when it is time to draw. */
  status(text: () => string, now = false): void {
    if (!this.#live) return;
    const nowMs = this.#clock.nowMs();
    if (!now && nowMs - this.#drawnAtMs < REDRAW_MS) return;
    this.#drawnAtMs = nowMs;
    this.#shown = true;
    // One column stays free: some terminals wrap as soon as the last one is filled.
    const room = Math.max(10, this.#columns() - 1);
    this.#stderr.write(`${CLEAR_LINE}${[...text()].slice(0, room).join('')}`);
  }

  /** Takes the status line away. */
  clearStatus(): void {
    if (!this.#shown) return;
    this.#shown = false;
    this.#stderr.write(CLEAR_LINE);
  }
}
