import type { SimulatedDisk } from './simulated-disk.js';
import { errnoError } from './simulated-handles.js';
import type { Inode } from './simulated-inode.js';

/** What stands at one path, for assertions: the text of a file, `directory` (its path ends in `/`), `other`, or a link. */
export type TreeNode = string | { readonly symlink: string };

/**
 * A person, or another program, at work on a simulated disk: every call happens at once and is durable.
 * Paths are relative to the folder (`a/b`), or absolute on the disk (`/elsewhere/x`). Links are not followed.
 *
 * @example
 * ```ts
 * const { user } = new SimulatedFileSystem();
 * user.writeFile('notes/today.txt', 'hello');
 * console.log(user.tree());
 * ```
 */
export class SimulatedUser {
  readonly #disk: SimulatedDisk;
  readonly #root: string;

  constructor(disk: SimulatedDisk, root: string) {
    this.#disk = disk;
    this.#root = root;
  }

  /** Writes a file in place, as most programs do; parents are made. `modifiedMs` sets its time back or forward. */
  writeFile(path: string, data: string | Uint8Array, options: { readonly modifiedMs?: number } = {}): void {
    const bytes = typeof data === 'string' ? new TextEncoder().encode(data) : new Uint8Array(data);
    const { directory, name } = this.#parent(path, true);
    let inode = this.#disk.get(directory, name);
    if (inode !== undefined && inode.type !== 'file') throw errnoError('EISDIR', path);
    if (inode === undefined) {
      inode = this.#disk.create('file', 0o644);
      this.#disk.change({ directory, name, inode });
    }
    const { modifiedMs } = options;
    this.#disk.setContent(
      inode,
      bytes,
      modifiedMs === undefined ? this.#disk.nowNs() : BigInt(Math.round(modifiedMs * 1e3)) * 1000n,
    );
    this.#disk.syncFile(inode);
    this.#disk.syncDirectory(directory);
  }

  /** Writes a new file and renames it over the old one, as careful editors do. */
  replaceFile(path: string, data: string | Uint8Array, options: { readonly modifiedMs?: number } = {}): void {
    this.writeFile(`${path}.new~`, data, options);
    this.rename(`${path}.new~`, path);
  }

  /** The content; throws `ENOENT`. */
  readFile(path: string): Uint8Array {
    const inode = this.find(path);
    if (inode === undefined || inode.type !== 'file') throw errnoError('ENOENT', path);
    return inode.content.bytes;
  }

  /** The content as text. */
  readText(path: string): string {
    return new TextDecoder().decode(this.readFile(path));
  }

  /** Removes a file, link, or directory with all that is in it; nothing happens when there is none. */
  remove(path: string): void {
    const { directory, name } = this.#parent(path, false);
    const inode = this.#disk.get(directory, name);
    if (inode === undefined) return;
    if (inode.type === 'directory') {
      for (const { name: below } of inode.slots.values()) this.remove(`${this.#absolute(path)}/${below}`);
      // A disk that keeps the order of changes does not forget that a file was moved out of a directory that it remembers to be removed.
      this.#disk.syncDirectory(inode);
    }
    this.#disk.change({ directory, name, inode: undefined });
    this.#disk.syncDirectory(directory);
  }

  /** Renames, replacing a file that stands there. */
  rename(from: string, to: string): void {
    const source = this.#parent(from, false);
    const target = this.#parent(to, true);
    const inode = this.#disk.get(source.directory, source.name);
    if (inode === undefined) throw errnoError('ENOENT', from);
    this.#disk.change(
      { directory: source.directory, name: source.name, inode: undefined },
      { directory: target.directory, name: target.name, inode },
    );
    this.#disk.syncDirectory(source.directory);
    this.#disk.syncDirectory(target.directory);
  }

  /** Plants a symbolic link. */
  symlink(target: string, path: string): void {
    this.#make(path, this.#disk.create('symlink', 0o777, target));
  }

  /** Plants a FIFO. */
  makeSpecial(path: string): void {
    this.#make(path, this.#disk.create('other', 0o644));
  }

  /** Makes a directory and its parents; nothing happens when it is there. */
  makeDirectory(path: string): void {
    let directory = this.#disk.root;
    for (const name of segments(this.#absolute(path))) {
      const next = this.#disk.get(directory, name);
      if (next === undefined) {
        const inode = this.#disk.create('directory', 0o755);
        this.#disk.change({ directory, name, inode });
        this.#disk.syncDirectory(directory);
        directory = inode;
      } else if (next.type === 'directory') {
        // A disk that keeps the order of changes remembers no file without the directories in which it was put, whoever made them.
        if (!this.#disk.isDurable(directory, name)) this.#disk.syncDirectory(directory);
        directory = next;
      } else {
        throw errnoError('ENOTDIR', path);
      }
    }
  }

  /** Takes away or gives back rights: of reading a file or directory, of changing the names in a directory. */
  setAccess(path: string, access: { readonly readable?: boolean; readonly writable?: boolean }): void {
    const inode = this.find(path);
    if (inode === undefined) throw errnoError('ENOENT', path);
    if (access.readable !== undefined) inode.unreadable = !access.readable;
    if (access.writable !== undefined) inode.unwritable = !access.writable;
  }

  /** Everything below a path: relative path to content as text, or what it is. Sorted by path. */
  tree(path = ''): Record<string, TreeNode> {
    const found: [string, TreeNode][] = [];
    const walk = (directory: Inode, prefix: string): void => {
      for (const { name, inode } of directory.slots.values()) {
        const at = prefix + name;
        if (inode.type === 'directory') {
          found.push([`${at}/`, 'directory']);
          walk(inode, `${at}/`);
        } else if (inode.type === 'symlink') {
          found.push([at, { symlink: inode.target ?? '' }]);
        } else {
          found.push([at, inode.type === 'other' ? 'other' : new TextDecoder().decode(inode.content.bytes)]);
        }
      }
    };
    const inode = this.find(path);
    if (inode?.type === 'directory') walk(inode, '');
    return Object.fromEntries(found.sort(([a], [b]) => (a < b ? -1 : 1)));
  }

  /** Mode bits of what stands at a path. */
  modeOf(path: string): number | undefined {
    return this.find(path)?.mode;
  }

  /** Time of the last change of content, in milliseconds since 1970. */
  modifiedMsOf(path: string): number | undefined {
    const inode = this.find(path);
    return inode === undefined ? undefined : Number(inode.content.mtimeNs) / 1e6;
  }

  /** What stands at a path. So many links on the way to it are followed, and none that stands there. */
  find(path: string, mostLinks = 0): Inode | undefined {
    const names = segments(this.#absolute(path));
    let inode: Inode | undefined = this.#disk.root;
    for (const [i, name] of names.entries()) {
      if (inode?.type === 'symlink' && mostLinks > 0) {
        const target = inode.target ?? '';
        const begin = target.startsWith('/') ? [] : names.slice(0, i - 1);
        return this.find(`/${[...begin, target, ...names.slice(i)].join('/')}`, mostLinks - 1);
      }
      if (inode?.type !== 'directory') return undefined;
      inode = this.#disk.get(inode, name);
    }
    return inode;
  }

  #make(path: string, inode: Inode): void {
    const { directory, name } = this.#parent(path, true);
    if (this.#disk.get(directory, name) !== undefined) throw errnoError('EEXIST', path);
    this.#disk.change({ directory, name, inode });
    this.#disk.syncDirectory(directory);
  }

  #parent(path: string, make: boolean): { directory: Inode; name: string } {
    const all = segments(this.#absolute(path));
    const name = all.pop();
    if (name === undefined) throw errnoError('EINVAL', path);
    const parent = `/${all.join('/')}`;
    if (make) this.makeDirectory(parent);
    const directory = this.find(parent);
    if (directory?.type !== 'directory') throw errnoError('ENOENT', path);
    return { directory, name };
  }

  #absolute(path: string): string {
    return path.startsWith('/') ? path : `${this.#root}/${path}`;
  }
}

function segments(path: string): string[] {
  return path.split('/').filter((segment) => segment !== '');
}
