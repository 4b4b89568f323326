import { StateDamagedError } from '../errors.js';
import { writeMark } from './baseline-tally.js';
import type { Database, DatabaseOperation } from './database.js';
import { sealValue, unsealValue } from './sealed-value.js';

/** The key of the row that says which format the state has and which pair it belongs to. */
export const VERSION_KEY = 'v';

/** The database of one open store, and what its parts share: sealed values, and the answer to damage. */
export class StateContext {
  readonly database: Database;
  readonly #versionText: string;
  #damaged = false;

  constructor(database: Database, versionText: string) {
    this.database = database;
    this.#versionText = versionText;
  }

  /** Whether damage was found since the store was opened. */
  get isDamaged(): boolean {
    return this.#damaged;
  }

  /** The value behind a key; `undefined` when there is none. Throws `StateDamagedError`. */
  async get(key: string): Promise<unknown> {
    const value = await this.guarded(() => this.database.get(key));
    return value === undefined ? undefined : this.#unseal(key, value);
  }

  /** Pages of keys and values below a prefix. Throws `StateDamagedError`. */
  async *scan(prefix: string): AsyncIterable<readonly (readonly [key: string, value: unknown])[]> {
    const iterator = this.database.iterate(rangeOf(prefix))[Symbol.asyncIterator]();
    try {
      for (;;) {
        const page = await this.guarded(() => iterator.next());
        if (page.done === true) return;
        const rows: (readonly [string, unknown])[] = [];
        for (const [key, value] of page.value) rows.push([key, await this.#unseal(key, value)]);
        yield rows;
      }
    } finally {
      await iterator.return?.();
    }
  }

  /** Changes rows, all or nothing. */
  async batch(operations: readonly DatabaseOperation[], options?: { readonly sync?: boolean }): Promise<void> {
    await this.guarded(() => this.database.batch(operations, options));
  }

  /** Makes everything that was written durable against power loss. */
  async flush(): Promise<void> {
    await this.batch([{ type: 'put', key: VERSION_KEY, value: sealValue(VERSION_KEY, this.#versionText) }], {
      sync: true,
    });
  }

  /** Passes a failure on; when it is damage, the mark says so first, so that the next open rebuilds even if this process dies. */
  async guarded<T>(run: () => Promise<T>): Promise<T> {
    try {
      return await run();
    } catch (error) {
      if (error instanceof StateDamagedError) await this.#rememberDamage();
      throw error;
    }
  }

  /** Remembers that the state is damaged and throws `StateDamagedError`. */
  async damaged(what: string): Promise<never> {
    await this.#rememberDamage();
    throw new StateDamagedError(
      `What is remembered about this folder is not what was written (${what}). ` +
        'It is put aside and rebuilt when it is opened again; no file is deleted because of it.',
    );
  }

  async #unseal(key: string, value: string): Promise<unknown> {
    const text = unsealValue(key, value);
    return text === undefined ? this.damaged(key) : JSON.parse(text);
  }

  async #rememberDamage(): Promise<void> {
    if (this.#damaged) return;
    this.#damaged = true;
    try {
      await writeMark(this.database, { state: 'damaged' });
    } catch {
      // The damage is thrown in any case, and is found again by the next walk.
    }
  }
}

/** An operation that writes a sealed value. */
export function putSealed(key: string, value: unknown): DatabaseOperation {
  return { type: 'put', key, value: sealValue(key, JSON.stringify(value)) };
}

/** The range of all keys that begin with a prefix whose last character is ASCII. */
export function rangeOf(prefix: string): { readonly gte: string; readonly lt: string } {
  return { gte: prefix, lt: prefix.slice(0, -1) + String.fromCharCode(prefix.charCodeAt(prefix.length - 1) + 1) };
}
