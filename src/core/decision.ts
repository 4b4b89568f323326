import type { BaselineRow } from './baseline.js';
import type { FileEntry } from './entry.js';

/** The ids of the rules of reconciliation. */
export type RuleId =
  | 'R01'
  | 'R02'
  | 'R03'
  | 'R04'
  | 'R05'
  | 'R06'
  | 'R07'
  | 'R08'
  | 'R09'
  | 'R10'
  | 'R11'
  | 'R12'
  | 'R13'
  | 'R14'
  | 'R15'
  | 'R16'
  | 'R17'
  | 'R18';

/**
 * What is to be done at a path.
 *
 * - `nothing`: both sides are as recorded.
 * - `upload`, `download`: carry the content over.
 * - `compare`: both sides have a file and may agree (R04/R05, R13/R14): compare the contents, then converge or settle the conflict.
 * - `delete-local`, `delete-remote`: carry a deletion over.
 * - `forget`: drop the baseline row, touch no file.
 * - `move-local`, `move-remote`: give the file of the path in `from` this path, on that side: a rename, carried without its content.
 * - `set-aside`: give the file on `setAsideSide` a conflict name, to make room for a directory (R15).
 * - `hold`: leave everything as it is (R16, R18, and under `readonly`).
 */
export type Action =
  | 'nothing'
  | 'upload'
  | 'download'
  | 'compare'
  | 'delete-local'
  | 'delete-remote'
  | 'forget'
  | 'move-local'
  | 'move-remote'
  | 'set-aside'
  | 'hold';

/** Why a path is held. */
export type HoldReason = 'problem' | 'untracked' | 'readonly' | 'kind-conflict' | 'kind-collision';

/**
 * One decision about one path: data, carrying the state it was based on.
 *
 * `local` and `remote` are `null` when the path was absent on that side (or held nothing that counts as a file);
 * they are the preconditions under which the decision may be carried out.
 */
export interface Decision {
  readonly path: string;
  readonly rule: RuleId;
  readonly action: Action;
  readonly local: FileEntry | null;
  readonly remote: FileEntry | null;
  readonly baseline: BaselineRow | undefined;
  /** Only with `hold`. */
  readonly hold?: HoldReason;
  /** Only with `set-aside`: the side whose file gets a conflict name. */
  readonly setAsideSide?: 'local' | 'remote';
  /** Only with a move: what was decided about the path that the file had before (R06 or R07). */
  readonly from?: Decision;
  /** The deletion or set-aside must happen before anything is written at or below this path (R15). */
  readonly makesRoom?: boolean;
}
