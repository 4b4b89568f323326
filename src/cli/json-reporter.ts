import type { Clock } from '../core/runtime.js';
import { FileCloudSyncError } from '../errors.js';
import type { SessionEvent } from '../session/event.js';
import { lineOfEvent } from './event-line.js';
import { codeOfError, errorText } from './event-text.js';
import { escapeText } from './escape-text.js';
import { toJsonLine } from './json-line.js';
import type { JsonLine } from './json-schema.js';
import { Progress } from './progress.js';
import type { Reporter } from './reporter.js';
import type { Screen } from './screen.js';
import { createStyle } from './style.js';

const PROGRESS_MS = 1000;
const PLAIN = createStyle(false);

/** The lines that `--quiet` keeps, beside the answers to what was asked. */
const LOUD: ReadonlySet<string> = new Set(['conflict', 'problem']);

/** Speaks to programs: one object a line on stdout. What is meant for people goes to stderr. */
export class JsonReporter implements Reporter {
  readonly #screen: Screen;
  readonly #clock: Clock;
  readonly #progress: Progress;
  readonly #quiet: boolean;
  readonly #verbose: boolean;
  #toldAtMs = Number.NEGATIVE_INFINITY;

  constructor(options: {
    readonly screen: Screen;
    readonly clock: Clock;
    readonly quiet: boolean;
    readonly verbose: boolean;
  }) {
    this.#screen = options.screen;
    this.#clock = options.clock;
    this.#quiet = options.quiet;
    this.#verbose = options.verbose;
    this.#progress = new Progress(options.clock);
  }

  event(event: SessionEvent): void {
    this.#progress.add(event);
    // The end is told as the answer to the command; see `result`.
    if (event.type === 'end') return;
    if (this.#quiet && !LOUD.has(event.type)) return;
    this.#tellProgress(event);
    if ((event.type === 'start' || event.type === 'decision') && !this.#verbose) return;
    const line = lineOfEvent(event);
    if (line !== undefined) this.#write(line);
  }

  result(line: JsonLine): void {
    this.#write(line);
  }

  say(text: string): void {
    if (!this.#quiet) this.#screen.err(escapeText(text));
  }

  warn(text: string): void {
    this.#screen.err(escapeText(text));
  }

  error(error: unknown): void {
    this.#write({
      type: 'error',
      code: codeOfError(error) ?? 'ERR_UNEXPECTED',
      message: error instanceof Error ? error.message : String(error),
      retryable: error instanceof FileCloudSyncError && error.retryable,
    });
    this.#screen.err(errorText(error, PLAIN));
  }

  idle(): void {}

  close(): void {}

  #tellProgress(event: SessionEvent): void {
    if (event.type !== 'bytes' && event.type !== 'done') return;
    const nowMs = this.#clock.nowMs();
    if (nowMs - this.#toldAtMs < PROGRESS_MS) return;
    this.#toldAtMs = nowMs;
    const state = this.#progress.state();
    this.#write({
      type: 'progress',
      filesDone: state.filesDone,
      filesTotal: state.filesTotal,
      bytesDone: state.bytesDone,
      bytesTotal: state.bytesTotal,
      bytesPerSecond: state.bytesPerSecond,
      secondsLeft: state.secondsLeft,
    });
  }

  #write(line: JsonLine): void {
    this.#screen.out(toJsonLine(line));
  }
}
