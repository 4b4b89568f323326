import type { PathChange } from '../core/change.js';
import type { Conflict } from '../core/conflict.js';
import type { HoldReason, RuleId } from '../core/decision.js';
import type { Problem } from '../core/problem.js';

/** What a plan holds, in numbers. */
export interface PlanTotals {
  readonly uploads: number;
  readonly uploadBytes: number;
  readonly downloads: number;
  readonly downloadBytes: number;
  /** Files that exist on both sides and are compared by content first. */
  readonly compares: number;
  readonly localDeletes: number;
  readonly remoteDeletes: number;
  /** Renames that are carried within the folder, and within the bucket. */
  readonly localMoves: number;
  readonly remoteMoves: number;
  readonly held: number;
}

/** A path that was left alone. */
export interface HeldPath {
  readonly path: string;
  readonly rule: RuleId;
  readonly reason: HoldReason;
}

/** What one cycle did, in numbers: all of it, also where a list names only the first. */
export interface CycleCounts {
  /** All changes; a rename is two of them. */
  readonly changes: number;
  /** Without those that are half of a rename, as are downloads and deletions. */
  readonly uploads: number;
  readonly downloads: number;
  readonly renames: number;
  readonly deletions: number;
  readonly settledConflicts: number;
  readonly waitingConflicts: number;
  /** Problems of severity `error`. */
  readonly errors: number;
  /** Problems of severity `notice`. */
  readonly notices: number;
}

/** How one cycle ended. A call may bound how many entries each list has (`listed`); `counts` has them all. */
export interface CycleResult {
  readonly runId: string;
  /** Only so many paths, which had changed in the folder, were looked at. */
  readonly touchedPaths?: number;
  /** Only the remote side was looked at, and the folder where something was to be carried. Neither this nor `touchedPaths`: everything was (`isWholeLook`). */
  readonly poll?: true;
  /** So many of the paths that had changed cannot be judged by themselves, and wait for a look at everything. */
  readonly leftPaths?: number;
  readonly counts: CycleCounts;
  /** What was carried over, in the order in which it was done. */
  readonly changes: readonly PathChange[];
  /** Conflicts met in this cycle, and those that still wait for a person. */
  readonly conflicts: readonly Conflict[];
  readonly problems: readonly Problem[];
  /** At most the first 1,000; `heldCount` has them all. */
  readonly held: readonly HeldPath[];
  readonly heldCount: number;
  readonly localFiles: number;
  readonly remoteFiles: number;
  /** Content of the files that were brought up, whether it was sent, or was there of an earlier try, or was copied in the store. */
  readonly uploadedBytes: number;
  /** Content of the files that were brought down, whether it was fetched, or was there of an earlier try or in the version before. */
  readonly downloadedBytes: number;
  /** Files whose content was hashed. */
  readonly hashedFiles: number;
  /** The baseline was lost or damaged and is rebuilt by this cycle, which deletes nothing. */
  readonly rebuilt: boolean;
  readonly startedAtMs: number;
  readonly endedAtMs: number;
}

/** What `plan` answers: everything a cycle would do, without doing it. A call may bound how many entries each list has (`listed`). */
export interface Plan {
  readonly totals: PlanTotals;
  readonly changes: readonly PathChange[];
  /** Paths whose contents must be compared before it is known whether they conflict. */
  readonly compares: readonly string[];
  readonly problems: readonly Problem[];
  /** How many problems of severity `error` there are, named or not. */
  readonly errors: number;
  readonly held: readonly HeldPath[];
  /** Why a cycle would halt; `undefined` when it would not. */
  readonly halt: { readonly code: string; readonly message: string } | undefined;
}

/** One divergence found by `verify`. */
export interface Divergence {
  readonly path: string;
  /** `content`: both sides have the file with different content. `missing-*`: absent on one side. `baseline`: the sides agree, the baseline does not. `unreadable`: could not be compared. */
  readonly type: 'content' | 'missing-local' | 'missing-remote' | 'baseline' | 'unreadable';
  readonly message: string;
}

/** What `verify` answers. */
export interface Verification {
  readonly checkedFiles: number;
  /** Files that were compared byte by byte or digest by digest (the others: not in the sample). */
  readonly comparedFiles: number;
  readonly divergences: readonly Divergence[];
  readonly problems: readonly Problem[];
}

/** What is known about a pair without looking at either side. */
export interface PairStatus {
  readonly folder: string;
  readonly address: string;
  readonly endpoint: string;
  /** Files in the baseline. */
  readonly knownFiles: number;
  readonly lastCycle:
    | {
        readonly endedAtMs: number;
        readonly changes: number;
        readonly conflicts: number;
        readonly problems: number;
        readonly held: number;
        readonly error?: { readonly code: string; readonly message: string };
      }
    | undefined;
  readonly waitingConflicts: number;
  readonly trashItems: number;
  readonly trashBytes: number;
}
