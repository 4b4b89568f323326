import type { Decision } from '../core/decision.js';
import { filedOrder, type Filed } from '../core/rename.js';
import { putSealed, rangeOf, type StateContext } from './state-context.js';
import type { Journal, Phase } from './state-store.js';

const PREFIX = 'j!';

/** The journal over a database, one row per phase and path: a second decision for the same path and phase replaces the first. */
export class DatabaseJournal implements Journal {
  readonly #context: StateContext;
  /** What is done after the journal was cleared, which is where a cycle ends. */
  readonly #onClear: () => Promise<void>;
  /** Spares the walk over what LevelDB has deleted but not yet dropped. */
  #knownEmpty = false;

  constructor(context: StateContext, onClear: () => Promise<void>) {
    this.#context = context;
    this.#onClear = onClear;
  }

  begin(): Promise<void> {
    return this.#empty();
  }

  async append(phase: Phase, decisions: readonly Decision[]): Promise<void> {
    if (decisions.length === 0) return;
    this.#knownEmpty = false;
    await this.#context.batch(decisions.map((decision) => putSealed(`${PREFIX}${phase}!${decision.path}`, decision)));
  }

  async *read(phase: Phase): AsyncIterable<readonly Decision[]> {
    if (this.#knownEmpty) return;
    for await (const page of this.#context.scan(`${PREFIX}${phase}!`)) {
      yield page.map(([, value]) => value as Decision);
    }
  }

  async remove(phase: Phase, paths: readonly string[]): Promise<void> {
    if (paths.length === 0) return;
    await this.#context.batch(paths.map((path) => ({ type: 'del', key: `${PREFIX}${phase}!${path}` })));
  }

  async file(table: string, rows: readonly Filed[]): Promise<void> {
    if (rows.length === 0) return;
    this.#knownEmpty = false;
    await this.#context.batch(rows.map((row) => putSealed(`${PREFIX}${table}!${filedOrder(row)}`, row)));
  }

  async *filed(table: string): AsyncIterable<readonly Filed[]> {
    if (this.#knownEmpty) return;
    for await (const page of this.#context.scan(`${PREFIX}${table}!`)) {
      yield page.map(([, value]) => value as Filed);
    }
  }

  async clear(): Promise<void> {
    await this.#empty();
    await this.#onClear();
  }

  async #empty(): Promise<void> {
    if (this.#knownEmpty) return;
    await this.#context.guarded(() => this.#context.database.clear(rangeOf(PREFIX)));
    this.#knownEmpty = true;
  }
}
