import type { PathChange } from '../core/change.js';
import type { Conflict } from '../core/conflict.js';
import type { Decision } from '../core/decision.js';
import type { Problem } from '../core/problem.js';
import type { SessionEvent, SessionListener } from './event.js';
import type { CycleResult, HeldPath } from './result.js';
import { seenOf } from './seen.js';
import type { Tally } from './tally.js';

/** How many held paths a result names. */
const HELD_NAMED = 1000;

/** Gathers what one cycle did, and tells it as it happens. A listener that throws changes nothing. */
export class Report {
  readonly #listener: SessionListener | undefined;
  readonly #changes: PathChange[] = [];
  readonly #conflicts: Conflict[] = [];
  readonly #problems = new Map<string, Problem>();
  readonly #held: HeldPath[] = [];
  #heldCount = 0;
  #uploadedBytes = 0;
  #downloadedBytes = 0;
  #hashedFiles = 0;

  constructor(listener: SessionListener | undefined) {
    this.#listener = listener;
  }

  get changes(): readonly PathChange[] {
    return this.#changes;
  }

  get problems(): readonly Problem[] {
    return Array.from(this.#problems.values());
  }

  get held(): readonly HeldPath[] {
    return this.#held;
  }

  tell(event: SessionEvent): void {
    try {
      this.#listener?.(event);
    } catch {
      // A listener is not part of the cycle: whatever it throws is its own affair.
    }
  }

  change(change: PathChange): void {
    this.#changes.push(change);
  }

  conflict(conflict: Conflict): void {
    this.#conflicts.push(conflict);
    this.tell({ type: 'conflict', conflict });
  }

  /** One problem of a kind per path and side: an unreadable directory is met at each path below it. */
  problem(problem: Problem): void {
    const id = `${problem.side}\0${problem.code}\0${problem.path}`;
    if (this.#problems.has(id)) return;
    this.#problems.set(id, problem);
    this.tell({ type: 'problem', problem });
  }

  decision(decision: Decision): void {
    if (this.#listener === undefined) return;
    const { path, action, rule, hold, from } = decision;
    this.tell({
      type: 'decision',
      path,
      action,
      rule,
      ...(from !== undefined && { from: from.path }),
      ...(hold !== undefined && { reason: hold }),
      seen: seenOf(decision),
    });
  }

  hold({ path, rule, hold }: Decision): void {
    const reason = hold ?? 'problem';
    this.#heldCount++;
    if (this.#held.length < HELD_NAMED) this.#held.push({ path, rule, reason });
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
    readonly tally: Tally;
    readonly rebuilt: boolean;
    readonly startedAtMs: number;
    readonly endedAtMs: number;
  }): CycleResult {
    return {
      runId: facts.runId,
      changes: this.#changes,
      conflicts: this.#conflicts,
      problems: this.problems,
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
}
