import type { Decision } from './decision.js';
import type { Side } from './side.js';

/** What a plan says about one side. */
export interface SideCounts {
  /** Files that were seen, known or not. */
  filesSeen: number;
  /** Known files that are still there. */
  knownPresent: number;
  /** Deletions on the *other* side that this side's absences would cause. */
  deletionsCaused: number;
}

/** What a plan says in numbers. */
export interface PlanCounts {
  /** Baseline rows that were looked at on both sides: not held, not excluded. */
  known: number;
  readonly local: SideCounts;
  readonly remote: SideCounts;
}

/** Options of {@link guard}. */
export interface GuardOptions {
  /** The share of the known files that one side's absences may delete. 0 to 1; 1: everything. */
  readonly maxDelete: number;
  /** Whether the place itself is another one than at the last run (other device, inode, bucket). */
  readonly rootChanged: { readonly local: boolean; readonly remote: boolean };
}

/** Whether a plan may be carried out. */
export type GuardVerdict =
  | { readonly verdict: 'pass' }
  | { readonly verdict: 'halt'; readonly code: GuardCode; readonly side: Side; readonly message: string };

/** Why a plan is not carried out. */
export type GuardCode = 'ERR_ROOT_REPLACED' | 'ERR_SIDE_EMPTY' | 'ERR_TOO_MANY_DELETIONS';

/** Up to so many deletions are never too many by their share: a small folder may lose half of its files. */
export const UNGUARDED_DELETIONS = 10;

/** Counts of an empty plan, to be filled by {@link countDecision}. */
export function emptyCounts(): PlanCounts {
  const side = (): SideCounts => ({ filesSeen: 0, knownPresent: 0, deletionsCaused: 0 });
  return { known: 0, local: side(), remote: side() };
}

/** Adds one decision of the finished plan (after R15) to the counts. */
export function countDecision(counts: PlanCounts, decision: Decision): void {
  const { local, remote, baseline } = decision;
  if (local !== null) counts.local.filesSeen++;
  if (remote !== null) counts.remote.filesSeen++;
  // A download that was cut short took the local file away: its absence says nothing about the folder.
  const interrupted = baseline?.replacing === true && local === null;
  if (baseline !== undefined && !interrupted && isInScope(decision)) {
    counts.known++;
    if (local !== null) counts.local.knownPresent++;
    if (remote !== null) counts.remote.knownPresent++;
  }
  countDeletion(counts, decision, 1);
}

/** Adds a path at which both sides are as agreed. */
export function countAgreed(counts: PlanCounts): void {
  counts.known++;
  counts.local.filesSeen++;
  counts.local.knownPresent++;
  counts.remote.filesSeen++;
  counts.remote.knownPresent++;
}

/** Takes back the deletion of a decision that was counted: its file was found at another path. */
export function uncountDeletion(counts: PlanCounts, decision: Decision): void {
  countDeletion(counts, decision, -1);
}

function countDeletion(counts: PlanCounts, { action }: Decision, by: 1 | -1): void {
  if (action === 'delete-remote') counts.local.deletionsCaused += by;
  if (action === 'delete-local') counts.remote.deletionsCaused += by;
}

/**
 * Tells whether what a plan would delete can be believed. Pure.
 *
 * Halts when a side has no known file left and is another place than before; when it had two or more known files and has no
 * file at all (unless `maxDelete` is 1); when more than `maxDelete` of the known files would go, once more than 10 are concerned.
 */
export function guard(counts: PlanCounts, options: GuardOptions): GuardVerdict {
  return guardSide('local', counts, options) ?? guardSide('remote', counts, options) ?? { verdict: 'pass' };
}

function guardSide(side: Side, counts: PlanCounts, options: GuardOptions): GuardVerdict | undefined {
  const { known } = counts;
  const { filesSeen, knownPresent, deletionsCaused } = counts[side];
  const { maxDelete } = options;
  const place = side === 'local' ? 'folder' : 'bucket';
  if (options.rootChanged[side] && known >= 1 && knownPresent === 0) {
    const found = `The ${place} is not the one of the last run, and none of its ${known} known files is there.`;
    return halt(
      'ERR_ROOT_REPLACED',
      side,
      `${found} ${check(side)} If it was replaced on purpose, "forget" starts afresh.`,
    );
  }
  if (known >= 2 && filesSeen === 0 && maxDelete < 1) {
    const found = `The ${place} is empty: of ${known} known files 0 are there.`;
    return halt('ERR_SIDE_EMPTY', side, `${found} ${check(side)} ${waysOut()}`);
  }
  if (deletionsCaused > UNGUARDED_DELETIONS && deletionsCaused > maxDelete * known) {
    const found = `In the ${place} ${deletionsCaused} of ${known} known files are gone, and at most ${percent(maxDelete)} may be.`;
    return halt('ERR_TOO_MANY_DELETIONS', side, `${found} ${check(side)} ${waysOut()}`);
  }
  return undefined;
}

function halt(code: GuardCode, side: Side, message: string): GuardVerdict {
  return { verdict: 'halt', code, side, message: `${message} Nothing was changed.` };
}

function check(side: Side): string {
  return side === 'local'
    ? 'Check that the folder is the right one and that its disk is mounted.'
    : 'Check that the bucket and the prefix are the right ones.';
}

function waysOut(): string {
  return 'If the files were deleted on purpose, run once with --max-delete 1; to bring them back instead, "forget" starts afresh.';
}

function percent(share: number): string {
  return `${Math.round(share * 1000) / 10} %`;
}

function isInScope(decision: Decision): boolean {
  return decision.rule !== 'R16' && decision.rule !== 'R17' && decision.rule !== 'R18';
}
