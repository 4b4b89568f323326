import type { Decision } from '../core/decision.js';
import type { GuardCounts } from '../core/guard.js';
import type { Triple } from '../core/triple.js';
import type { PlanTotals } from './result.js';

/** Counts what a plan is made of, for the guard and for people. */
export class Tally {
  #known = 0;
  readonly #files = { local: 0, remote: 0 };
  readonly #present = { local: 0, remote: 0 };
  readonly #totals = {
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
    return this.#files.local;
  }

  /** Files seen on the remote side. */
  get remoteFiles(): number {
    return this.#files.remote;
  }

  get known(): number {
    return this.#known;
  }

  /** Counts what was seen at one path that takes part. */
  see({ local, remote, baseline }: Triple): void {
    if (local?.kind === 'file') this.#files.local++;
    if (remote?.kind === 'file') this.#files.remote++;
    if (baseline === undefined) return;
    this.#known++;
    if (local !== null) this.#present.local++;
    if (remote !== null) this.#present.remote++;
  }

  /** Counts one decision. */
  decide(decision: Decision): void {
    const totals = this.#totals;
    switch (decision.action) {
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
        decision.action satisfies never;
    }
  }

  totals(): PlanTotals {
    return { ...this.#totals };
  }

  /** The guard's view: a file missing locally is deleted remotely, and the other way round. */
  guardCounts(): GuardCounts {
    return {
      knownFiles: this.#known,
      local: { files: this.#files.local, knownPresent: this.#present.local, deletions: this.#totals.remoteDeletes },
      remote: { files: this.#files.remote, knownPresent: this.#present.remote, deletions: this.#totals.localDeletes },
    };
  }
}
