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

/** How a poll goes, by what is known of the one before it. */
export interface PollCourse {
  /** It need not compare: what it would find is known. */
  readonly known?: Findings;
  /** Given what it found, if nothing is to be done and that can be told from a mark of the remote side. */
  readonly onQuiet?: (findings: Findings, mark: ScanMark) => void;
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
  /** Marks in a row that did not hold though nothing was to be done. */
  #inVain = 0;

  /** How the next poll goes. Throws as a scan of the remote side does. */
  async courseOfNext(basis: PollBasis, signal: AbortSignal | undefined): Promise<PollCourse> {
    const quiet = this.#quiet;
    const isSameBasis = quiet?.basis.generation === basis.generation && quiet.basis.filter === basis.filter;
    if (isSameBasis) {
      if (await quiet.mark.holds(signal)) {
        this.#inVain = 0;
        return { known: quiet.findings };
      }
      this.#quiet = undefined;
    }
    if (this.#inVain >= MOST_IN_VAIN) return {};
    return {
      onQuiet: (findings, mark) => {
        // The mark of the last one did not hold, and yet nothing was to be done.
        if (isSameBasis) this.#inVain++;
        this.#quiet = { findings, mark, basis };
      },
    };
  }
}
