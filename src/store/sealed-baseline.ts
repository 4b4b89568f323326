import type { BaselineRow } from '../core/baseline.js';
import { decodeBaselineRow, encodeBaselineRow } from './baseline-codec.js';
import { addToTally, EMPTY_TALLY, removeFromTally, sameTally, writeMark, type Tally } from './baseline-tally.js';
import type { DatabaseOperation, DatabasePage } from './database.js';
import { PARTS_PREFIX } from './database-parts.js';
import { Mutex } from './mutex.js';
import { sealValue, unsealValue } from './sealed-value.js';
import { rangeOf, type StateContext } from './state-context.js';
import type { BaselineStore } from './state-store.js';

const PREFIX = 'b!';
const RANGE = rangeOf(PREFIX);

/** Which rows there are is remembered up to so many: 2 MiB of memory. */
const MOST_KNOWN_ROWS = 20_000;

/** What is known of the rows without reading them. */
interface KnownRows {
  readonly tally: Tally;
  /** The keys of all rows, where all were written since there was none: what is not among them need not be looked for. */
  readonly keys: Set<string> | undefined;
}

/** Changes that are written together, all or nothing. */
interface Group {
  readonly values: Map<string, string | undefined>;
  sync: boolean;
  written: Promise<void>;
}

/**
 * The baseline over a database, with a tally of its rows.
 *
 * Invariant: when the mark is `clean`, the rows on disk are exactly those of its tally. The mark becomes `open`, durably,
 * before the first row changes, and `clean` again in `settle`, after the rows are durable.
 */
export class SealedBaseline implements BaselineStore {
  readonly #context: StateContext;
  readonly #mutex = new Mutex();
  /** `undefined` after a change that failed half way: the next open counts again. */
  #known: KnownRows | undefined;
  #marked: 'clean' | 'open';
  /** Changes that wait for their turn; more may join them. */
  #waiting: Group | undefined;

  constructor(context: StateContext, tally: Tally, marked: 'clean' | 'open') {
    this.#context = context;
    this.#known = knownOf(tally);
    this.#marked = marked;
  }

  /** Believe the rows only when the walk has ended: lost rows are found at its end. Throws `StateDamagedError`. */
  async *scan(): AsyncIterable<readonly BaselineRow[]> {
    const iterator = this.#context.database.iterate(RANGE)[Symbol.asyncIterator]();
    try {
      // The first page fixes the snapshot, and the tally has to be of the same instant.
      const [first, expected] = await this.#mutex.run(
        async () => [await this.#next(iterator), this.#known?.tally] as const,
      );
      let page = first;
      let seen = EMPTY_TALLY;
      while (page !== undefined) {
        const rows: BaselineRow[] = [];
        for (const [key, value] of page) {
          const row = this.#decode(key, value);
          if (row === undefined) return await this.#context.damaged(key);
          seen = addToTally(seen, value);
          rows.push(row);
        }
        yield rows;
        page = await this.#next(iterator);
      }
      if (expected !== undefined && !sameTally(seen, expected)) {
        await this.#context.damaged(`${seen.rows} rows instead of ${expected.rows}`);
      }
    } finally {
      await iterator.return?.();
    }
  }

  async *scanBelow(directoryPath: string): AsyncIterable<readonly BaselineRow[]> {
    const iterator = this.#context.database.iterate(rangeOf(`${PREFIX}${directoryPath}/`))[Symbol.asyncIterator]();
    try {
      for (let page = await this.#next(iterator); page !== undefined; page = await this.#next(iterator)) {
        const rows: BaselineRow[] = [];
        for (const [key, value] of page) rows.push(this.#decode(key, value) ?? (await this.#context.damaged(key)));
        yield rows;
      }
    } finally {
      await iterator.return?.();
    }
  }

  async get(path: string): Promise<BaselineRow | undefined> {
    const key = PREFIX + path;
    const value = await this.#context.guarded(() => this.#context.database.get(key));
    if (value === undefined) return undefined;
    return this.#decode(key, value) ?? (await this.#context.damaged(key));
  }

  put(rows: readonly BaselineRow[], options?: { readonly sync?: boolean }): Promise<void> {
    return this.#change(rows, options, (values, row) => {
      const key = PREFIX + row.path;
      values.set(key, sealValue(key, encodeBaselineRow(row)));
    });
  }

  delete(paths: readonly string[], options?: { readonly sync?: boolean }): Promise<void> {
    return this.#change(paths, options, (values, path) => values.set(PREFIX + path, undefined));
  }

  async clear(): Promise<void> {
    // What comes after this call must not be written before it.
    this.#waiting = undefined;
    await this.#mutex.run(async () => {
      await this.#markOpen();
      this.#known = undefined;
      await this.#context.guarded(() => this.#context.database.clear(RANGE));
      await this.#context.guarded(() => this.#context.database.clear(rangeOf(PARTS_PREFIX)));
      this.#known = knownOf(EMPTY_TALLY);
    });
  }

  /** Makes every row durable and says in the mark what they are. Does nothing when no row changed since. */
  async settle(): Promise<void> {
    this.#waiting = undefined;
    await this.#mutex.run(async () => {
      if (this.#marked === 'clean' || this.#known === undefined || this.#context.isDamaged) return;
      const { tally } = this.#known;
      await this.#context.flush();
      await writeMark(this.#context.database, { state: 'clean', tally });
      this.#marked = 'clean';
    });
  }

  /** Changes that wait for their turn are written together: a row on its own costs two calls into the database. */
  #change<T>(
    changes: readonly T[],
    options: { readonly sync?: boolean } | undefined,
    add: (values: Group['values'], change: T) => void,
  ): Promise<void> {
    if (changes.length === 0) return Promise.resolve();
    const sync = options?.sync ?? false;
    const joined = this.#waiting;
    const values = joined?.values ?? new Map<string, string | undefined>();
    for (const change of changes) add(values, change);
    if (joined !== undefined) {
      joined.sync ||= sync;
      return joined.written;
    }
    const group: Group = { values, sync, written: Promise.resolve() };
    this.#waiting = group;
    group.written = this.#mutex.run(async () => {
      // Whoever comes from here on waits for the next turn.
      if (this.#waiting === group) this.#waiting = undefined;
      await this.#write(group);
    });
    return group.written;
  }

  async #write({ values, sync }: Group): Promise<void> {
    await this.#markOpen();
    const before = await this.#valuesAt(values.keys());
    const known = this.#known;
    let tally = known?.tally;
    const operations: DatabaseOperation[] = [];
    for (const [key, value] of values) {
      const old = before.get(key);
      if (tally !== undefined && old !== undefined) tally = removeFromTally(tally, old);
      if (tally !== undefined && value !== undefined) tally = addToTally(tally, value);
      operations.push(value === undefined ? { type: 'del', key } : { type: 'put', key, value });
      // Only of content in parts there can be digests of parts.
      if (value === undefined && old !== undefined && this.#decode(key, old)?.digest?.startsWith('md5-') === true)
        operations.push({ type: 'del', key: PARTS_PREFIX + key.slice(PREFIX.length) });
    }
    this.#known = undefined;
    await this.#context.guarded(() => this.#context.database.batch(operations, { sync }));
    if (tally !== undefined) this.#known = { tally, keys: known?.keys && keysAfter(known.keys, values) };
  }

  /** The values that stand at these keys. */
  async #valuesAt(keys: Iterable<string>): Promise<ReadonlyMap<string, string>> {
    const known = this.#known?.keys;
    const asked = known === undefined ? [...keys] : [...keys].filter((key) => known.has(key));
    const values = new Map<string, string>();
    if (asked.length === 0) return values;
    const found = await this.#context.guarded(() => this.#context.database.getMany(asked));
    for (const [index, key] of asked.entries()) {
      const value = found[index];
      if (value !== undefined) values.set(key, value);
    }
    return values;
  }

  async #markOpen(): Promise<void> {
    if (this.#marked === 'open' || this.#context.isDamaged) return;
    await writeMark(this.#context.database, { state: 'open' });
    this.#marked = 'open';
  }

  #decode(key: string, value: string): BaselineRow | undefined {
    const text = unsealValue(key, value);
    return text === undefined ? undefined : decodeBaselineRow(key.slice(PREFIX.length), text);
  }

  async #next(iterator: AsyncIterator<DatabasePage>): Promise<DatabasePage | undefined> {
    const result = await this.#context.guarded(() => iterator.next());
    return result.done === true ? undefined : result.value;
  }
}

function knownOf(tally: Tally): KnownRows {
  return { tally, keys: tally.rows === 0 ? new Set() : undefined };
}

/** Which rows there are after changes; `undefined`: too many to be remembered. */
function keysAfter(keys: Set<string>, values: Group['values']): Set<string> | undefined {
  for (const [key, value] of values) {
    if (value === undefined) keys.delete(key);
    else keys.add(key);
  }
  return keys.size > MOST_KNOWN_ROWS ? undefined : keys;
}
