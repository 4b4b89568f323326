import type { Conflict, ConflictAnswer } from '../core/conflict.js';
import type { TrashItem } from '../replica/trash.js';
import type { SessionListener } from '../session/event.js';
import type { CycleResult, PairStatus, Plan, Verification } from '../session/result.js';

/** Options of a single call on a {@link Pair}. */
export interface PairCallOptions {
  readonly signal?: AbortSignal;
  /** Aborted: no new transfer is begun, those that run are finished and recorded, then the call ends. */
  readonly softSignal?: AbortSignal;
  readonly onEvent?: SessionListener;
  /** How many entries each list of the answer has at most; all are counted, and told by events. Default: all. */
  readonly listed?: number;
}

/** Options of {@link Pair.sync}. */
export interface PairSyncOptions extends PairCallOptions {
  /** Paths of the folder at which something may have changed; only they are looked at where that is enough. Default: everything is. */
  readonly touched?: readonly string[];
  /** The folder is believed to be as it was agreed; only the bucket is looked at where that is enough. Default `false`. */
  readonly poll?: boolean;
  /** Deletions that calls with `touched` or `poll` carried to the bucket since the last one that looked at everything. Default 0. */
  readonly deletedBefore?: number;
}

/** What a `restore` did. */
export interface Restored {
  readonly item: TrashItem;
  /** Where it was put: its own path, or a conflict name when something else stands there. */
  readonly path: string;
}

/**
 * A folder and a bucket (or a prefix of it), opened for work: what `sync`, the monitor and every command stand on.
 * Holds the lock on the pair until it rests or is closed.
 */
export interface Pair {
  /** Runs one cycle. Throws `HaltError`, `S3ConnectionError`, `FileCloudSyncError`; what one path does wrong is in the result. */
  sync(options?: PairSyncOptions): Promise<CycleResult>;
  /**
   * Lets others have the pair until `sync` is called again, which waits and throws as opening it does. Connections, and what was
   * found out about both sides, are kept.
   */
  rest(): Promise<void>;
  /** What `sync` would do. Touches nothing. */
  plan(options?: PairCallOptions): Promise<Plan>;
  status(): Promise<PairStatus>;
  /** Conflicts that wait for a person. */
  conflicts(): Promise<Conflict[]>;
  /** Settles one waiting conflict. Throws `PathError` `ERR_CONFLICT_NOT_FOUND`. */
  resolve(path: string, answer: Exclude<ConflictAnswer, 'manual'>, options?: PairCallOptions): Promise<CycleResult>;
  trash(): Promise<TrashItem[]>;
  /** Deletes items of the trash for good; answers how many. */
  purgeTrash(select: (item: TrashItem) => boolean): Promise<number>;
  /** Brings versions back into the folder, and so to the bucket: by item ids or paths (the newest version of each), or all of a run. */
  restore(
    what: { readonly ids: readonly string[] } | { readonly paths: readonly string[] } | { readonly runId: string },
    options?: PairCallOptions,
  ): Promise<Restored[]>;
  /** Compares both sides and the baseline; changes nothing. `sample`: share of files compared by content, 0 to 1. Default 1. */
  verify(options?: PairCallOptions & { readonly sample?: number }): Promise<Verification>;
  /** Drops all that is remembered about the pair; touches no file. */
  forget(): Promise<void>;
  /**
   * Deletes the folder, its trash, and all that is remembered about the pair. Only files that are as both sides last agreed are
   * deleted, with `unsynced` also those that were never uploaded. When anything else stands in the folder, it throws
   * `FileCloudSyncError` `ERR_FOLDER_KEPT` that names it, and has deleted nothing (or only what it could before that
   * appeared); the memory is dropped before the first file is, so that no deletion is ever carried to the bucket.
   */
  removeFolder(options: { readonly unsynced: boolean; readonly signal?: AbortSignal }): Promise<void>;
  close(): Promise<void>;
}
