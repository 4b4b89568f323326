import type { Decision } from '../core/decision.js';
import { countDecision, emptyCounts, type PlanCounts } from '../core/guard.js';
import type { PlanTotals } from './result.js';

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

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
    const totals = this.#totals;
    const { action } = decision;
    switch (action) {
      case 'upload':
        totals.uploads++;
        totals.uploadBytes += decision.local?.sizeBytes ?? 0;
        return;
      case 'download':
        totals.downloads++;
        totals.downloadBytes += decision.remote?.sizeBytes ?? 0;
        return;
      case 'compare':
        totals.compares++;
        return;
      case 'delete-local':
        totals.localDeletes++;
        return;
      case 'delete-remote':
        totals.remoteDeletes++;
        return;
      case 'hold':
        totals.held++;
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
