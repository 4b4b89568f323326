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

/**
 * An ordered store of strings: the port under everything the session remembers.
 * Implemented over `classic-level`, and in memory for simulations (where a crash drops what was not synced).
 */
export interface Database {
  get(key: string): Promise<string | undefined>;
  /** All or nothing. `sync`: durable against power loss when it resolves; otherwise durable against a crash of the process. */
  batch(operations: readonly DatabaseOperation[], options?: { readonly sync?: boolean }): Promise<void>;
  /** Pages of rows in UTF-8 byte order of the key, as they were when the iteration began. */
  iterate(range: KeyRange): AsyncIterable<readonly (readonly [key: string, value: string])[]>;
  /** Removes a range of keys. */
  clear(range: KeyRange): Promise<void>;
  close(): Promise<void>;
}
