import type { Conflict } from '../core/conflict.js';
import type { Problem } from '../core/problem.js';
import type { SessionEvent } from '../session/event.js';
import type { CycleResult } from '../session/result.js';
import { toChange, type Change } from './change.js';

/** Receives what a cycle of a monitor brings about, while it runs. */
export interface CycleListener {
  change(change: Change): void;
  conflict(conflict: Conflict): void;
  problem(problem: Problem): void;
}

/**
 * Whether a cycle left nothing of which another look at the folder could come to more. What is wrong in the bucket alone, every
 * cycle meets again.
 */
export function leavesNothing({ heldCount, leftPaths = 0, conflicts, problems }: CycleResult): boolean {
  if (heldCount > 0 || leftPaths > 0 || conflicts.some(({ resolution }) => resolution === 'manual')) return false;
  return problems.every(({ side }) => side === 'remote');
}

/**
 * Turns the events of cycles into what a monitor tells: each change, each conflict that was settled, and problems and
 * waiting conflicts once, not again in every cycle in which they still stand.
 */
export class CycleNews {
  readonly #listener: CycleListener;
  #standing = new Set<string>();
  #met = new Set<string>();
  #changes: Change[] = [];

  constructor(listener: CycleListener) {
    this.#listener = listener;
  }

  /** The changes since `begin`. */
  get changes(): readonly Change[] {
    return this.#changes;
  }

  /** A cycle begins. */
  begin(): void {
    this.#met = new Set();
    this.#changes = [];
  }

  /** Takes one event of the cycle. */
  take(event: SessionEvent): void {
    if (event.type === 'done' && event.change !== undefined) {
      const change = toChange(event.change);
      this.#changes.push(change);
      this.#listener.change(change);
    }
    if (event.type === 'conflict') this.#conflict(event.conflict);
    if (event.type === 'problem') this.#problem(event.problem);
  }

  /** The cycle ended well: conflicts that were only in its result are told too, and what went away is forgotten. */
  end(result: CycleResult): void {
    for (const conflict of result.conflicts) {
      if (conflict.resolution === 'manual') this.#conflict(conflict);
    }
    for (const problem of result.problems) this.#problem(problem);
    // Of what was not looked at nobody knows whether it went away.
    // While anything stands in the folder there is no poll; what stands in the bucket it meets.
    this.#standing = result.touchedPaths === undefined ? this.#met : new Set([...this.#standing, ...this.#met]);
  }

  #conflict(conflict: Conflict): void {
    if (conflict.resolution !== 'manual' || this.#isNew(`conflict\0${conflict.type}\0${conflict.path}`))
      this.#listener.conflict(conflict);
  }

  #problem(problem: Problem): void {
    if (this.#isNew(`problem\0${problem.side}\0${problem.code}\0${problem.path}`)) this.#listener.problem(problem);
  }

  #isNew(id: string): boolean {
    const known = this.#met.has(id) || this.#standing.has(id);
    this.#met.add(id);
    return !known;
  }
}
