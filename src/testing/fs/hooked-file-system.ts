import type {
  DirectoryHandle,
  DirectoryItem,
  FileHandle,
  FileLook,
  FileStat,
  FileSystem,
} from '../../replica/local/file-system.js';

/** Called before each operation with its name and the path it is about, such as `link /folder/.filecloudsync/tmp/x`. */
export type FileSystemHook = (operation: string) => void | Promise<void>;

/**
 * Puts a hook before every operation of a file system: to trace it, to interfere, or to stop the process at one step. No other
 * thread makes files there, so that each step of them is seen.
 *
 * @example
 * ```ts
 * const trace: string[] = [];
 * const disk = hookFileSystem(new SimulatedFileSystem(), (operation) => void trace.push(operation));
 * await (await disk.openRoot('/folder')).list();
 * ```
 */
export function hookFileSystem(inner: FileSystem, before: FileSystemHook): FileSystem {
  return {
    remarks: inner.remarks,
    async openRoot(path) {
      await before(`openRoot ${path}`);
      return new HookedDirectory(await inner.openRoot(path), path, before);
    },
    async statRoot(path) {
      await before(`statRoot ${path}`);
      return await inner.statRoot(path);
    },
    async lstatByPath(path) {
      await before(`lstatByPath ${path}`);
      return await inner.lstatByPath(path);
    },
  };
}

class HookedFile implements FileHandle {
  protected readonly inner: FileHandle;
  readonly #path: string;
  readonly #before: FileSystemHook;

  constructor(inner: FileHandle, path: string, before: FileSystemHook) {
    this.inner = inner;
    this.#path = path;
    this.#before = before;
  }

  async stat(): Promise<FileStat> {
    await this.#before(`stat ${this.#path}`);
    return await this.inner.stat();
  }

  async read(buffer: Uint8Array, position: number): Promise<number> {
    await this.#before(`read ${this.#path}`);
    return await this.inner.read(buffer, position);
  }

  async write(bytes: Uint8Array, position: number): Promise<void> {
    await this.#before(`write ${this.#path}`);
    await this.inner.write(bytes, position);
  }

  async setModified(modifiedMs: number): Promise<void> {
    await this.#before(`setModified ${this.#path}`);
    await this.inner.setModified(modifiedMs);
  }

  async setMode(mode: number): Promise<void> {
    await this.#before(`setMode ${this.#path}`);
    await this.inner.setMode(mode);
  }

  async sync(): Promise<void> {
    await this.#before(`sync ${this.#path}`);
    await this.inner.sync();
  }

  async close(): Promise<void> {
    await this.inner.close();
  }
}

class HookedDirectory implements DirectoryHandle {
  readonly inner: DirectoryHandle;
  readonly #path: string;
  readonly #before: FileSystemHook;

  constructor(inner: DirectoryHandle, path: string, before: FileSystemHook) {
    this.inner = inner;
    this.#path = path;
    this.#before = before;
  }

  async stat(): Promise<FileStat> {
    await this.#pass('stat');
    return await this.inner.stat();
  }

  async list(): Promise<DirectoryItem[]> {
    await this.#pass('list');
    return await this.inner.list();
  }

  async lstat(name: string): Promise<FileStat | null> {
    await this.#pass('lstat', name);
    return await this.inner.lstat(name);
  }

  get namesAhead(): number {
    return this.inner.namesAhead ?? 0;
  }

  async lstatAll(names: readonly string[]): Promise<(FileLook | null | Error)[]> {
    await this.#pass('lstatAll');
    return await this.inner.lstatAll(names);
  }

  async openDirectory(name: string): Promise<DirectoryHandle> {
    await this.#pass('openDirectory', name);
    return new HookedDirectory(await this.inner.openDirectory(name), `${this.#path}/${name}`, this.#before);
  }

  async openFile(name: string): Promise<FileHandle> {
    await this.#pass('openFile', name);
    return new HookedFile(await this.inner.openFile(name), `${this.#path}/${name}`, this.#before);
  }

  async reopenFile(name: string): Promise<FileHandle> {
    await this.#pass('reopenFile', name);
    return new HookedFile(await this.inner.reopenFile(name), `${this.#path}/${name}`, this.#before);
  }

  async createFile(name: string): Promise<FileHandle> {
    await this.#pass('createFile', name);
    return new HookedFile(await this.inner.createFile(name), `${this.#path}/${name}`, this.#before);
  }

  async makeDirectory(name: string, mode?: number): Promise<void> {
    await this.#pass('makeDirectory', name);
    await this.inner.makeDirectory(name, mode);
  }

  async link(name: string, to: DirectoryHandle, toName: string): Promise<void> {
    await this.#pass('link', name);
    await this.inner.link(name, unwrap(to), toName);
  }

  async rename(name: string, to: DirectoryHandle, toName: string): Promise<void> {
    await this.#pass('rename', name);
    await this.inner.rename(name, unwrap(to), toName);
  }

  async unlink(name: string): Promise<void> {
    await this.#pass('unlink', name);
    await this.inner.unlink(name);
  }

  async removeDirectory(name: string): Promise<void> {
    await this.#pass('removeDirectory', name);
    await this.inner.removeDirectory(name);
  }

  async sync(): Promise<void> {
    await this.#pass('sync');
    await this.inner.sync();
  }

  async close(): Promise<void> {
    await this.inner.close();
  }

  async #pass(operation: string, name?: string): Promise<void> {
    await this.#before(name === undefined ? `${operation} ${this.#path}` : `${operation} ${this.#path}/${name}`);
  }
}

function unwrap(handle: DirectoryHandle): DirectoryHandle {
  return handle instanceof HookedDirectory ? handle.inner : handle;
}
