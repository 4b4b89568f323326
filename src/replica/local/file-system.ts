/** What a name in a directory stands for. `other`: FIFO, socket, device; never opened. */
export type FileType = 'file' | 'directory' | 'symlink' | 'other';

/**
 * A name as the disk holds it: one character per byte (0-255), so that names which are not UTF-8 survive
 * and JavaScript's `<` compares bytes. Names in plain ASCII look like themselves. See `byte-name.ts`.
 */
export type ByteName = string;

/** One name in a directory. */
export interface DirectoryItem {
  readonly name: ByteName;
  readonly type: FileType;
}

/** What the disk says about an inode. Times are nanoseconds since 1970. */
export interface FileStat {
  readonly type: FileType;
  readonly sizeBytes: number;
  readonly mtimeNs: bigint;
  readonly ctimeNs: bigint;
  readonly inode: bigint;
  readonly device: bigint;
  /** Permission bits only. */
  readonly mode: number;
  /** How many names it has. */
  readonly links: number;
}

/** What a scan wants to know of a name. */
export interface FileLook extends Pick<FileStat, 'type' | 'sizeBytes' | 'mtimeNs' | 'ctimeNs' | 'inode'> {
  /** The same in other forms, where they were worked out already. */
  readonly worked?: {
    /** mtime in nanoseconds, inode and ctime in nanoseconds, joined by `-`. */
    readonly exact: string;
    readonly mtimeMs: number;
    readonly ctimeMs: number;
  };
}

/**
 * An open regular file. Errors carry the errno name in `code`, as those of `node:fs`. What may be answered at once may be thrown at
 * once as well.
 */
export interface FileHandle {
  /** The number by which this process knows it, for other threads to read it while it is open. Missing: there is none. */
  readonly descriptor?: number;
  /** What the disk says about the opened file. */
  stat(): FileStat | Promise<FileStat>;
  /** Reads into the whole of `buffer` from `position` on; answers fewer bytes than asked for only at the end of the file. */
  read(buffer: Uint8Array, position: number): number | Promise<number>;
  /** Writes the whole of `bytes` at `position`, or throws. */
  write(bytes: Uint8Array, position: number): Promise<void>;
  /** Sets the time of the last change of content. */
  setModified(modifiedMs: number): Promise<void>;
  /** Sets the permission bits. */
  setMode(mode: number): Promise<void>;
  /** Makes the content durable. After a failure nothing is known about the content. */
  sync(): Promise<void>;
  /** Never throws. `undefined`: there is nothing to wait for. */
  close(): Promise<void> | undefined;
}

/** A whole small file to be made. */
export interface NewFile {
  readonly bytes: Uint8Array;
  /** Time of the last change of content; default: now. */
  readonly modifiedMs: number | undefined;
}

/** Directories from the root on, each in the one before, as they were when they were opened. */
export interface Way {
  readonly root: { readonly path: string; readonly identity: string };
  readonly below: readonly { readonly above: DirectoryHandle; readonly name: string; readonly identity: string }[];
}

/** Where a new file is to stand. */
export interface NewPlace {
  readonly directory: DirectoryHandle;
  readonly name: string;
  /** Leads to the directory. */
  readonly way: Way;
}

/**
 * An open directory, in the manner of `openat`: names are single segments and are looked up in this very directory,
 * wherever it has been moved to and whatever stands at its former path by now. No method follows a symbolic link.
 *
 * Names are ordinary strings, save where `ByteName` is written. What may be answered at once may be thrown at once as well.
 */
export interface DirectoryHandle {
  /**
   * How many names are worth asking `lstatAll` for before its first answer is needed, because several are looked at at once.
   * May change at any time. Default: those of one call.
   */
  readonly namesAhead?: number;
  /** What the disk says about this directory. */
  stat(): Promise<FileStat>;
  /** All names, in any order. */
  list(): Promise<DirectoryItem[]>;
  /** What stands at a name; `null` when nothing does. */
  lstat(name: string): FileStat | null | Promise<FileStat | null>;
  /**
   * What stands at each of many names, in their order: fast, for scans. An answer is `null` only when the name was seen
   * to be missing in this very directory; an error stands in the place of what could not be looked at.
   */
  lstatAll(names: readonly string[]): Promise<(FileLook | null | Error)[]>;
  /** Opens a directory in this one. `ENOTDIR` or `ELOOP` when the name is something else, links included. */
  openDirectory(name: string): Promise<DirectoryHandle>;
  /** Opens a file for reading. Never blocks on a FIFO. The caller checks by `stat` that it is a regular file. */
  openFile(name: string): FileHandle | Promise<FileHandle>;
  /** Opens a file for reading and writing, with the same duties as `openFile`. */
  reopenFile(name: string): Promise<FileHandle>;
  /** Creates a file, for reading and writing; `EEXIST` when anything stands at the name. Mode: 0666 without the umask. */
  createFile(name: string): Promise<FileHandle>;
  /**
   * `createFile`, `write`, `setModified` and `sync` of a file; then, if the way leads there still, `link` to its place, `sync` of that
   * directory, `unlink` of its first name and `stat`: all in one, for many at a time, by another thread.
   *
   * Answers the file in its place, or as it was made if it was changed since. What a step throws is thrown, and the first name is
   * taken away if it can be. Answers `undefined` when the file has no place, for whatever stands there or on the way, or for want of
   * hard links: the steps are to be taken one by one. So they are when the thread has ended; then the place may have been given.
   *
   * @param onTaken - called when nothing is waited for but the disk, and there is room for the content of other files meanwhile.
   */
  placeFile?(name: string, content: NewFile, place: NewPlace, onTaken?: () => void): Promise<FileStat | undefined>;
  /** `EEXIST` when anything stands at the name. */
  makeDirectory(name: string, mode?: number): Promise<void>;
  /** Gives the inode a second name; `EEXIST` when anything stands there. Links are linked themselves. */
  link(name: string, to: DirectoryHandle, toName: string): Promise<void>;
  /** Atomic. Replaces what stands at the new name: callers use names of their own making. */
  rename(name: string, to: DirectoryHandle, toName: string): Promise<void>;
  /** Removes a name that is no directory; `ENOENT` when there is none. */
  unlink(name: string): Promise<void>;
  /** Removes a directory that is empty; `ENOTEMPTY` when it is not. */
  removeDirectory(name: string): Promise<void>;
  /** Makes the names in this directory durable. */
  sync(): Promise<void>;
  /** Never throws. */
  close(): Promise<void>;
}

/** The port between the local replica and the disk. */
export interface FileSystem {
  /** Plain words about what this implementation cannot promise. */
  readonly remarks: readonly string[];
  /** Opens the directory at an absolute path, following links in it. */
  openRoot(path: string): Promise<DirectoryHandle>;
  /** What the disk says about the directory that `openRoot` would open; `ENOTDIR` when it is something else. */
  statRoot(path: string): Promise<FileStat>;
  /**
   * What stands at an absolute path, links on the way to it followed, but not one that stands there; `null` when nothing does. Enough
   * to recognise a file that is known, and for nothing else: what is found may lie anywhere. What may be answered at once may be thrown
   * at once as well.
   */
  lstatByPath(path: string): FileStat | null | Promise<FileStat | null>;
  /**
   * Tells that a small file is to be made and to be given its place. Answers whether `placeFile` has somebody to do it, which is
   * worth it only once many came.
   */
  announceFile?(): boolean;
  /** Tells that about so many small files are to be made soon, so that whoever makes many of them need not wait for many. */
  expectFiles?(count: number): void;
}

/** The errno name of an error, such as `ENOENT`; `undefined` when it has none (`ERR_…` is not one). */
export function errnoOf(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error)) return undefined;
  return typeof error.code === 'string' && /^E[A-Z0-9]+$/.test(error.code) ? error.code : undefined;
}
