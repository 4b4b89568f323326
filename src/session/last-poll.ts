import type { PathFilter, ScanMark } from '../replica/replica.js';
import type { Tally } from './tally.js';

/** What a look at both sides found. */
export interface Findings {
  readonly tally: Tally;
  /** A file that stands on both sides as it was agreed; `undefined` when there is none. */
  readonly agreedPath: string | undefined;
}

/** A poll that found nothing to do, and by what it is known whether the next would find anything else. */
interface QuietPoll {
  readonly findings: Findings;
  readonly mark: ScanMark;
  readonly basis: PollBasis;
}

/** What a poll finds depends on, besides the remote side. */
export interface PollBasis {
  /** Names what is remembered: another name after each change of it. */
  readonly generation: string;
  readonly filter: PathFilter;
}

/** After so many marks that were good for nothing no more are made. */
const MOST_IN_VAIN = 3;

/**
 * Remembers the last poll that found nothing to do: the next finds the same where the remote side, the memory and the filter are as
 * they were, of which alone a poll makes its plan, and need not compare them.
 *
 * A store of which the mark of a listing never holds, as one that cannot begin after a key, costs a few requests too many, and is left
 * in peace then.
 */
export class LastPoll {
  #quiet: QuietPoll | undefined;
  #isInVain = false;
  #inVain = 0;

  /** Whether it is worth making a mark. */
  get wantsMark(): boolean {
    return this.#inVain < MOST_IN_VAIN;
  }

  /** What the next poll will find, if that is certain. Throws as a scan of the remote side does. */
  async recall({ generation, filter }: PollBasis, signal: AbortSignal | undefined): Promise<Findings | undefined> {
    const quiet = this.#quiet;
    this.#isInVain = false;
    if (quiet === undefined || quiet.basis.generation !== generation || quiet.basis.filter !== filter) return undefined;
    if (await quiet.mark.holds(signal)) {
      this.#inVain = 0;
      return quiet.findings;
    }
    this.#isInVain = true;
    this.#quiet = undefined;
    return undefined;
  }

  /** Notes a poll that found nothing to do. */
  found(findings: Findings, mark: ScanMark, basis: PollBasis): void {
    if (this.#isInVain) this.#inVain++;
    this.#quiet = { findings, mark, basis };
  }
}
