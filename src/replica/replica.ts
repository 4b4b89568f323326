import type { Digest, DigestScheme } from '../core/digest.js';
import type { PartDigests } from '../core/part-digests.js';
import type { Entry, FileEntry, Fingerprint } from '../core/entry.js';
import type { Problem } from '../core/problem.js';
import type { Side } from '../core/side.js';

/** Decides what a scan looks at. Pure; called once per directory and file. */
export interface PathFilter {
  /** Whether the file at this path takes part. */
  includesFile(path: string): boolean;
  /** Whether anything below this directory can take part; `false` lets a scan skip it whole. `path` has no trailing `/`. */
  mayContain(directoryPath: string): boolean;
}

/** Options of {@link Replica.scan}. */
export interface ScanOptions {
  readonly filter: PathFilter;
  readonly signal?: AbortSignal;
  /** The replica may note in its own memory what makes the next scan faster. Default `false`: nothing is written. */
  readonly remember?: boolean;
  /** Given a mark of what was seen once all of it was, by a replica that can make one. */
  readonly onMark?: ((mark: ScanMark) => void) | undefined;
}

/** By what a scan saw, it can be told whether another would see anything else. */
export interface ScanMark {
  /**
   * Whether nothing was added, removed or replaced since: every file has the fingerprint and the time that it had. Costs less than a
   * scan, and no memory. `false` says nothing. Throws as a scan does.
   */
  holds(signal?: AbortSignal): Promise<boolean>;
}

/** A run of entries, in order. */
export interface ScanPage {
  /**
   * In UTF-8 byte order, strictly ascending within and across pages: by `path`, or by `path + '/'` for an entry that stands
   * for a whole directory (`subtree`), which is where the files below it would be. No directories.
   */
  readonly entries: readonly Entry[];
  /** What has no path that could exist on the other side: hostile keys, names that are not UTF-8. In any order. */
  readonly problems: readonly Problem[];
}

/**
 * What a replica tells beforehand of the parts of a content, so that parts one has already need not be read.
 * It may be wrong: only the digest of the whole shows that what was put together is the content.
 */
export interface PartHints {
  readonly partSizeBytes: number;
  /** Digest of the whole in the scheme of these parts, if the replica makes its digests so. */
  readonly digest: Digest;
  /** Whether a part with this MD5 may be the one of this number, counted from 0; `false` is certain if the hints are right. */
  mayBe(part: number, md5: Uint8Array): boolean;
}

/** Content pinned to one observed state of a file. */
export interface Source {
  /** The state the content belongs to. `modifiedMs` is the best known time (metadata included). */
  readonly entry: FileEntry;
  /** What is known of its parts; `undefined` when nothing is. */
  readonly parts?: PartHints | undefined;
  /**
   * Reads the bytes from `start` (inclusive) to `end` (exclusive); may be called repeatedly, in any order and concurrently.
   * Exactly `end - start` bytes are given, or it throws: `StaleError` when the content is not the pinned one any more. The memory
   * of a chunk holds until the next is asked for, or the reading ends.
   */
  read(start: number, end: number, signal?: AbortSignal): AsyncIterable<Uint8Array>;
  /**
   * Fills memory of the caller with the bytes from `start` on, where a source can do so without memory of its own. Fails as
   * `read` does, or throws the same at once. Once it has ended, however it did, nothing more is written to that memory.
   * `undefined`: it has ended.
   */
  readInto?(bytes: Uint8Array, start: number, signal?: AbortSignal): Promise<void> | undefined;
  /**
   * The MD5s of its parts in hex, the last of which is shorter or as long, where a source can make them for less than whoever
   * reads it. Fails as `read` does.
   *
   * @param parts - which of them, counted from 0, ascending; default: all.
   */
  partMd5s?(partSizeBytes: number, signal?: AbortSignal, parts?: readonly number[]): Promise<readonly string[]>;
  /** The whole content, where it is in memory already, until `close`: to be taken instead of read. */
  content?(): Uint8Array | undefined;
  /**
   * Rejects with `StaleError`, or throws it at once, when the file changed since it was opened. Called by the writer just before it
   * commits. `undefined`: it has not changed.
   */
  verify(signal?: AbortSignal): Promise<void> | undefined;
  /** Releases what `open` took. Must be called once; never throws. `undefined`: there is nothing to wait for. */
  close(): Promise<void> | undefined;
}

/**
 * What has to stand at a path for a change to be allowed: `null`, nothing; else a file with this fingerprint.
 */
export type Precondition = { readonly fingerprint: Fingerprint; readonly entry: FileEntry } | null;

/** A conditional change that was not made, because the precondition did not hold. */
export interface Stale {
  readonly outcome: 'stale';
  readonly message: string;
  /** It was made after all, perhaps, and another one after it: its answer was lost, or another one's change came right after it. */
  readonly mayHaveActed?: boolean;
}

/** The result of a conditional change. `stale`: the precondition did not hold, and nothing was changed, as far as can be known. */
export type Outcome<T> = ({ readonly outcome: 'done' } & T) | Stale;

/** What a write leaves behind. */
export interface Written {
  /** The file as it now stands. */
  readonly entry: FileEntry;
  /** Digest of the bytes that were written, verified against the other end where that is possible. */
  readonly digest: Digest | undefined;
  /** MD5s of the parts that the remote object consists of, where they are known for certain. */
  readonly parts?: PartDigests | undefined;
}

/** Why a version was put into the trash. */
export type TrashReason = 'replaced' | 'deleted' | 'lost-conflict' | 'unexpected' | 'resolved' | 'removed';

/** Options of every change. */
export interface ChangeOptions {
  readonly signal?: AbortSignal;
  /** Why the version that is replaced or removed goes. Default: `replaced` for write, `deleted` for remove. */
  readonly reason?: TrashReason;
}

/** Options of {@link Replica.move}. */
export interface MoveOptions extends ChangeOptions {
  /**
   * The copy at the new path is wanted in any case, whatever becomes of the old one: it is not taken away again, and one
   * that stands there already is somebody else's.
   */
  readonly keepsCopy?: boolean;
  /** When the content was last changed, to be recorded with it where the replica records it apart. Default: as it was. */
  readonly modifiedMs?: number | undefined;
}

/** Options of {@link Replica.write}. */
export interface WriteOptions extends ChangeOptions {
  /** Called with the number of bytes that are where they should be since the last call, however they came there. */
  readonly onBytes?: (count: number) => void;
  /** Called when nothing is waited for any more but the disk, which takes many files at a time. */
  readonly onArrived?: (() => void) | undefined;
  /** MD5s of the parts of the version that the precondition names, as an earlier write told them: parts that are the same need not be sent. */
  readonly replacedParts?: PartDigests | undefined;
}

/** What a replica can do, as data. Found out by `prepare`. */
export interface Capabilities {
  /** Conditions on writes are honoured: on every write, on creation only, or not at all (then writes are re-checked before and after). */
  readonly conditionalWrite: 'all' | 'create' | 'none';
  /** Conditions on deletes are honoured. */
  readonly conditionalDelete: boolean;
  /** Two names that differ only by case are two files. */
  readonly caseSensitive: boolean;
  /** Two names that differ only by Unicode form are two files. */
  readonly normalizationSensitive: boolean;
  /** Plain words about limits that a person should be told once. */
  readonly remarks: readonly string[];
}

/** Options of {@link Replica.cleanUp}. */
export interface CleanUpOptions {
  /** A cycle that saw every path has just ended: what it did not go on with is of no use any more. */
  readonly cycleEnded?: boolean;
  readonly signal?: AbortSignal | undefined;
}

/** Options of {@link Replica.prepare}. */
export interface PrepareOptions {
  /** Nothing may be written to this replica, not even to find out what it can do. */
  readonly readonly: boolean;
  readonly signal?: AbortSignal;
}

/**
 * One of the two places that are kept the same.
 *
 * Duties of an implementation:
 * - Paths are relative, valid (`core/path.ts`) and never lead outside the replica's root, whatever links stand there.
 * - A change happens wholly or not at all, and only if its precondition holds at the moment it takes effect;
 *   where a store cannot promise that, the window is as short as it can be made and `capabilities` says so.
 * - No version that somebody wrote is destroyed by `write`, `remove` or `move` unless it is the one named by the precondition
 *   (a local replica keeps even that one, in the trash).
 * - What one path does wrong is a `PathError`; what makes the whole side unusable is any other error.
 * - Methods may be called concurrently for different paths; the caller never runs two changes of one path at once.
 */
export interface Replica {
  readonly side: Side;

  /** Finds out that the place exists and what it can do. Called once, before anything else. Throws when the place cannot be used. */
  prepare(options: PrepareOptions): Promise<Capabilities>;

  /**
   * Walks all files in UTF-8 byte order of their paths. A failure to see everything throws, or appears as a
   * problematic entry; a scan that ends normally has seen everything else.
   */
  scan(options: ScanOptions): AsyncIterable<ScanPage>;

  /** What stands at one path now; `null` when nothing does. Follows no link. The filter is not applied. */
  observe(path: string, signal?: AbortSignal): Promise<Entry | null>;

  /** Whether any file stands below a path, taken as a directory, whatever it is called. The filter is not applied. */
  hasBelow(path: string, signal?: AbortSignal): Promise<boolean>;

  /** Opens the content of a file that was observed. Throws `StaleError` when another version stands there. */
  open(entry: FileEntry, signal?: AbortSignal): Promise<Source>;

  /** Digest of a file's content in a given scheme; `undefined` when it cannot be had without a transfer. Throws `StaleError`. */
  digest(entry: FileEntry, scheme: DigestScheme, signal?: AbortSignal): Promise<Digest | undefined>;

  /** The digest scheme that a write of this many bytes will have, so that the other side can compute the same. */
  schemeFor(sizeBytes: number): DigestScheme;

  /** Tells that about so many files with so many bytes in all are to be written next, so that what serves many of them can be made ready. */
  expectWrites?(writes: { readonly files: number; readonly bytes: number }): void;

  /** Writes a whole file. Calls `source.verify()` just before it takes effect. */
  write(path: string, source: Source, precondition: Precondition, options?: WriteOptions): Promise<Outcome<Written>>;

  /** Removes a file. */
  remove(path: string, precondition: NonNullable<Precondition>, options?: ChangeOptions): Promise<Outcome<object>>;

  /** Gives a file another path on this replica; nothing may stand there. The content is not sent. */
  move(
    path: string,
    to: string,
    precondition: NonNullable<Precondition>,
    options?: MoveOptions,
  ): Promise<Outcome<{ readonly entry: FileEntry }>>;

  /**
   * What stays of a fingerprint when the file gets another path: the files of two fingerprints with the same are likely one
   * file. `undefined`: it cannot be told. Pure; no proof, the content has to be compared.
   */
  identityOf(fingerprint: Fingerprint): string | undefined;

  /**
   * Removes what interrupted runs left behind (staged files, own unfinished uploads) and a later call cannot go on with.
   * Called under the lock, after `prepare`: before the first cycle, and after each that saw every path.
   */
  cleanUp(options?: CleanUpOptions): Promise<void>;

  /** Ends all that is held open. Nothing may be called afterwards. */
  close(): Promise<void>;
}
