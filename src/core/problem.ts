import type { Side } from './side.js';

/**
 * A path that could not be handled. Collected and reported, never thrown; the path is held.
 */
export interface Problem {
  /** The path, or the key as the store gave it when it has no path. */
  readonly path: string;
  /** Where it was found. */
  readonly side: Side;
  /** Stable name, such as `ERR_FILE_UNREADABLE` or `ERR_KEY_DIRECTORY_MARKER`. */
  readonly code: string;
  /** What happened, what was expected and found, and what to do. */
  readonly message: string;
  /** `notice`: expected in ordinary folders (a symbolic link, a folder marker), does not make a run fail. */
  readonly severity: 'notice' | 'error';
}
