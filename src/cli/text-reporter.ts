import type { Clock } from '../core/runtime.js';
import type { SessionEvent } from '../session/event.js';
import { changeText, conflictText, errorText, heldText, problemText } from './event-text.js';
import { displayPath, escapeText } from './escape-text.js';
import type { JsonLine } from './json-schema.js';
import { describeProgress, Progress } from './progress.js';
import type { Reporter } from './reporter.js';
import type { Screen } from './screen.js';
import type { Style } from './style.js';

/** Options of {@link TextReporter}. */
export interface TextReporterOptions {
  readonly screen: Screen;
  readonly clock: Clock;
  /** Only problems, waiting conflicts and failures are told; results that were asked for still are. */
  readonly quiet: boolean;
  /** Every decision is told, with the id of its rule. */
  readonly verbose: boolean;
  readonly outStyle: Style;
  readonly errStyle: Style;
}

/** Speaks to people: changes and results on stdout; problems, conflicts, remarks and failures on stderr. */
export class TextReporter implements Reporter {
  readonly #options: TextReporterOptions;
  readonly #progress: Progress;
  #idle: string | undefined;

  constructor(options: TextReporterOptions) {
    this.#options = options;
    this.#progress = new Progress(options.clock);
  }

  event(event: SessionEvent): void {
    const { screen, quiet, verbose, errStyle } = this.#options;
    if (screen.live) this.#progress.add(event);
    switch (event.type) {
      case 'done':
        if (!quiet) this.#done(event);
        break;
      case 'conflict':
        if (!quiet || event.conflict.resolution === 'manual') screen.err(conflictText(event.conflict, errStyle));
        break;
      case 'problem':
        // A notice is about ordinary things such as a symbolic link: each cycle would tell it again.
        if (event.problem.severity === 'error' || verbose) screen.err(problemText(event.problem, errStyle));
        break;
      case 'held':
        if (verbose && !quiet) screen.err(heldText(event.path, event.rule, event.reason, errStyle));
        break;
      case 'remark':
        this.say(`Note: ${event.message}`);
        break;
      case 'end':
        screen.clearStatus();
        break;
      default:
    }
    this.#drawStatus();
  }

  result(line: JsonLine, text: () => string): void {
    // A summary is no answer that was asked for.
    if (this.#options.quiet && line.type === 'end') return;
    const shown = text();
    if (shown !== '') this.#options.screen.out(shown);
  }

  say(text: string): void {
    if (!this.#options.quiet) this.#options.screen.err(this.#options.errStyle.faint(escapeText(text)));
  }

  warn(text: string): void {
    this.#options.screen.err(this.#options.errStyle.warning(escapeText(text)));
  }

  error(error: unknown): void {
    this.#options.screen.err(errorText(error, this.#options.errStyle));
  }

  idle(text: string | undefined): void {
    this.#idle = text;
    if (this.#options.quiet) return;
    if (text === undefined) this.#options.screen.clearStatus();
    else this.#options.screen.status(() => text, true);
  }

  close(): void {
    this.#options.screen.clearStatus();
  }

  #done(event: Extract<SessionEvent, { type: 'done' }>): void {
    const { screen, verbose, outStyle } = this.#options;
    // The old path of a rename: told with the new one.
    if (event.change?.to !== undefined) return;
    const rule = verbose ? `  ${outStyle.faint(`[${event.rule} ${event.action}]`)}` : '';
    if (event.change !== undefined) screen.out(`${changeText(event.change, event.sizeBytes, outStyle)}${rule}`);
    else if (verbose) screen.out(`${outStyle.faint('=')} ${displayPath(event.path)}${rule}`);
  }

  #drawStatus(): void {
    const { screen, quiet } = this.#options;
    if (quiet || !screen.live) return;
    const state = this.#progress.state();
    if (state.phase !== 'idle') screen.status(() => describeProgress(state));
    else if (this.#idle !== undefined) {
      const idle = this.#idle;
      screen.status(() => idle, true);
    }
  }
}
