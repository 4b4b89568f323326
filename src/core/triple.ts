import type { BaselineRow } from './baseline.js';
import type { Entry } from './entry.js';

/** What stands at one path on both sides, and what they last agreed on. */
export interface Triple {
  readonly path: string;
  readonly local: Entry | null;
  readonly remote: Entry | null;
  readonly baseline: BaselineRow | undefined;
  /**
   * Speaks of a whole directory that is untracked or problematic (an entry with `subtree`), and stands in the order
   * where `path/` does: another triple, of a file at `path`, may have come before.
   */
  readonly subtree?: true;
}
