import type { Side } from './side.js';

/** What was done to a file. */
export type Operation = 'added' | 'modified' | 'deleted';

/** One change that a cycle carried over, or would carry over, to the other side. */
export interface PathChange {
  readonly path: string;
  readonly operation: Operation;
  /** The side on which the change was made. */
  readonly origin: Side;
}
