import { closeSync, openSync, writeSync } from 'node:fs';
import { isAbsolute, relative, resolve } from 'node:path';
import type { Clock } from '../core/runtime.js';
import { UsageError } from '../errors.js';
import type { SessionEvent } from '../session/event.js';
import { lineOfEvent } from './event-line.js';
import { codeOfError } from './event-text.js';
import { toJsonLine } from './json-line.js';
import type { JsonLine } from './json-schema.js';

/** Appends events to a file, one JSON object a line, each with `atMs`. Readable by its owner alone. */
export class EventLog {
  readonly #file: number;
  readonly #clock: Clock;
  readonly #onFailure: (message: string) => void;
  #broken = false;

  /** Opens the file. Throws `UsageError` `ERR_LOG_UNUSABLE` when it cannot be written or lies in the synced folder. */
  constructor(options: {
    readonly path: string;
    readonly cwd: string;
    /** The folder that is synced, when one is named. */
    readonly folder: string | undefined;
    readonly clock: Clock;
    /** Told once, when writing fails during the run; the run goes on. */
    readonly onFailure: (message: string) => void;
  }) {
    const path = resolve(options.cwd, options.path);
    if (options.folder !== undefined && isInside(resolve(options.cwd, options.folder), path)) {
      // Each line would change the file, and each change would be uploaded and logged.
      throw new UsageError(
        'ERR_LOG_UNUSABLE',
        `The log ${path} lies in the folder that is synced. Put it outside of it.`,
      );
    }
    this.#clock = options.clock;
    this.#onFailure = options.onFailure;
    try {
      this.#file = openSync(path, 'a', 0o600);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      throw new UsageError(
        'ERR_LOG_UNUSABLE',
        `The log ${path} cannot be written: ${reason}. Name a file in a folder that exists and is yours.`,
        {
          cause: error,
        },
      );
    }
  }

  /** Appends an event of a session. The bytes of running transfers are left out. */
  event(event: SessionEvent): void {
    const line = lineOfEvent(event);
    if (line !== undefined) this.#append(line);
  }

  /** Appends a line that answers the command. */
  answer(line: JsonLine): void {
    this.#append(line);
  }

  /** Appends a failure. */
  error(error: unknown): void {
    this.#append({
      type: 'error',
      code: codeOfError(error) ?? 'ERR_UNEXPECTED',
      message: error instanceof Error ? error.message : String(error),
      retryable: error instanceof Error && 'retryable' in error && error.retryable === true,
    });
  }

  close(): void {
    closeSync(this.#file);
  }

  #append(line: JsonLine): void {
    if (this.#broken) return;
    try {
      writeSync(this.#file, `${toJsonLine({ atMs: this.#clock.nowMs(), ...line })}\n`);
    } catch (error) {
      this.#broken = true;
      this.#onFailure(
        `The log cannot be written any more (${codeOfError(error) ?? 'unknown'}); the run goes on without it.`,
      );
    }
  }
}

function isInside(folder: string, path: string): boolean {
  const way = relative(folder, path);
  return way !== '' && !way.startsWith('..') && !isAbsolute(way);
}
