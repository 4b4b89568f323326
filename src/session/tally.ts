import type { Decision } from '../core/decision.js';
import { countAgreed, countDecision, emptyCounts, uncountDeletion, type PlanCounts } from '../core/guard.js';
import type { Mutable } from '../core/mutable.js';
import { halvesOf } from '../core/rename.js';
import type { Side } from '../core/side.js';
import type { PlanTotals } from './result.js';

/** Counts what a plan is made of, for the guard and for people. */
export class Tally {
  /** What the guard looks at. */
  readonly counts: PlanCounts = emptyCounts();
  readonly #totals: Mutable<PlanTotals> = {
    uploads: 0,
    uploadBytes: 0,
    downloads: 0,
    downloadBytes: 0,
    compares: 0,
    localDeletes: 0,
    remoteDeletes: 0,
    localMoves: 0,
    remoteMoves: 0,
    held: 0,
  };

  /** Files seen on the local side. */
  get localFiles(): number {
    return this.counts.local.filesSeen;
  }

  /** Files seen on the remote side. */
  get remoteFiles(): number {
    return this.counts.remote.filesSeen;
  }

  /** Counts one decision of the plan, those that ask for nothing included. */
  add(decision: Decision): void {
    countDecision(this.counts, decision);
    this.#count(decision, 1);
  }

  /** Counts a path at which both sides are as agreed, which asks for nothing. */
  addAgreed(): void {
    countAgreed(this.counts);
  }

  /** Counts a rename in the place of its two halves, which were counted before: what only moved is not deleted. */
  addRename(rename: Decision): void {
    for (const half of halvesOf(rename) ?? []) this.#count(half, -1);
    this.#count(rename, 1);
    this.forgive(rename.from);
  }

  /** Takes back that a deletion counts for the guard: the file stands at another path on both sides. */
  forgive(gone: Decision | undefined): void {
    if (gone !== undefined) uncountDeletion(this.counts, gone);
  }

  /** Whether both halves of a rename may be in the plan that was made on this side. */
  mayHoldRenames(origin: Side): boolean {
    const { uploads, downloads, compares, localDeletes, remoteDeletes } = this.#totals;
    return origin === 'local'
      ? remoteDeletes > 0 && uploads + compares > 0
      : localDeletes > 0 && downloads + compares > 0;
  }

  #count({ action, local, remote }: Decision, by: 1 | -1): void {
    const totals = this.#totals;
    switch (action) {
      case 'upload':
        totals.uploads += by;
        totals.uploadBytes += by * (local?.sizeBytes ?? 0);
        return;
      case 'download':
        totals.downloads += by;
        totals.downloadBytes += by * (remote?.sizeBytes ?? 0);
        return;
      case 'compare':
        totals.compares += by;
        return;
      case 'delete-local':
        totals.localDeletes += by;
        return;
      case 'delete-remote':
        totals.remoteDeletes += by;
        return;
      case 'move-local':
        totals.localMoves += by;
        return;
      case 'move-remote':
        totals.remoteMoves += by;
        return;
      case 'hold':
        totals.held += by;
        return;
      case 'nothing':
      case 'forget':
      case 'set-aside':
        return;
      default:
        action satisfies never;
    }
  }

  totals(): PlanTotals {
    return { ...this.#totals };
  }
}
