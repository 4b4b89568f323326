import type { PathChange } from '../core/change.js';
import type { Conflict } from '../core/conflict.js';
import type { FileEntry } from '../core/entry.js';
import type { RuleId } from '../core/decision.js';

/** How one decision ended. */
export type PathOutcome =
  /** Carried out and recorded. `rule` is the one that applied in the end (a compare of R05 may turn out to be R04). */
  | {
      readonly type: 'done';
      readonly rule: RuleId;
      readonly change?: PathChange;
      readonly conflict?: Conflict;
      /** Of a rename: what became of the path that the file had before. */
      readonly gone?: { readonly rule: RuleId; readonly change: PathChange };
    }
  /** A rename that cannot be carried as one, though it is one: its halves are to be carried, each for itself. */
  | { readonly type: 'apart' }
  /** The world is not as it was seen; `paths` are to be observed and decided again. What was done so far is recorded. */
  | {
      readonly type: 'again';
      readonly paths: readonly string[];
      readonly conflict?: Conflict;
      readonly message: string;
    }
  /** A conflict that waits for a person. */
  | { readonly type: 'waiting'; readonly conflict: Conflict; readonly local: FileEntry; readonly remote: FileEntry };
