import { compareByteOrder } from '../core/byte-order.js';
import type { Decision } from '../core/decision.js';
import type { Filed } from '../core/rename.js';
import type { Journal, Phase } from './state-store.js';

/** About 10 MiB of decisions. */
const MOST_HELD = 20_000;
const PAGE_DECISIONS = 1000;

/** The decisions of one phase by path, and whether they came in the order of their paths. */
interface Held {
  readonly byPath: Map<string, Decision>;
  lastPath: string;
  isInOrder: boolean;
}

/**
 * A journal that keeps a plan in memory while it is short, as most are: to write a decision down and read it again costs a
 * twelfth of carrying out a small one. A longer plan is written to `inner`, with all that comes after.
 *
 * Nothing is lost with the memory: a plan is never gone on with, the next run makes another.
 */
export class ShortJournal implements Journal {
  readonly #inner: Journal;
  readonly #mostHeld: number;
  readonly #held = new Map<Phase, Held>();
  #count = 0;
  #isWritten: boolean;

  /** @param mostHeld - how many decisions a plan may have to be kept in memory. */
  constructor(inner: Journal, mostHeld: number = MOST_HELD) {
    this.#inner = inner;
    this.#mostHeld = mostHeld;
    this.#isWritten = mostHeld === 0;
  }

  async begin(): Promise<void> {
    this.#forget();
    await this.#inner.begin();
  }

  async append(phase: Phase, decisions: readonly Decision[]): Promise<void> {
    if (!this.#isWritten && this.#count + decisions.length > this.#mostHeld) await this.#write();
    if (this.#isWritten) return await this.#inner.append(phase, decisions);
    this.#count += decisions.length;
    const held = this.#heldOf(phase);
    for (const decision of decisions) {
      const { path } = decision;
      held.isInOrder &&= compareByteOrder(held.lastPath, path) < 0;
      held.lastPath = path;
      held.byPath.set(path, decision);
    }
  }

  async *read(phase: Phase): AsyncIterable<readonly Decision[]> {
    if (this.#isWritten) return yield* this.#inner.read(phase);
    const held = this.#held.get(phase);
    if (held === undefined) return;
    const decisions = [...held.byPath.values()];
    if (!held.isInOrder) decisions.sort((a, b) => compareByteOrder(a.path, b.path));
    for (let at = 0; at < decisions.length; at += PAGE_DECISIONS) yield decisions.slice(at, at + PAGE_DECISIONS);
  }

  async remove(phase: Phase, paths: readonly string[]): Promise<void> {
    if (this.#isWritten) return await this.#inner.remove(phase, paths);
    const held = this.#held.get(phase);
    for (const path of paths) held?.byPath.delete(path);
  }

  file(table: string, rows: readonly Filed[]): Promise<void> {
    return this.#inner.file(table, rows);
  }

  filed(table: string): AsyncIterable<readonly Filed[]> {
    return this.#inner.filed(table);
  }

  async clear(): Promise<void> {
    this.#forget();
    await this.#inner.clear();
  }

  #heldOf(phase: Phase): Held {
    let held = this.#held.get(phase);
    if (held === undefined) {
      held = { byPath: new Map(), lastPath: '', isInOrder: true };
      this.#held.set(phase, held);
    }
    return held;
  }

  /** Writes what is held, and keeps nothing from here on. */
  async #write(): Promise<void> {
    this.#isWritten = true;
    for (const [phase, { byPath }] of this.#held) await this.#inner.append(phase, [...byPath.values()]);
    this.#held.clear();
  }

  #forget(): void {
    this.#held.clear();
    this.#count = 0;
    this.#isWritten = this.#mostHeld === 0;
  }
}
