/** One change of a batch. */
export type DatabaseOperation =
  | { readonly type: 'put'; readonly key: string; readonly value: string }
  | { readonly type: 'del'; readonly key: string };

/** A range of keys in UTF-8 byte order. */
export interface KeyRange {
  readonly gte?: string;
  readonly gt?: string;
  readonly lt?: string;
}

/** A run of rows. */
export type DatabasePage = readonly (readonly [key: string, value: string])[];

/**
 * An ordered store of strings: the port under everything the session remembers.
 * Implemented over `classic-level`, and in memory for simulations (where a crash drops what was not synced).
 *
 * What the store itself finds damaged is thrown as `StateDamagedError`. Every call after `close` throws.
 */
export interface Database {
  /** The value of a key; `undefined` when there is none. */
  get(key: string): Promise<string | undefined>;
  /** Values in the order of `keys`. */
  getMany(keys: readonly string[]): Promise<(string | undefined)[]>;
  /** All or nothing. `sync`: durable against power loss when it resolves; otherwise durable against a crash of the process. */
  batch(operations: readonly DatabaseOperation[], options?: { readonly sync?: boolean }): Promise<void>;
  /** Pages of rows in UTF-8 byte order of the key, as they were when the first page was asked for. */
  iterate(range: KeyRange): AsyncIterable<DatabasePage>;
  /** Removes a range of keys. A crash may leave a part of it. */
  clear(range: KeyRange): Promise<void>;
  /** The mark: one short text that lives beside the rows, so that it tells when rows were lost. `undefined`: never written, or gone. */
  readMark(): Promise<string | undefined>;
  /** Replaces the mark, all or nothing; durable against power loss when it resolves. */
  writeMark(text: string): Promise<void>;
  /** Lets go of the files. */
  close(): Promise<void>;
}

/** The place where one pair's database lives. */
export interface DatabaseHome {
  /**
   * Opens the database, creating it when there is none.
   * Throws `StateDamagedError` when it cannot be read, and `LockedError` when it is open already.
   */
  open(): Promise<Database>;
  /** Moves what is there out of the way, so that the next `open` creates an empty database. Nothing may be open. */
  putAside(): Promise<void>;
}
