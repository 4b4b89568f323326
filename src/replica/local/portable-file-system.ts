import * as fs from 'node:fs';
import * as nodePath from 'node:path';
import { DiskTurns } from './disk-turns.js';
import type { DirectoryHandle, FileSystem } from './file-system.js';
import { closeQuietly, lstatByPath, NodeDirectoryHandle } from './node-directory-handle.js';
import type { GlancePlace } from './glanced-directory.js';
import { fromNodeStat } from './node-stat.js';

/**
 * A disk held by paths, for systems without `/proc`: before each call the directory's real path and identity are
 * compared with what was opened. Weaker than descriptors, and it says so.
 */
export function createPortableFileSystem(): FileSystem {
  const turns = new DiskTurns();
  return {
    remarks: [
      'On this system files are reached by path: each directory is checked just before it is used, ' +
        'but somebody who swaps it for a link in the instant between could lead one operation elsewhere. ' +
        'On Linux (with /proc mounted) directories are held open instead.',
    ],
    async openRoot(path: string): Promise<DirectoryHandle> {
      const { real, stat } = rootAt(path);
      return new PathDirectory(turns, real, stat);
    },
    async statRoot(path) {
      return fromNodeStat(rootAt(path).stat);
    },
    lstatByPath,
  };
}

function rootAt(path: string): { readonly real: string; readonly stat: fs.BigIntStats } {
  const real = fs.realpathSync.native(path);
  const stat = fs.lstatSync(real, { bigint: true });
  if (!stat.isDirectory()) throw errno('ENOTDIR', real);
  return { real, stat };
}

class PathDirectory extends NodeDirectoryHandle {
  readonly #path: string;
  readonly #opened: fs.BigIntStats;

  constructor(turns: DiskTurns, path: string, opened: fs.BigIntStats) {
    super(turns);
    this.#path = path;
    this.#opened = opened;
  }

  protected at(name: string): string {
    // RACE: between this check and the call that uses the path, the directory can be swapped for a link.
    this.#check();
    return name === '' ? this.#path + nodePath.sep : this.#path + nodePath.sep + name;
  }

  fastPath(): GlancePlace | undefined {
    try {
      this.#check();
      return { prefix: this.#path + nodePath.sep, inode: this.#opened.ino, device: this.#opened.dev };
    } catch {
      return undefined;
    }
  }

  protected ownStat(): fs.BigIntStats {
    this.#check();
    return fs.lstatSync(this.#path, { bigint: true });
  }

  #check(): void {
    const now = fs.lstatSync(this.#path, { bigint: true });
    if (!now.isDirectory() || now.ino !== this.#opened.ino || now.dev !== this.#opened.dev) {
      throw errno('ENOTDIR', this.#path);
    }
    if (fs.realpathSync.native(this.#path) !== this.#path) throw errno('ELOOP', this.#path);
  }

  protected child(name: string, fd: number): NodeDirectoryHandle {
    closeQuietly(fd);
    return this.#descend(name);
  }

  override async openDirectory(name: string): Promise<DirectoryHandle> {
    return this.#descend(name);
  }

  #descend(name: string): PathDirectory {
    const path = this.at(name);
    const stat = fs.lstatSync(path, { bigint: true });
    if (!stat.isDirectory()) throw errno('ENOTDIR', path);
    // The name may differ in case or Unicode form from the one on the disk: the real path is the one to compare with.
    const real = fs.realpathSync.native(path);
    if (nodePath.dirname(real) !== this.#path) throw errno('ELOOP', path);
    return new PathDirectory(this.turns, real, stat);
  }

  protected descriptor(): undefined {
    return undefined;
  }

  override async sync(): Promise<void> {
    if (process.platform === 'win32') return; // Windows has no fsync for directories.
    const fd = fs.openSync(this.at('.'), fs.constants.O_RDONLY);
    try {
      fs.fsyncSync(fd);
    } finally {
      closeQuietly(fd);
    }
  }

  async close(): Promise<void> {}
}

function errno(code: string, path: string): Error {
  return Object.assign(new Error(`${code}: the directory at ${path} is not the one that was opened`), { code });
}
