import type { Entry } from '../../core/entry.js';
import { MAX_KEY_BYTES, problemOfPath, RESERVED_NAME, showPath } from '../../core/path.js';
import type { PathProblem } from '../../core/path.js';
import type { Problem } from '../../core/problem.js';
import { PathError } from '../../errors.js';
import type { PathFilter } from '../replica.js';
import { decodeByteName, printableByteName } from './byte-name.js';
import type { ByteName, DirectoryHandle, DirectoryItem, FileLook, FileType } from './file-system.js';
import { errnoOf } from './file-system.js';
import { foldName } from './folder.js';
import type { LocalContext } from './local-context.js';
import { pathErrorOf } from './local-error.js';
import { entryOf, problemOf } from './observe-path.js';

/** How many names are looked at in one go: bounds both memory and the time for which the event loop is held. */
const BATCH_NAMES = 512;

/** A run of entries of one directory, in order, of which the files are still being looked at. */
export interface Stretch {
  /** How many entries it has at most. */
  readonly size: number;
  /** Fails only when the whole walk has failed. */
  readonly entries: Promise<readonly Entry[]>;
}

/** A name of a directory, a link or a special file, with the bytes by which it is sorted: `name/` for a directory. */
interface Named {
  readonly name: ByteName;
  readonly order: string;
  readonly type: Exclude<FileType, 'file'>;
}

/** One directory that is being walked: its names in order, plain files apart, which are nearly all. */
interface Level {
  readonly handle: DirectoryHandle;
  /** Path with a `/` at the end; empty for the root. */
  readonly prefix: string;
  readonly files: readonly ByteName[];
  readonly others: readonly Named[];
  nextFile: number;
  nextOther: number;
  /** Stretches that look through the handle; it is closed after the last of them. */
  pending: number;
  isWalked: boolean;
}

/** What stands in a stretch: an entry, or the path of a file that is looked at. */
type Slot = Entry | string;

/** The walk of the names: gives stretch after stretch in the order of the walk, without waiting for what is said of the files. */
export class FolderWalk {
  readonly #context: LocalContext;
  readonly #filter: PathFilter;
  readonly #onProblem: (problem: Problem) => void;
  readonly #levels: Level[] = [];

  constructor(context: LocalContext, filter: PathFilter, onProblem: (problem: Problem) => void) {
    this.#context = context;
    this.#filter = filter;
    this.#onProblem = onProblem;
  }

  /** How many names are to be asked for before the first answer is awaited. */
  get namesAhead(): number {
    return this.#levels.at(-1)?.handle.namesAhead ?? 0;
  }

  get isDone(): boolean {
    return this.#levels.length === 0;
  }

  /** Lets go of every directory. Nothing may be looked at any more. */
  async close(): Promise<void> {
    for (const level of this.#levels.splice(0)) await level.handle.close();
  }

  /** Goes down into an opened directory, which is closed by the walk from here on, whatever happens. */
  async enter(handle: DirectoryHandle, prefix: string): Promise<void> {
    try {
      this.#levels.push(await this.#read(handle, prefix));
    } catch (error) {
      await handle.close();
      throw error;
    }
  }

  /** Goes on in the deepest directory: up to the next directory in it, which is entered, or for one batch. */
  async next(): Promise<Stretch | undefined> {
    const level = this.#levels.at(-1);
    if (level === undefined) return undefined;
    const slots: Slot[] = [];
    const names: string[] = [];
    const directory = this.#gather(level, slots, names);
    const stretch = this.#lookAt(level, slots, names);
    if (directory !== undefined) {
      const trouble = await this.#descend(level, directory);
      if (trouble !== undefined) return joined(stretch, trouble);
    } else if (level.nextFile >= level.files.length && level.nextOther >= level.others.length) {
      this.#levels.pop();
      level.isWalked = true;
      await closeUnused(level);
    }
    return stretch;
  }

  /** Reads the names of a directory, in the order of the walk. */
  async #read(handle: DirectoryHandle, prefix: string): Promise<Level> {
    const files: ByteName[] = [];
    const others: Named[] = [];
    for (const item of await handle.list()) {
      if (prefix === '' && this.#isOwn(item)) continue;
      const { name, type } = item;
      if (type === 'file') files.push(name);
      else others.push({ name, order: type === 'directory' ? `${name}/` : name, type });
    }
    // One character is one byte, so that the order of characters is the order of bytes.
    files.sort();
    others.sort((a, b) => (a.order < b.order ? -1 : 1));
    return { handle, prefix, files, others, nextFile: 0, nextOther: 0, pending: 0, isWalked: false };
  }

  #isOwn(item: DirectoryItem): boolean {
    if (item.name === RESERVED_NAME) return true;
    return this.#context.folder.checksNames && foldName(decodeByteName(item.name) ?? '') === RESERVED_NAME;
  }

  /** Fills one batch; answers the directory in which the walk goes on, if it came upon one. */
  #gather(level: Level, slots: Slot[], names: string[]): string | undefined {
    for (let count = 0; count < BATCH_NAMES; count++) {
      const other = level.others[level.nextOther];
      const file = level.files[level.nextFile];
      if (file !== undefined && (other === undefined || file < other.order)) {
        level.nextFile++;
        this.#addFile(level, file, slots, names);
        continue;
      }
      if (other === undefined) return undefined;
      level.nextOther++;
      const name = this.#decode(level, other.name, other.type);
      if (name === undefined) continue;
      const path = level.prefix + name;
      if (!this.#takesPart(path, other.type)) this.#addLeftOut(path, other.type, slots);
      else if (other.type === 'directory') return name;
      else slots.push(other.type === 'symlink' ? { kind: 'symlink', path } : special(path));
    }
    return undefined;
  }

  #addFile(level: Level, byteName: ByteName, slots: Slot[], names: string[]): void {
    const name = this.#decode(level, byteName, 'file');
    if (name === undefined) return;
    const path = level.prefix + name;
    if (!this.#takesPart(path, 'file')) {
      this.#addLeftOut(path, 'file', slots);
      return;
    }
    slots.push(path);
    names.push(name);
  }

  /** A name as text; `undefined`, and a problem, when it is none. */
  #decode(level: Level, byteName: ByteName, type: FileType): string | undefined {
    const name = decodeByteName(byteName);
    if (name !== undefined) return name;
    const path = level.prefix + printableByteName(byteName);
    const what = type === 'directory' ? 'folder, with all that is in it,' : 'file';
    this.#onProblem({
      path,
      side: 'local',
      code: 'ERR_NAME_NOT_UTF8',
      message: `The name of ${showPath(path)} is not valid UTF-8, so that no key can stand for it. The ${what} was left alone: rename it.`,
      severity: 'error',
    });
    return undefined;
  }

  #takesPart(path: string, type: FileType): boolean {
    if (this.#problemOf(path) !== undefined) return false;
    return type === 'directory' ? this.#filter.mayContain(path) : this.#filter.includesFile(path);
  }

  #problemOf(path: string): PathProblem | undefined {
    const { rules } = this.#context.folder;
    // A name that Linux gave and that is valid UTF-8 can only be at fault by making the path too long (3 bytes a unit at most).
    if (rules === 'linux' && path.length * 3 <= MAX_KEY_BYTES) return undefined;
    return problemOfPath(path, rules);
  }

  #addLeftOut(path: string, type: FileType, slots: Slot[]): void {
    const problem = this.#problemOf(path);
    if (problem !== undefined) {
      this.#onProblem({ path, side: 'local', code: problem.code, message: problem.message, severity: 'error' });
      return;
    }
    slots.push({ kind: 'untracked', path, reason: 'filter', subtree: type === 'directory' });
  }

  #lookAt(level: Level, slots: readonly Slot[], names: readonly string[]): Stretch | undefined {
    if (slots.length === 0) return undefined;
    level.pending++;
    const entries = this.#resolve(level, slots, names);
    // A failure is met by whoever awaits the stretch.
    entries.catch(() => {});
    return { size: slots.length, entries };
  }

  async #resolve(level: Level, slots: readonly Slot[], names: readonly string[]): Promise<readonly Entry[]> {
    try {
      const observedAtMs = this.#context.diskNowMs();
      const stats = names.length === 0 ? [] : await level.handle.lstatAll(names);
      const entries: Entry[] = [];
      let next = 0;
      for (const slot of slots) {
        if (typeof slot !== 'string') {
          entries.push(slot);
          continue;
        }
        const stat = stats[next++];
        if (stat !== null && stat !== undefined) entries.push(entryAt(slot, stat, observedAtMs));
      }
      return entries;
    } finally {
      level.pending--;
      await closeUnused(level);
    }
  }

  /** Opens a directory that was listed; answers what is to be said of one that could not be. */
  async #descend(level: Level, name: string): Promise<Entry | undefined> {
    const path = level.prefix + name;
    try {
      await this.enter(await level.handle.openDirectory(name), `${path}/`);
      return undefined;
    } catch (error) {
      const errno = errnoOf(error);
      if (errno === undefined) throw error;
      if (errno === 'ENOENT' && (await this.#isSurelyGone(level.handle, name))) return undefined;
      const explained =
        errno === 'ENOTDIR' || errno === 'ELOOP' || errno === 'ENOENT'
          ? changed(path)
          : pathErrorOf(error, path, 'read the folder');
      return { kind: 'problematic', path, problem: problemOf(path, explained), subtree: true };
    }
  }

  async #isSurelyGone(parent: DirectoryHandle, name: string): Promise<boolean> {
    try {
      if ((await parent.lstat(name)) !== null) return false;
    } catch {
      return false;
    }
    // Throws when the folder was exchanged: then nothing that was seen counts.
    await this.#context.folder.identity();
    return true;
  }
}

function joined(stretch: Stretch | undefined, last: Entry): Stretch {
  if (stretch === undefined) return { size: 1, entries: Promise.resolve([last]) };
  const entries = stretch.entries.then((found) => [...found, last]);
  entries.catch(() => {});
  return { size: stretch.size + 1, entries };
}

async function closeUnused(level: Level): Promise<void> {
  if (level.isWalked && level.pending === 0) await level.handle.close();
}

function entryAt(path: string, stat: FileLook | Error, observedAtMs: number): Entry {
  if (stat instanceof Error) {
    return { kind: 'problematic', path, problem: problemOf(path, pathErrorOf(stat, path, 'look at')), subtree: false };
  }
  // A directory that took the place of a file after the names were read is walked in the next scan.
  return stat.type === 'directory' ? changing(path) : entryOf(path, stat, observedAtMs);
}

function special(path: string): Entry {
  return { kind: 'untracked', path, reason: 'special', subtree: false };
}

function changing(path: string): Entry {
  return { kind: 'problematic', path, problem: problemOf(path, changed(path)), subtree: false };
}

function changed(path: string): PathError {
  return new PathError(
    'ERR_CHANGED_DURING_SCAN',
    `${showPath(path)} changed between file, link and folder while it was read. The next run looks again.`,
    {
      retryable: true,
      data: { path },
    },
  );
}
