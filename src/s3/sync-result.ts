import type { Conflict } from '../core/conflict.js';
import type { Problem } from '../core/problem.js';
import type { CycleResult, HeldPath } from '../session/result.js';
import { toChange, type Change } from './change.js';

/**
 * What {@link sync} answers: the changes, in the order in which they were carried over, and beside them what could not
 * be. The additional properties are left out of `JSON.stringify` and of loops, like those of any list.
 */
export type SyncResult = Change[] & {
  /** Paths that could not be handled. With one of severity `error` a file is not the same on both sides. */
  readonly problems: readonly Problem[];
  /** Conflicts that were met, and how each was settled; those with the resolution `manual` wait for a person. */
  readonly conflicts: readonly Conflict[];
  /** Paths that were left alone, with the reason; at most the first 1,000. */
  readonly held: readonly HeldPath[];
  /** How many paths were left alone. */
  readonly heldCount: number;
};

/** The result of a cycle, in the words of this module. */
export function toSyncResult(result: CycleResult): SyncResult {
  const { problems, conflicts, held, heldCount } = result;
  return withProperties(result.changes.map(toChange), { problems, conflicts, held, heldCount });
}

/** Puts properties on a list, where loops do not see them. */
export function withProperties<T extends object>(changes: Change[], properties: T): Change[] & Readonly<T> {
  for (const [name, value] of Object.entries(properties))
    Object.defineProperty(changes, name, { value, enumerable: false });
  return changes as Change[] & Readonly<T>;
}
