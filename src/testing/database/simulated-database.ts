import { compareByteOrder } from '../../core/byte-order.js';
import { FileCloudSyncError, LockedError } from '../../errors.js';
import type { Database, DatabaseHome, DatabaseOperation, DatabasePage, KeyRange } from '../../store/database.js';

/** Rows per page: few, so that small databases have several pages. */
const PAGE_ROWS = 16;

/** Steps at which a simulator may wait, fail or crash; each comes just before its effect. */
export type DatabaseStep =
  | 'database.open'
  | 'database.get'
  | 'database.batch'
  | 'database.page'
  | 'database.clear'
  | 'database.read-mark'
  | 'database.write-mark'
  | 'database.close'
  | 'database.put-aside';

/** What a crash takes away: `process` nothing that was written, `power` what was not synced. */
export type CrashKind = 'process' | 'power';

/**
 * A database in memory that survives its processes, as a directory on a disk does.
 *
 * Written batches are volatile until one with `sync` follows; as in LevelDB's log, what a power loss keeps of them is a
 * beginning of the sequence. The mark is durable at once. Deterministic; no timers.
 *
 * @example
 * ```ts
 * const home = new SimulatedDatabaseHome();
 * const database = await home.open();
 * await database.batch([{ type: 'put', key: 'a', value: '1' }], { sync: true });
 * await database.close();
 * ```
 */
export class SimulatedDatabaseHome implements DatabaseHome {
  /** How often a database was put aside. */
  putAsideCount = 0;
  readonly #step: (name: DatabaseStep) => void | Promise<void>;
  #rows = new Map<string, string>();
  #durable = new Map<string, string>();
  #unsynced: (readonly DatabaseOperation[])[] = [];
  #mark: string | undefined;
  #holder: SimulatedDatabase | undefined;

  constructor(options: { readonly step?: (name: DatabaseStep) => void | Promise<void> } = {}) {
    this.#step = options.step ?? (() => undefined);
  }

  /** Batches that a power loss may take away now. */
  get unsyncedBatches(): number {
    return this.#unsynced.length;
  }

  async open(): Promise<Database> {
    await this.#step('database.open');
    if (this.#holder !== undefined) {
      throw new LockedError('ERR_LOCKED', 'The simulated state is open already. Close it first.', { retryable: true });
    }
    this.#holder = new SimulatedDatabase(this, this.#step);
    return this.#holder;
  }

  async putAside(): Promise<void> {
    await this.#step('database.put-aside');
    if (this.#holder !== undefined)
      throw new LockedError('ERR_LOCKED', 'The simulated state is open and cannot be put aside.');
    this.putAsideCount++;
    this.#rows = new Map();
    this.#durable = new Map();
    this.#unsynced = [];
    this.#mark = undefined;
  }

  /**
   * Ends whatever has the database open: its later calls throw, and the lock is free.
   *
   * @param kept with `power`, how many unsynced batches had reached the disk all the same. Default 0.
   */
  crash(kind: CrashKind, kept = 0): void {
    this.#holder?.abandon();
    this.#holder = undefined;
    if (kind === 'process') return;
    for (const operations of this.#unsynced.slice(0, kept)) apply(this.#durable, operations);
    this.#unsynced = [];
    this.#rows = new Map(this.#durable);
  }

  /** Alters what is stored behind everybody's back: for tests of damage. */
  tamper(change: (rows: Map<string, string>, mark: string | undefined) => string | undefined): void {
    this.#mark = change(this.#rows, this.#mark);
    this.#durable = new Map(this.#rows);
    this.#unsynced = [];
  }

  /** @internal */
  read(): ReadonlyMap<string, string> {
    return this.#rows;
  }

  /** @internal */
  write(operations: readonly DatabaseOperation[], sync: boolean): void {
    apply(this.#rows, operations);
    this.#unsynced.push([...operations]);
    if (!sync) return;
    for (const batch of this.#unsynced) apply(this.#durable, batch);
    this.#unsynced = [];
  }

  /** @internal */
  get mark(): string | undefined {
    return this.#mark;
  }

  /** @internal */
  set mark(text: string | undefined) {
    this.#mark = text;
  }

  /** @internal */
  release(database: SimulatedDatabase): void {
    if (this.#holder === database) this.#holder = undefined;
  }
}

class SimulatedDatabase implements Database {
  readonly #home: SimulatedDatabaseHome;
  readonly #step: (name: DatabaseStep) => void | Promise<void>;
  #open = true;

  constructor(home: SimulatedDatabaseHome, step: (name: DatabaseStep) => void | Promise<void>) {
    this.#home = home;
    this.#step = step;
  }

  abandon(): void {
    this.#open = false;
  }

  async get(key: string): Promise<string | undefined> {
    await this.#enter('database.get');
    return this.#home.read().get(key);
  }

  async getMany(keys: readonly string[]): Promise<(string | undefined)[]> {
    await this.#enter('database.get');
    const rows = this.#home.read();
    return keys.map((key) => rows.get(key));
  }

  async batch(operations: readonly DatabaseOperation[], options?: { readonly sync?: boolean }): Promise<void> {
    await this.#enter('database.batch');
    this.#home.write(operations, options?.sync ?? false);
  }

  async *iterate(range: KeyRange): AsyncIterable<DatabasePage> {
    await this.#enter('database.page');
    const rows = sortedRows(this.#home.read(), range);
    for (let start = 0; start < rows.length; start += PAGE_ROWS) {
      if (start > 0) await this.#enter('database.page');
      yield rows.slice(start, start + PAGE_ROWS);
    }
  }

  /** One batch per page of rows, so that a power loss can leave a part. */
  async clear(range: KeyRange): Promise<void> {
    await this.#enter('database.clear');
    const rows = sortedRows(this.#home.read(), range);
    for (let start = 0; start < rows.length; start += PAGE_ROWS) {
      if (start > 0) await this.#enter('database.clear');
      this.#home.write(
        rows.slice(start, start + PAGE_ROWS).map(([key]) => ({ type: 'del', key })),
        false,
      );
    }
  }

  async readMark(): Promise<string | undefined> {
    await this.#enter('database.read-mark');
    return this.#home.mark;
  }

  async writeMark(text: string): Promise<void> {
    await this.#enter('database.write-mark');
    this.#home.mark = text;
  }

  async close(): Promise<void> {
    if (!this.#open) return;
    await this.#enter('database.close');
    this.#open = false;
    this.#home.release(this);
  }

  async #enter(step: DatabaseStep): Promise<void> {
    this.#assertOpen();
    const turn = this.#step(step);
    if (turn !== undefined) await turn;
    // The process may have been crashed while it waited.
    this.#assertOpen();
  }

  #assertOpen(): void {
    if (!this.#open)
      throw new FileCloudSyncError('ERR_STATE_CLOSED', 'The simulated state was used after it was closed.');
  }
}

function apply(rows: Map<string, string>, operations: readonly DatabaseOperation[]): void {
  for (const operation of operations) {
    if (operation.type === 'put') rows.set(operation.key, operation.value);
    else rows.delete(operation.key);
  }
}

function sortedRows(rows: ReadonlyMap<string, string>, { gte, gt, lt }: KeyRange): (readonly [string, string])[] {
  const selected: (readonly [string, string])[] = [];
  for (const row of rows) {
    const [key] = row;
    if (gte !== undefined && compareByteOrder(key, gte) < 0) continue;
    if (gt !== undefined && compareByteOrder(key, gt) <= 0) continue;
    if (lt !== undefined && compareByteOrder(key, lt) >= 0) continue;
    selected.push(row);
  }
  return selected.sort(([a], [b]) => compareByteOrder(a, b));
}
