import type { PathChange } from '../core/change.js';
import type { Conflict } from '../core/conflict.js';
import type { Action, HoldReason, RuleId } from '../core/decision.js';
import type { Problem } from '../core/problem.js';
import type { CycleResult, PlanTotals } from './result.js';
import type { Seen } from './seen.js';

/** What a running cycle tells. Programs test `type`; fields may be added, never changed. */
export type SessionEvent =
  /** A cycle has begun. */
  | { readonly type: 'begin'; readonly runId: string }
  /** How far the scan is; told about once a page. */
  | { readonly type: 'scan'; readonly localFiles: number; readonly remoteFiles: number }
  /** The plan stands and the guard let it pass. */
  | { readonly type: 'plan'; readonly totals: PlanTotals }
  /**
   * What is to be done at one path, why (`rule`, and `reason` where it is held), and what was seen there on both sides and
   * in the baseline. Told before anything is done, also of what a guard then forbids; not of paths that ask for nothing.
   */
  | {
      readonly type: 'decision';
      readonly path: string;
      readonly action: Action;
      readonly rule: RuleId;
      /** Of a move: the path that the file had before. Told once the plan stands; in the place of what was told of the two paths. */
      readonly from?: string;
      readonly reason?: HoldReason;
      readonly seen: Seen;
    }
  /** A plan: this would be carried over. */
  | { readonly type: 'change'; readonly change: PathChange }
  /** A plan: the contents of this path would have to be compared first. */
  | { readonly type: 'compare'; readonly path: string }
  /** Work on one path begins. */
  | {
      readonly type: 'start';
      readonly path: string;
      readonly action: Action;
      readonly rule: RuleId;
      /** Of a move: the path that the file had before. */
      readonly from?: string;
      readonly sizeBytes: number;
    }
  /** Bytes of one path went over the wire since the last such event. */
  | { readonly type: 'bytes'; readonly path: string; readonly count: number }
  /** Work on one path is done; a move is told twice, of the new path and of the old one. `sizeBytes` is what the plan counted for it; `change` is missing when nothing had to be carried. */
  | {
      readonly type: 'done';
      readonly path: string;
      readonly action: Action;
      readonly rule: RuleId;
      readonly from?: string;
      readonly sizeBytes: number;
      readonly change?: PathChange;
    }
  | { readonly type: 'conflict'; readonly conflict: Conflict }
  | { readonly type: 'problem'; readonly problem: Problem }
  | { readonly type: 'held'; readonly path: string; readonly rule: RuleId; readonly reason: HoldReason }
  /** Something a person should know once, that is no failure. */
  | { readonly type: 'remark'; readonly message: string }
  /** The cycle is over. */
  | { readonly type: 'end'; readonly result: CycleResult };

/** Receives events; what it throws is ignored. */
export type SessionListener = (event: SessionEvent) => void;
