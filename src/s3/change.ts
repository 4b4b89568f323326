import type { PathChange } from '../core/change.js';
import type { Location } from './location.js';
import type { Operation } from './operation.js';
import { toLocation } from './location.js';

/**
 * One change that was carried over to the other side.
 *
 * @example
 * ```ts
 * import type { s3 } from 'filecloudsync';
 * const change: s3.Change = { key: 'trip/b.jpg', operation: 'added', location: 'local' };
 * ```
 */
export interface Change {
  /** The path in the folder: the key of the object without the prefix. */
  readonly key: string;
  /** What was done to the file. */
  readonly operation: Operation;
  /** The side on which the change was made; it was carried over to the other. */
  readonly location: Location;
}

/** A change of a cycle, in the words of this module. */
export function toChange(change: PathChange): Change {
  return { key: change.path, operation: change.operation, location: toLocation(change.origin) };
}
