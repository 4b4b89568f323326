import type { Conflict } from '../core/conflict.js';
import type { Problem } from '../core/problem.js';
import type { Change } from './change.js';
import type { Location } from './location.js';
import type { Operation } from './operation.js';
import type { SyncResult } from './sync-result.js';

/** The events of a {@link Monitor}, and what their listeners are given. */
export interface MonitorEvents {
  /** A change was carried over to the other side; told as soon as it is done. */
  change: [key: string, operation: Operation, location: Location];
  /** A cycle ended, with all that it did; also when it did nothing. */
  cycle: [result: SyncResult];
  /** A conflict was met; one that waits for a person is told once. */
  conflict: [conflict: Conflict];
  /** A path could not be handled; told once, until it goes away and comes back. */
  problem: [problem: Problem];
  /** A cycle failed, a handler threw, or the folder could not be watched or removed. The monitor goes on. */
  error: [error: Error];
  /** The monitor has stopped; with the changes of its last cycle, an empty list when there were none. */
  finish: [changes: readonly Change[]];
}

/** Is told each change: see {@link Monitor.addOnChangeHandle}. */
export type ChangeHandle = (key: string, operation: Operation, location: Location) => unknown;

/** Is told the changes of the last cycle: see {@link Monitor.addOnFinishHandle}. */
export type FinishHandle = (changes: readonly Change[]) => unknown;
