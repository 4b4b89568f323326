import type { Side } from './side.js';

/** What was done to a file. */
export type Operation = 'added' | 'modified' | 'deleted';

/** One change that a cycle carried over, or would carry over, to the other side. */
export interface PathChange {
  readonly path: string;
  readonly operation: Operation;
  /** The side on which the change was made. */
  readonly origin: Side;
  /** Of an added path: the one from which its file came by a rename. */
  readonly from?: string;
  /** Of a deleted path: the one to which its file went by a rename. */
  readonly to?: string;
}
