import type { BaselineRow } from '../core/baseline.js';
import type { PartDigests } from '../core/part-digests.js';
import type { Decision } from '../core/decision.js';
import type { Filed } from '../core/rename.js';

/** The phases in which a plan is carried out. `room`: what makes room for a directory or a file (R15); `move`: renames. */
export type Phase = 'room' | 'move' | 'transfer' | 'delete';

/** What both sides last agreed on, path by path. */
export interface BaselineStore {
  /** Pages of rows in UTF-8 byte order of the path, as they were when the iteration began. */
  scan(): AsyncIterable<readonly BaselineRow[]>;
  get(path: string): Promise<BaselineRow | undefined>;
  /** Pages of the rows below a directory, like `scan`; that none is missing is not known. */
  scanBelow(directoryPath: string): AsyncIterable<readonly BaselineRow[]>;
  /** `sync`: durable against power loss when it resolves. */
  put(rows: readonly BaselineRow[], options?: { readonly sync?: boolean }): Promise<void>;
  delete(paths: readonly string[], options?: { readonly sync?: boolean }): Promise<void>;
  /** Drops every row. */
  clear(): Promise<void>;
}

/** The plan of the running cycle, on disk, so that its size is not bounded by memory. Emptied by `begin` and `clear`. */
export interface Journal {
  begin(): Promise<void>;
  append(phase: Phase, decisions: readonly Decision[]): Promise<void>;
  /** Decisions of one phase, in pages, in UTF-8 byte order of the path. */
  read(phase: Phase): AsyncIterable<readonly Decision[]>;
  /** Takes decisions out of a phase. */
  remove(phase: Phase, paths: readonly string[]): Promise<void>;
  /** Files decisions in a table of the caller's, which is emptied with the rest. */
  file(table: string, rows: readonly Filed[]): Promise<void>;
  /** The rows of a table, in pages, in UTF-8 byte order of the key, then of the path. */
  filed(table: string): AsyncIterable<readonly Filed[]>;
  clear(): Promise<void>;
}

/** A multipart upload that was begun by this machine. */
export interface UploadRecord {
  readonly path: string;
  readonly uploadId: string;
  /** The local file it sends. */
  readonly fingerprint: string;
  readonly partSizeBytes: number;
  readonly startedAtMs: number;
}

/** Uploads in progress, so that a later run can go on with or abort them. */
export interface UploadStore {
  get(path: string): Promise<UploadRecord | undefined>;
  put(record: UploadRecord): Promise<void>;
  delete(path: string, uploadId: string): Promise<void>;
  list(): Promise<UploadRecord[]>;
}

/** MD5s of the parts of large objects, so that an edit sends only what differs. Dropped with the path's row of the baseline. */
export interface PartsStore {
  /** `undefined` when the parts of this version are not known. */
  get(path: string, fingerprint: string): Promise<PartDigests | undefined>;
  /** Replaces what is known of the path. */
  put(path: string, fingerprint: string, parts: PartDigests): Promise<void>;
}

/** Small facts that outlive a run: probe results, the root's identity, what the last run found. */
export interface FactStore {
  get<T>(name: string): Promise<T | undefined>;
  put(name: string, value: unknown): Promise<void>;
  delete(name: string): Promise<void>;
  /** All facts whose name begins with `prefix`, in byte order of the name. Read in pages underneath; meant for hundreds, not millions. */
  list<T>(prefix: string): Promise<(readonly [name: string, value: T])[]>;
}

/** Everything a session remembers about one pair of folder and bucket. */
export interface StateStore {
  readonly baseline: BaselineStore;
  readonly journal: Journal;
  readonly uploads: UploadStore;
  readonly parts: PartsStore;
  readonly facts: FactStore;
  /** `true` when the state was found damaged or of an unknown version and was put aside: the baseline starts empty. */
  readonly rebuilt: boolean;
  close(): Promise<void>;
}
