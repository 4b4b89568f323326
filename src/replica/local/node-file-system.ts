import * as fs from 'node:fs';
import { DiskTurns } from './disk-turns.js';
import type { DirectoryHandle, FileStat, FileSystem, NewFile, NewPlace } from './file-system.js';
import { NewFiles } from './new-files.js';
import type { WayForThread } from './new-files-program.js';
import { closeQuietly, lstatByPath, NodeDirectoryHandle } from './node-directory-handle.js';
import type { GlancePlace } from './glanced-directory.js';
import { fromNodeStat } from './node-stat.js';

/**
 * The disk of Linux, held by directory descriptors: a name is looked up in the directory that was opened,
 * through `/proc/self/fd`, so that no link planted on the way can lead elsewhere. Needs `/proc`.
 */
export function createNodeFileSystem(newFiles = new NewFiles()): FileSystem {
  const turns = new DiskTurns(newFiles);
  return {
    remarks: [],
    async openRoot(path: string): Promise<DirectoryHandle> {
      const fd = fs.openSync(path, fs.constants.O_RDONLY | fs.constants.O_DIRECTORY);
      return new DescriptorDirectory(turns, fd, path.endsWith('/') ? path : `${path}/`);
    },
    async statRoot(path) {
      // With a slash at its end only a directory is found.
      return fromNodeStat(fs.statSync(path.endsWith('/') ? path : `${path}/`, { bigint: true }));
    },
    lstatByPath,
    announceFile: () => newFiles.announce(),
    expectFiles: (count) => newFiles.expect(count),
  };
}

class DescriptorDirectory extends NodeDirectoryHandle {
  readonly #fd: number;
  readonly #prefix: string;
  /** Where the directory was when it was opened. Believed only after a comparison. */
  readonly #path: string;
  #identity: { readonly dev: bigint; readonly ino: bigint } | undefined;
  #open = true;

  constructor(turns: DiskTurns, fd: number, path: string) {
    super(turns);
    this.#fd = fd;
    this.#prefix = `/proc/self/fd/${fd}/`;
    this.#path = path;
  }

  protected at(name: string): string {
    return this.#prefix + name;
  }

  fastPath(): GlancePlace | undefined {
    const found = fs.statSync(this.#path, { bigint: true, throwIfNoEntry: false });
    const own = (this.#identity ??= this.ownStat());
    if (found === undefined || found.ino !== own.ino || found.dev !== own.dev) return undefined;
    return { prefix: this.#path, inode: own.ino, device: own.dev };
  }

  protected ownStat(): fs.BigIntStats {
    return fs.fstatSync(this.#fd, { bigint: true });
  }

  protected child(name: string, fd: number): NodeDirectoryHandle {
    return new DescriptorDirectory(this.turns, fd, `${this.#path}${name}/`);
  }

  protected descriptor(): number {
    return this.#fd;
  }

  placeFile(name: string, content: NewFile, place: NewPlace, onTaken?: () => void): Promise<FileStat | undefined> {
    const { bytes, modifiedMs } = content;
    const way = wayForThread(place);
    return this.turns.newFiles.place({ path: this.at(name), bytes, modifiedMs, name: place.name, way, onTaken });
  }

  /** What another thread reaches this directory by, as long as it is open. */
  forThread(): { readonly prefix: string; readonly descriptor: number } {
    return { prefix: this.#prefix, descriptor: this.#fd };
  }

  async close(): Promise<void> {
    if (!this.#open) return;
    this.#open = false;
    closeQuietly(this.#fd);
  }
}

/** What a thread is told of each way: the same for all files of a directory. */
const ways = new WeakMap<NewPlace['way'], WayForThread>();

function wayForThread({ directory, way }: NewPlace): WayForThread {
  const known = ways.get(way);
  if (known !== undefined) return known;
  const { root, below } = way;
  const { prefix, descriptor } = sameKind(directory).forThread();
  const made: WayForThread = {
    prefix,
    descriptor,
    landmarks: [
      // With a slash at its end only a directory is found.
      { path: root.path.endsWith('/') ? root.path : `${root.path}/`, identity: root.identity, follows: true },
      ...below.map(({ above, name, identity }) => ({
        path: sameKind(above).forThread().prefix + name,
        identity,
        follows: false,
      })),
    ],
  };
  ways.set(way, made);
  return made;
}

function sameKind(handle: DirectoryHandle): DescriptorDirectory {
  if (handle instanceof DescriptorDirectory) return handle;
  throw new TypeError('All directories on a way must come from the same file system.');
}

/** Whether `/proc/self/fd` leads to open directories here. */
export function hasProcDescriptors(): boolean {
  if (process.platform !== 'linux') return false;
  let fd: number | undefined;
  try {
    fd = fs.openSync('/', fs.constants.O_RDONLY | fs.constants.O_DIRECTORY);
    return fs.statSync(`/proc/self/fd/${fd}/.`).ino === fs.fstatSync(fd).ino;
  } catch {
    return false;
  } finally {
    if (fd !== undefined) closeQuietly(fd);
  }
}
