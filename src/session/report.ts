import type { PathChange } from '../core/change.js';
import type { Conflict } from '../core/conflict.js';
import type { Decision } from '../core/decision.js';
import { detachedText } from '../core/detached-text.js';
import type { Mutable } from '../core/mutable.js';
import type { Problem } from '../core/problem.js';
import type { SessionEvent, SessionListener } from './event.js';
import type { CycleCounts, CycleResult, HeldPath } from './result.js';
import { seenOf } from './seen.js';
import type { Tally } from './tally.js';

/** How many held paths a result names. */
const HELD_NAMED = 1000;
/** Problems that are remembered as told, when the lists are bounded: those of one directory are met one after the other. */
const TOLD_REMEMBERED = 10_000;

/**
 * Gathers what one cycle did, and tells it as it happens. A listener that throws changes nothing.
 *
 * Memory: what is listed. Without a bound every change is; with one, more is counted and told, and not kept.
 */
export class Report {
  readonly #listener: SessionListener | undefined;
  readonly #listed: number;
  readonly #changes: PathChange[] = [];
  #conflicts: Conflict[] = [];
  readonly #problems: Problem[] = [];
  readonly #told = new Set<string>();
  readonly #held: HeldPath[] = [];
  readonly #counts: Mutable<CycleCounts> = {
    changes: 0,
    uploads: 0,
    downloads: 0,
    renames: 0,
    deletions: 0,
    settledConflicts: 0,
    waitingConflicts: 0,
    errors: 0,
    notices: 0,
  };
  #heldCount = 0;
  #uploadedBytes = 0;
  #downloadedBytes = 0;
  #hashedFiles = 0;

  /** @param listed - how many entries each list has at most. */
  constructor(listener: SessionListener | undefined, listed = Infinity) {
    this.#listener = listener;
    this.#listed = listed;
  }

  get changes(): readonly PathChange[] {
    return this.#changes;
  }

  get problems(): readonly Problem[] {
    return this.#problems;
  }

  get held(): readonly HeldPath[] {
    return this.#held;
  }

  get counts(): CycleCounts {
    return { ...this.#counts };
  }

  /** What was done stays, what was found is found again: a cycle may have to begin anew. */
  begin(runId: string): void {
    this.#problems.length = 0;
    this.#held.length = 0;
    this.#told.clear();
    this.#conflicts = this.#conflicts.filter(({ resolution }) => resolution !== 'manual');
    Object.assign(this.#counts, { waitingConflicts: 0, errors: 0, notices: 0 });
    this.#heldCount = 0;
    this.tell({ type: 'begin', runId });
  }

  tell(event: SessionEvent): void {
    try {
      this.#listener?.(event);
    } catch {
      // A listener is not part of the cycle: whatever it throws is its own affair.
    }
  }

  change(change: PathChange): void {
    const { operation, origin, from, to } = change;
    this.#counts.changes++;
    this.#list(change);
    if (from !== undefined) this.#counts.renames++;
    // The other half of a rename: nothing was deleted.
    if (from !== undefined || to !== undefined) return;
    if (operation === 'deleted') this.#counts.deletions++;
    else if (origin === 'local') this.#counts.uploads++;
    else this.#counts.downloads++;
  }

  /** A change that a cycle would carry over. */
  planned(change: PathChange): void {
    this.#list(change);
    this.tell({ type: 'change', change });
  }

  conflict(conflict: Conflict): void {
    if (conflict.resolution === 'manual') this.#counts.waitingConflicts++;
    else this.#counts.settledConflicts++;
    if (this.#conflicts.length < this.#listed) this.#conflicts.push(conflict);
    this.tell({ type: 'conflict', conflict });
  }

  /** One problem of a kind per path and side: an unreadable directory is met at each path below it. */
  problem(problem: Problem): void {
    const id = detachedText(`${problem.side}\0${problem.code}\0${problem.path}`);
    if (this.#told.has(id)) return;
    this.#told.add(id);
    if (this.#told.size > Math.max(this.#listed, TOLD_REMEMBERED)) this.#forgetOldest();
    if (problem.severity === 'error') this.#counts.errors++;
    else this.#counts.notices++;
    if (this.#problems.length < this.#listed) {
      const { path, message } = problem;
      this.#problems.push({ ...problem, path: detachedText(path), message: detachedText(message) });
    }
    this.tell({ type: 'problem', problem });
  }

  decision(decision: Decision): void {
    if (this.#listener === undefined) return;
    const { path, action, rule, hold, from } = decision;
    const seen = seenOf(decision);
    if (from !== undefined) this.tell({ type: 'decision', path, action, rule, from: from.path, seen });
    else if (hold !== undefined) this.tell({ type: 'decision', path, action, rule, reason: hold, seen });
    else this.tell({ type: 'decision', path, action, rule, seen });
  }

  hold({ path, rule, hold }: Decision): void {
    const reason = hold ?? 'problem';
    this.#heldCount++;
    if (this.#held.length < HELD_NAMED) this.#held.push({ path: detachedText(path), rule, reason });
    this.tell({ type: 'held', path, rule, reason });
  }

  bytes(path: string, direction: 'up' | 'down', count: number): void {
    if (direction === 'up') this.#uploadedBytes += count;
    else this.#downloadedBytes += count;
    this.tell({ type: 'bytes', path, count });
  }

  hashed(): void {
    this.#hashedFiles++;
  }

  result(facts: {
    readonly runId: string;
    readonly touchedPaths?: number | undefined;
    readonly poll?: true | undefined;
    readonly tally: Tally;
    readonly rebuilt: boolean;
    readonly startedAtMs: number;
    readonly endedAtMs: number;
  }): CycleResult {
    return {
      runId: facts.runId,
      ...(facts.touchedPaths !== undefined && { touchedPaths: facts.touchedPaths }),
      ...(facts.poll === true && { poll: true }),
      counts: this.counts,
      changes: this.#changes,
      conflicts: this.#conflicts,
      problems: this.#problems,
      held: this.#held,
      heldCount: this.#heldCount,
      localFiles: facts.tally.localFiles,
      remoteFiles: facts.tally.remoteFiles,
      uploadedBytes: this.#uploadedBytes,
      downloadedBytes: this.#downloadedBytes,
      hashedFiles: this.#hashedFiles,
      rebuilt: facts.rebuilt,
      startedAtMs: facts.startedAtMs,
      endedAtMs: facts.endedAtMs,
    };
  }

  #list(change: PathChange): void {
    if (this.#changes.length < this.#listed) this.#changes.push({ ...change, path: detachedText(change.path) });
  }

  #forgetOldest(): void {
    for (const id of this.#told) {
      this.#told.delete(id);
      return;
    }
  }
}
