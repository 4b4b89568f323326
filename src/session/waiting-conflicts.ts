import type { Conflict } from '../core/conflict.js';
import type { FactStore } from '../store/state-store.js';

const PREFIX = 'conflict:';

/** A conflict that waits for a person, with the versions it is about. */
export interface WaitingConflict {
  readonly conflict: Conflict;
  /** Fingerprints of the two versions; `null` where that side has none of its own (a directory stands there). */
  readonly local: string | null;
  readonly remote: string | null;
  readonly sinceMs: number;
}

/** Remembers conflicts that wait for a person; they dissolve by themselves when the sides agree again. */
export class WaitingConflicts {
  readonly #facts: FactStore;

  constructor(facts: FactStore) {
    this.#facts = facts;
  }

  async get(path: string): Promise<WaitingConflict | undefined> {
    return this.#facts.get<WaitingConflict>(PREFIX + path);
  }

  async put(waiting: WaitingConflict): Promise<void> {
    await this.#facts.put(PREFIX + waiting.conflict.path, waiting);
  }

  async delete(path: string): Promise<void> {
    await this.#facts.delete(PREFIX + path);
  }

  async list(): Promise<WaitingConflict[]> {
    const rows = await this.#facts.list<WaitingConflict>(PREFIX);
    return rows.map(([, waiting]) => waiting);
  }
}
