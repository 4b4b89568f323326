import type { FactStore } from '../store/state-store.js';
import type { CycleResult, PairStatus } from './result.js';

const FACT = 'last-cycle';

/** How the last cycle ended, for `status`. */
export type LastCycleFact = NonNullable<PairStatus['lastCycle']> & { readonly knownFiles: number };

/** Remembers how the last cycle ended. */
export class LastCycle {
  readonly #facts: FactStore;

  constructor(facts: FactStore) {
    this.#facts = facts;
  }

  async read(): Promise<LastCycleFact | undefined> {
    return this.#facts.get<LastCycleFact>(FACT);
  }

  async succeeded(result: CycleResult): Promise<void> {
    const { changes, settledConflicts, waitingConflicts, errors, notices } = result.counts;
    const fact: LastCycleFact = {
      endedAtMs: result.endedAtMs,
      changes,
      conflicts: settledConflicts + waitingConflicts,
      problems: errors + notices,
      held: result.heldCount,
      knownFiles: Math.min(result.localFiles, result.remoteFiles),
    };
    await this.#facts.put(FACT, fact);
  }

  /** Notes a cycle that looked at some paths only: what was found at all others still stands. */
  async carried({ endedAtMs, changes }: CycleResult): Promise<void> {
    const before = await this.read();
    if (before === undefined) return;
    const { error: _ended, ...standing } = before;
    const change = (operation: string): number => changes.filter((each) => each.operation === operation).length;
    const knownFiles = Math.max(0, before.knownFiles + change('added') - change('deleted'));
    await this.#facts.put(FACT, { ...standing, endedAtMs, changes: changes.length, knownFiles });
  }

  async failed(failure: { readonly code: string; readonly message: string; readonly atMs: number }): Promise<void> {
    const { code, message, atMs } = failure;
    const before = await this.read();
    const fact: LastCycleFact = {
      endedAtMs: atMs,
      changes: 0,
      conflicts: before?.conflicts ?? 0,
      problems: 0,
      held: 0,
      knownFiles: before?.knownFiles ?? 0,
      error: { code, message },
    };
    await this.#facts.put(FACT, fact);
  }
}
