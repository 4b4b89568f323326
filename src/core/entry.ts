import type { Problem } from './problem.js';

/**
 * Cheap evidence that one side of a path is unchanged: an opaque string, made by the replica
 * (local: size, mtime, ctime, inode; S3: ETag, size). Two fingerprints of one replica and one path are
 * equal only if the content was not changed in between, as far as the replica can tell without reading it.
 */
export type Fingerprint = string;

/** A regular file, or an object. */
export interface FileEntry {
  readonly kind: 'file';
  /** Relative path with `/` between segments; also the key, without the prefix. */
  readonly path: string;
  readonly sizeBytes: number;
  readonly fingerprint: Fingerprint;
  /**
   * When the content was last changed, in milliseconds since 1970 (with a fraction), on the clock of this machine.
   * `undefined`: not known from what was read (a listing of S3 gives the time of upload only, see `modifiedSource`).
   */
  readonly modifiedMs: number | undefined;
  /** `mtime`: a file's own time, or the one recorded with the object. `server`: when the store received it, corrected for its clock. */
  readonly modifiedSource: 'mtime' | 'server';
  /** Content digest, when the replica knows one without reading the content (see `digest.ts`). */
  readonly digest?: string;
  /**
   * The content may have been changed again after it was observed without the fingerprint showing it
   * (git's "racy" file): the session hashes it in the next cycle. Only local replicas set it.
   */
  readonly racy?: boolean;
}

/** A directory. Scans do not emit it; `observe` answers it. */
export interface DirectoryEntry {
  readonly kind: 'directory';
  readonly path: string;
}

/** A symbolic link, which is not followed. Nothing below `path` is looked at on this side. */
export interface SymlinkEntry {
  readonly kind: 'symlink';
  readonly path: string;
}

/** Exists, but is not synchronised: excluded by a filter, or of a kind that is never opened (FIFO, socket, device). */
export interface UntrackedEntry {
  readonly kind: 'untracked';
  readonly path: string;
  readonly reason: 'filter' | 'special';
  /** Everything below `path` is untracked as well. */
  readonly subtree: boolean;
}

/** Exists or may exist, but could not be looked at. Never means "deleted". */
export interface ProblematicEntry {
  readonly kind: 'problematic';
  readonly path: string;
  readonly problem: Problem;
  /** Everything below `path` is problematic as well (an unreadable directory). */
  readonly subtree: boolean;
}

/** What stands at one path on one side. */
export type Entry = FileEntry | DirectoryEntry | SymlinkEntry | UntrackedEntry | ProblematicEntry;
