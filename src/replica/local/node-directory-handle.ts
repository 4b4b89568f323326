import * as fs from 'node:fs';
import { promisify } from 'node:util';
import type { DiskTurns } from './disk-turns.js';
import type { DirectoryHandle, DirectoryItem, FileHandle, FileLook, FileStat, FileType } from './file-system.js';
import { NodeFileHandle } from './node-file-handle.js';
import { fromNodeStat } from './node-stat.js';
import type { GlancedDirectory, GlancePlace } from './glanced-directory.js';

const fsyncAsync = promisify(fs.fsync);
const LSTAT = { bigint: true, throwIfNoEntry: false } as const;
/** A directory with more bytes of names than this is read in pieces, so that the event loop is not held for long. */
const LARGE_DIRECTORY_BYTES = 512 * 1024;

/** What the two implementations over `node:fs` share: every call on names below a prefix that stands for the directory. */
export abstract class NodeDirectoryHandle implements DirectoryHandle, GlancedDirectory {
  protected readonly turns: DiskTurns;

  constructor(turns: DiskTurns) {
    this.turns = turns;
  }

  /** A path that leads to `name` in this directory, and nowhere else as far as that can be promised. */
  protected abstract at(name: string): string;
  /** Where many names of this directory may be looked at quickly, or `undefined`. */
  abstract fastPath(): GlancePlace | undefined;
  protected abstract ownStat(): fs.BigIntStats;
  protected abstract child(name: string, fd: number): NodeDirectoryHandle;
  protected abstract descriptor(): number | undefined;
  abstract close(): Promise<void>;

  async stat(): Promise<FileStat> {
    return fromNodeStat(this.ownStat());
  }

  async list(): Promise<DirectoryItem[]> {
    if (this.turns.loop.due) await this.turns.loop.yield();
    if (this.ownStat().size > LARGE_DIRECTORY_BYTES) return await this.#listInPieces();
    // `latin1` gives one character per byte: the names as they are on the disk.
    const found = fs.readdirSync(this.at('.'), { encoding: 'latin1', withFileTypes: true });
    return found.map((item) => this.#itemOf(item));
  }

  async #listInPieces(): Promise<DirectoryItem[]> {
    const items: DirectoryItem[] = [];
    const directory = fs.opendirSync(this.at('.'), { encoding: 'latin1', bufferSize: 512 });
    try {
      for (let count = 1; ; count++) {
        const item = directory.readSync();
        if (item === null) return items;
        items.push(this.#itemOf(item));
        if ((count & 511) === 0 && this.turns.loop.due) await this.turns.loop.yield();
      }
    } finally {
      directory.closeSync();
    }
  }

  #itemOf(item: fs.Dirent): DirectoryItem {
    return { name: item.name, type: typeOf(item) ?? this.#typeByLstat(item.name) };
  }

  /** Some disks do not tell the type with the name. */
  #typeByLstat(name: string): FileType {
    const raw = Buffer.concat([Buffer.from(this.at('')), Buffer.from(name, 'latin1')]);
    const stat = fs.lstatSync(raw, LSTAT);
    return stat === undefined ? 'file' : fromNodeStat(stat).type;
  }

  lstat(name: string): FileStat | null {
    return lookAt(this.at(name));
  }

  get namesAhead(): number {
    return this.turns.queue.namesAhead;
  }

  lstatAll(names: readonly string[]): Promise<(FileLook | null | Error)[]> {
    return this.turns.queue.look(this, names);
  }

  glance(name: string, prefix?: string): FileStat | null | Error {
    try {
      return (prefix === undefined ? null : lookAt(prefix + name)) ?? lookAt(this.at(name));
    } catch (error) {
      return error instanceof Error ? error : new Error(String(error));
    }
  }

  async openDirectory(name: string): Promise<DirectoryHandle> {
    const { O_RDONLY, O_DIRECTORY, O_NOFOLLOW } = fs.constants;
    return this.child(name, fs.openSync(this.at(name), O_RDONLY | (O_DIRECTORY ?? 0) | (O_NOFOLLOW ?? 0)));
  }

  openFile(name: string): FileHandle {
    const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK } = fs.constants;
    return new NodeFileHandle(fs.openSync(this.at(name), O_RDONLY | (O_NOFOLLOW ?? 0) | (O_NONBLOCK ?? 0)));
  }

  async reopenFile(name: string): Promise<FileHandle> {
    const { O_RDWR, O_NOFOLLOW, O_NONBLOCK } = fs.constants;
    return new NodeFileHandle(fs.openSync(this.at(name), O_RDWR | (O_NOFOLLOW ?? 0) | (O_NONBLOCK ?? 0)));
  }

  async createFile(name: string): Promise<FileHandle> {
    const { O_RDWR, O_CREAT, O_EXCL, O_NOFOLLOW } = fs.constants;
    return new NodeFileHandle(fs.openSync(this.at(name), O_RDWR | O_CREAT | O_EXCL | (O_NOFOLLOW ?? 0), 0o666));
  }

  async makeDirectory(name: string, mode?: number): Promise<void> {
    fs.mkdirSync(this.at(name), mode === undefined ? {} : { mode });
  }

  async link(name: string, to: DirectoryHandle, toName: string): Promise<void> {
    fs.linkSync(this.at(name), sameKind(to).at(toName));
  }

  async rename(name: string, to: DirectoryHandle, toName: string): Promise<void> {
    fs.renameSync(this.at(name), sameKind(to).at(toName));
  }

  async unlink(name: string): Promise<void> {
    fs.unlinkSync(this.at(name));
  }

  async removeDirectory(name: string): Promise<void> {
    fs.rmdirSync(this.at(name));
  }

  async sync(): Promise<void> {
    const fd = this.descriptor();
    if (fd !== undefined) await fsyncAsync(fd);
  }
}

function lookAt(path: string): FileStat | null {
  const stat = fs.lstatSync(path, LSTAT);
  return stat === undefined ? null : fromNodeStat(stat);
}

/** As `lstatByPath` of a file system. */
export function lstatByPath(path: string): FileStat | null {
  return lookAt(path);
}

function sameKind(handle: DirectoryHandle): NodeDirectoryHandle {
  if (handle instanceof NodeDirectoryHandle) return handle;
  throw new TypeError('Both directories of a link or rename must come from the same file system.');
}

function typeOf(item: fs.Dirent): FileType | undefined {
  if (item.isFile()) return 'file';
  if (item.isDirectory()) return 'directory';
  if (item.isSymbolicLink()) return 'symlink';
  if (item.isFIFO() || item.isSocket() || item.isBlockDevice() || item.isCharacterDevice()) return 'other';
  return undefined;
}

/** Closes a descriptor, whatever happens. */
export function closeQuietly(fd: number): void {
  try {
    fs.closeSync(fd);
  } catch {
    // A directory was only read through it.
  }
}
