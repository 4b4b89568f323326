import { encodeByteName } from '../../replica/local/byte-name.js';
import type {
  DirectoryHandle,
  DirectoryItem,
  FileHandle,
  FileStat,
  NewFile,
  NewPlace,
} from '../../replica/local/file-system.js';
import { fillNewFile } from '../../replica/local/fill-new-file.js';
import { identityOfStat, leadsOnStill } from '../../replica/local/folder.js';
import type { SimulatedDisk } from './simulated-disk.js';
import type { Inode } from './simulated-inode.js';

/** Passed before every operation. */
export interface Gate {
  /** Waits for the step; answers the errno with which the operation has to fail, if any. Throws after a crash. */
  enter(operation: string, epoch: number): Promise<string | undefined>;
  alive(epoch: number): boolean;
  /** What stands at a path of the disk. */
  find(path: string): Inode | undefined;
  /** Told of each handle that is opened (1) and closed (-1). */
  opened(count: 1 | -1): void;
}

/** An error as `node:fs` throws it. */
export function errnoError(code: string, what: string): Error {
  return Object.assign(new Error(`${code}: ${what}`), { code });
}

/** What the disk says about an inode. */
export function statOf(inode: Inode): FileStat {
  return {
    type: inode.type,
    sizeBytes: inode.content.bytes.length,
    mtimeNs: inode.content.mtimeNs,
    ctimeNs: inode.ctimeNs,
    inode: inode.number,
    device: 1n,
    mode: inode.mode,
    links: inode.links,
  };
}

class SimulatedHandle {
  protected readonly disk: SimulatedDisk;
  protected readonly gate: Gate;
  protected readonly epoch: number;
  readonly inode: Inode;
  protected readonly path: string;
  protected isOpen = true;

  constructor(disk: SimulatedDisk, gate: Gate, epoch: number, inode: Inode, path: string) {
    this.disk = disk;
    this.gate = gate;
    this.epoch = epoch;
    this.inode = inode;
    this.path = path;
    this.gate.opened(1);
  }

  protected async pass(operation: string, name?: string): Promise<void> {
    const what = name === undefined ? `${operation} ${this.path}` : `${operation} ${this.path}/${name}`;
    if (!this.isOpen) throw errnoError('EBADF', what);
    const failure = await this.gate.enter(what, this.epoch);
    if (failure !== undefined) throw errnoError(failure, what);
  }

  async stat(): Promise<FileStat> {
    await this.pass('stat');
    return statOf(this.inode);
  }

  async close(): Promise<void> {
    if (this.isOpen && this.gate.alive(this.epoch)) this.gate.opened(-1);
    this.isOpen = false;
  }
}

/** A directory of a simulated disk. */
export class SimulatedDirectory extends SimulatedHandle implements DirectoryHandle {
  /** Few, but enough for a scan to run ahead as it does on a real disk. */
  readonly namesAhead = 8;

  async list(): Promise<DirectoryItem[]> {
    await this.pass('list');
    const items: DirectoryItem[] = [];
    for (const { name, inode } of this.inode.slots.values())
      items.push({ name: encodeByteName(name), type: inode.type });
    return items;
  }

  async lstat(name: string): Promise<FileStat | null> {
    await this.pass('lstat', name);
    const inode = this.disk.get(this.inode, name);
    return inode === undefined ? null : statOf(inode);
  }

  async lstatAll(names: readonly string[]): Promise<(FileStat | null | Error)[]> {
    const answers: (FileStat | null | Error)[] = [];
    for (const name of names) {
      try {
        answers.push(await this.lstat(name));
      } catch (error) {
        if (!this.gate.alive(this.epoch) || !(error instanceof Error)) throw error;
        answers.push(error);
      }
    }
    return answers;
  }

  async openDirectory(name: string): Promise<DirectoryHandle> {
    await this.pass('openDirectory', name);
    const inode = this.#get(name);
    if (inode.type === 'symlink') throw errnoError('ELOOP', `${this.path}/${name}`);
    if (inode.type !== 'directory') throw errnoError('ENOTDIR', `${this.path}/${name}`);
    if (inode.unreadable) throw errnoError('EACCES', `${this.path}/${name}`);
    return new SimulatedDirectory(this.disk, this.gate, this.epoch, inode, `${this.path}/${name}`);
  }

  openFile(name: string): Promise<FileHandle> {
    return this.#open('openFile', name);
  }

  reopenFile(name: string): Promise<FileHandle> {
    return this.#open('reopenFile', name);
  }

  async #open(operation: string, name: string): Promise<FileHandle> {
    await this.pass(operation, name);
    const inode = this.#get(name);
    if (inode.type === 'symlink') throw errnoError('ELOOP', `${this.path}/${name}`);
    if (inode.unreadable) throw errnoError('EACCES', `${this.path}/${name}`);
    return this.#file(inode, name);
  }

  async createFile(name: string): Promise<FileHandle> {
    await this.pass('createFile', name);
    this.#checkRoom(name);
    const inode = this.disk.create('file', 0o644);
    this.disk.change({ directory: this.inode, name, inode });
    return this.#file(inode, name);
  }

  async placeFile(
    name: string,
    content: NewFile,
    place: NewPlace,
    onTaken?: () => void,
  ): Promise<FileStat | undefined> {
    if (this.disk.traits.makesMany !== true) return undefined;
    onTaken?.();
    const file = await this.createFile(name);
    try {
      return await this.#fillAndPlace(file, name, content, place);
    } finally {
      await file.close();
    }
  }

  async #fillAndPlace(
    file: FileHandle,
    name: string,
    content: NewFile,
    place: NewPlace,
  ): Promise<FileStat | undefined> {
    let made: FileStat;
    let isPlaced: boolean | undefined;
    try {
      made = await fillNewFile(file, content);
      isPlaced = await this.#quietly(() => this.#linkAlong(name, place));
      if (isPlaced === true) await place.directory.sync();
    } catch (error) {
      await this.#quietly(() => this.unlink(name));
      throw error;
    }
    await this.#quietly(() => this.unlink(name));
    if (isPlaced !== true) return undefined;
    const stat = (await this.#quietly(() => file.stat())) ?? made;
    return stat.sizeBytes === made.sizeBytes && stat.mtimeNs === made.mtimeNs ? stat : made;
  }

  async #linkAlong(name: string, { directory, name: toName, way }: NewPlace): Promise<boolean> {
    await this.pass('lookAlong', name);
    const top = this.gate.find(way.root.path);
    if (top === undefined || identityOfStat(statOf(top)) !== way.root.identity) return false;
    if (!(await leadsOnStill(way))) return false;
    await this.link(name, directory, toName);
    return true;
  }

  /** What a step comes to, `undefined` where the disk fails it; throws when the machine has stopped. */
  async #quietly<T>(step: () => T | Promise<T>): Promise<T | undefined> {
    try {
      return await step();
    } catch (error) {
      if (!this.gate.alive(this.epoch) || !(error instanceof Error) || !('code' in error)) throw error;
      return undefined;
    }
  }

  async makeDirectory(name: string, mode = 0o755): Promise<void> {
    await this.pass('makeDirectory', name);
    this.#checkRoom(name);
    this.disk.change({ directory: this.inode, name, inode: this.disk.create('directory', mode) });
  }

  async link(name: string, to: DirectoryHandle, toName: string): Promise<void> {
    await this.pass('link', name);
    const inode = this.#get(name);
    const target = simulated(to);
    if (this.disk.traits.noHardLinks === true || inode.type === 'directory')
      throw errnoError('EPERM', `link ${toName}`);
    target.#checkRoom(toName);
    this.disk.change({ directory: target.inode, name: toName, inode });
  }

  async rename(name: string, to: DirectoryHandle, toName: string): Promise<void> {
    await this.pass('rename', name);
    const inode = this.#get(name);
    const target = simulated(to);
    this.#checkWritable();
    target.#checkWritable();
    if (!target.#linked()) throw errnoError('ENOENT', `rename ${toName}`);
    const standing = this.disk.get(target.inode, toName);
    if (standing === inode) return;
    if (standing?.type === 'directory') {
      if (inode.type !== 'directory') throw errnoError('EISDIR', toName);
      if (standing.slots.size > 0) throw errnoError('ENOTEMPTY', toName);
    } else if (standing !== undefined && inode.type === 'directory') {
      throw errnoError('ENOTDIR', toName);
    }
    this.disk.change(
      { directory: this.inode, name, inode: undefined },
      { directory: target.inode, name: toName, inode },
    );
  }

  async unlink(name: string): Promise<void> {
    await this.pass('unlink', name);
    this.#checkWritable();
    if (this.#get(name).type === 'directory') throw errnoError('EISDIR', name);
    this.disk.change({ directory: this.inode, name, inode: undefined });
  }

  async removeDirectory(name: string): Promise<void> {
    await this.pass('removeDirectory', name);
    this.#checkWritable();
    const inode = this.#get(name);
    if (inode.type !== 'directory') throw errnoError('ENOTDIR', name);
    if (inode.slots.size > 0) throw errnoError('ENOTEMPTY', name);
    this.disk.change({ directory: this.inode, name, inode: undefined });
  }

  async sync(): Promise<void> {
    await this.pass('sync');
    this.disk.syncDirectory(this.inode);
  }

  #get(name: string): Inode {
    const inode = this.disk.get(this.inode, name);
    if (inode === undefined) throw errnoError('ENOENT', `${this.path}/${name}`);
    return inode;
  }

  #file(inode: Inode, name: string): SimulatedFile {
    return new SimulatedFile(this.disk, this.gate, this.epoch, inode, `${this.path}/${name}`);
  }

  #linked(): boolean {
    return this.inode.links > 0;
  }

  #checkWritable(): void {
    if (this.inode.unwritable) throw errnoError('EACCES', this.path);
  }

  #checkRoom(name: string): void {
    this.#checkWritable();
    // A directory that was removed while it was open takes no new names.
    if (!this.#linked()) throw errnoError('ENOENT', `${this.path}/${name}`);
    if (this.disk.get(this.inode, name) !== undefined) throw errnoError('EEXIST', `${this.path}/${name}`);
  }
}

function simulated(handle: DirectoryHandle): SimulatedDirectory {
  if (handle instanceof SimulatedDirectory) return handle;
  throw new TypeError('Both directories of a link or rename must come from the same file system.');
}

class SimulatedFile extends SimulatedHandle implements FileHandle {
  async read(buffer: Uint8Array, position: number): Promise<number> {
    await this.pass('read');
    const bytes = this.inode.content.bytes.subarray(position, position + buffer.length);
    buffer.set(bytes);
    return bytes.length;
  }

  async write(bytes: Uint8Array, position: number): Promise<void> {
    if (!this.isOpen) throw errnoError('EBADF', `write ${this.path}`);
    const failure = await this.gate.enter(`write ${this.path}`, this.epoch);
    const written = failure === undefined ? bytes : bytes.subarray(0, bytes.length >> 1);
    const old = this.inode.content.bytes;
    const next = new Uint8Array(Math.max(old.length, position + written.length));
    next.set(old);
    next.set(written, position);
    this.disk.setContent(this.inode, next, this.disk.nowNs());
    if (failure !== undefined) throw errnoError(failure, `write ${this.path}`);
  }

  async setModified(modifiedMs: number): Promise<void> {
    await this.pass('setModified');
    const whole = Math.floor(modifiedMs);
    const ns = BigInt(whole) * 1_000_000n + BigInt(Math.floor((modifiedMs - whole) * 1e6));
    this.disk.setContent(this.inode, this.inode.content.bytes, ns);
  }

  async setMode(mode: number): Promise<void> {
    await this.pass('setMode');
    this.inode.mode = mode;
    this.inode.ctimeNs = this.disk.nowNs();
  }

  async sync(): Promise<void> {
    await this.pass('sync');
    this.disk.syncFile(this.inode);
  }
}
