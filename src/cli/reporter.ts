import type { SessionEvent } from '../session/event.js';
import type { JsonLine } from './json-schema.js';

/** How a command speaks: to people in text, or to programs in lines of JSON. */
export interface Reporter {
  /** An event of a running session. */
  event(event: SessionEvent): void;
  /** Something the command was asked for: a line for programs, text for people (`''`: nothing to say). */
  result(line: JsonLine, text: () => string): void;
  /** A calm word to people alone. Not said when they asked for quiet. */
  say(text: string): void;
  /** A word that people must see, however quiet. */
  warn(text: string): void;
  /** A failure: of the command, or of one cycle of a monitor. */
  error(error: unknown): void;
  /** What a live status line shows while nothing runs; `undefined`: nothing. */
  idle(text: string | undefined): void;
  /** Takes a status line away. Called once, at the end. */
  close(): void;
}
