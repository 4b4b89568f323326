import type { Entry } from '../../core/entry.js';
import { MAX_KEY_BYTES, problemOfPath, RESERVED_NAME, showPath } from '../../core/path.js';
import type { PathProblem } from '../../core/path.js';
import type { Problem } from '../../core/problem.js';
import { HaltError, PathError, throwIfAborted } from '../../errors.js';
import type { PathFilter, ScanOptions, ScanPage } from '../replica.js';
import { decodeByteName, printableByteName } from './byte-name.js';
import type { DirectoryHandle, DirectoryItem, FileStat, FileType } from './file-system.js';
import { errnoOf } from './file-system.js';
import { foldName } from './folder.js';
import type { LocalContext } from './local-context.js';
import { pathErrorOf } from './local-error.js';
import { entryOf, problemOf } from './observe-path.js';

const PAGE_ENTRIES = 1000;
/** How many names are looked at in one go: bounds both memory and the time for which the event loop is held. */
const BATCH_NAMES = 512;

/** One directory that is being walked. */
interface Level {
  readonly handle: DirectoryHandle;
  /** Path with a `/` at the end; empty for the root. */
  readonly prefix: string;
  readonly items: readonly Named[];
  next: number;
}

/** A name that takes part in the walk, with the bytes by which it is sorted: those of `name`, or `name/` for a directory. */
interface Named {
  readonly name: string;
  readonly order: string;
  readonly type: FileType;
}

/**
 * Walks the folder in UTF-8 byte order of the paths, holding one directory's names at a time for each level.
 *
 * Entries ascend strictly by `path`, or by `path + '/'` where the entry stands for a whole directory (`subtree`).
 * A file that vanishes during the walk is absent; a directory that cannot be read is problematic; when the folder itself
 * was exchanged the walk throws.
 */
export async function* scanFolder(context: LocalContext, options: ScanOptions): AsyncIterable<ScanPage> {
  const walk = new Walk(context, options.filter);
  const levels: Level[] = [];
  levels.push(await openTop(context, walk));
  try {
    for (let level = levels.at(-1); level !== undefined; level = levels.at(-1)) {
      throwIfAborted(options.signal);
      const below = await walk.advance(level);
      if (below !== undefined) {
        levels.push(below);
      } else if (level.next >= level.items.length) {
        levels.pop();
        await level.handle.close();
      }
      if (walk.isPageFull) yield walk.takePage();
    }
    await assertStillThere(context);
    yield walk.takePage();
  } finally {
    for (const level of levels) await level.handle.close();
  }
}

async function openTop(context: LocalContext, walk: Walk): Promise<Level> {
  let root: DirectoryHandle | undefined;
  try {
    root = await context.folder.open();
    return await walk.level(root, '');
  } catch (error) {
    await root?.close();
    throw unreadable(context, error);
  }
}

/** Throws when the folder that was walked is not there any more: its absence would be read as deletions. */
async function assertStillThere(context: LocalContext): Promise<void> {
  try {
    const root = await context.folder.open();
    await root.close();
  } catch (error) {
    throw unreadable(context, error);
  }
}

function unreadable({ folder }: LocalContext, error: unknown): unknown {
  const errno = errnoOf(error);
  if (errno === undefined) return error;
  return new HaltError(
    'ERR_FOLDER_NOT_READABLE',
    `The folder ${folder.path} could not be read (${errno}). Nothing was done; check its disk and the right to read it, and run again.`,
    { cause: error },
  );
}

class Walk {
  readonly #context: LocalContext;
  readonly #filter: PathFilter;
  #entries: Entry[] = [];
  #problems: Problem[] = [];

  constructor(context: LocalContext, filter: PathFilter) {
    this.#context = context;
    this.#filter = filter;
  }

  get isPageFull(): boolean {
    return this.#entries.length >= PAGE_ENTRIES || this.#problems.length >= PAGE_ENTRIES;
  }

  takePage(): ScanPage {
    const page = { entries: this.#entries, problems: this.#problems };
    this.#entries = [];
    this.#problems = [];
    return page;
  }

  /** Reads the names of a directory, in the order of the walk. */
  async level(handle: DirectoryHandle, prefix: string): Promise<Level> {
    const listed = await handle.list();
    const named: Named[] = [];
    for (const item of listed) {
      if (prefix === '' && this.#isOwn(item)) continue;
      const name = decodeByteName(item.name);
      if (name === undefined) this.#addNotUtf8(prefix, item);
      else named.push({ name, order: item.type === 'directory' ? `${item.name}/` : item.name, type: item.type });
    }
    named.sort((a, b) => (a.order < b.order ? -1 : 1));
    return { handle, prefix, items: named, next: 0 };
  }

  #isOwn(item: DirectoryItem): boolean {
    if (item.name === RESERVED_NAME) return true;
    return this.#context.folder.checksNames && foldName(decodeByteName(item.name) ?? '') === RESERVED_NAME;
  }

  #addNotUtf8(prefix: string, item: DirectoryItem): void {
    const path = prefix + printableByteName(item.name);
    const what = item.type === 'directory' ? 'folder, with all that is in it,' : 'file';
    this.#problems.push({
      path,
      side: 'local',
      code: 'ERR_NAME_NOT_UTF8',
      message: `The name of ${showPath(path)} is not valid UTF-8, so that no key can stand for it. The ${what} was left alone: rename it.`,
      severity: 'error',
    });
  }

  /** Goes on in a directory up to the next directory in it, which is opened and answered, or for one batch. */
  async advance(level: Level): Promise<Level | undefined> {
    const batch: string[] = [];
    const paths: string[] = [];
    const { items, prefix } = level;
    let index = level.next;
    for (; index < items.length && batch.length < BATCH_NAMES && !this.isPageFull; index++) {
      const item = items[index] as Named;
      const path = prefix + item.name;
      if (item.type === 'directory') break;
      if (!this.#takesPart(path, item.type)) {
        // The order of entries is kept: what was gathered before goes first.
        await this.#lookAt(level.handle, batch, paths);
        batch.length = 0;
        paths.length = 0;
        this.#addLeftOut(path, item.type);
        continue;
      }
      if (item.type === 'file') {
        batch.push(item.name);
        paths.push(path);
        continue;
      }
      await this.#lookAt(level.handle, batch, paths);
      batch.length = 0;
      paths.length = 0;
      this.#entries.push(item.type === 'symlink' ? { kind: 'symlink', path } : special(path));
    }
    await this.#lookAt(level.handle, batch, paths);
    level.next = index;
    const item = items[index];
    if (item?.type !== 'directory' || batch.length >= BATCH_NAMES) return undefined;
    level.next = index + 1;
    return await this.#enter(level, item.name, prefix + item.name);
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

  #addLeftOut(path: string, type: FileType): void {
    const problem = this.#problemOf(path);
    if (problem !== undefined) {
      this.#problems.push({ path, side: 'local', code: problem.code, message: problem.message, severity: 'error' });
      return;
    }
    this.#entries.push({ kind: 'untracked', path, reason: 'filter', subtree: type === 'directory' });
  }

  async #lookAt(handle: DirectoryHandle, names: readonly string[], paths: readonly string[]): Promise<void> {
    if (names.length === 0) return;
    const observedAtMs = this.#context.diskNowMs();
    const stats = await handle.lstatAll(names);
    for (let i = 0; i < names.length; i++) {
      const stat = stats[i];
      if (stat === null || stat === undefined) continue;
      this.#entries.push(this.#entryOf(paths[i] as string, stat, observedAtMs));
    }
  }

  #entryOf(path: string, stat: FileStat | Error, observedAtMs: number): Entry {
    if (stat instanceof Error) {
      return {
        kind: 'problematic',
        path,
        problem: problemOf(path, pathErrorOf(stat, path, 'look at')),
        subtree: false,
      };
    }
    // A directory that took the place of a file after the names were read is walked in the next scan.
    if (stat.type === 'directory') return changing(path);
    return entryOf(path, stat, observedAtMs);
  }

  /** Opens a directory that was listed. */
  async #enter(level: Level, name: string, path: string): Promise<Level | undefined> {
    if (!this.#takesPart(path, 'directory')) {
      this.#addLeftOut(path, 'directory');
      return undefined;
    }
    let handle: DirectoryHandle | undefined;
    try {
      handle = await level.handle.openDirectory(name);
      return await this.level(handle, `${path}/`);
    } catch (error) {
      await handle?.close();
      const errno = errnoOf(error);
      if (errno === undefined) throw error;
      if (errno === 'ENOENT' && (await this.#isSurelyGone(level.handle, name))) return undefined;
      const explained =
        errno === 'ENOTDIR' || errno === 'ELOOP' || errno === 'ENOENT'
          ? changed(path)
          : pathErrorOf(error, path, 'read the folder');
      this.#entries.push({ kind: 'problematic', path, problem: problemOf(path, explained), subtree: true });
      return undefined;
    }
  }

  async #isSurelyGone(parent: DirectoryHandle, name: string): Promise<boolean> {
    const stat = await parent.lstat(name).catch(() => undefined);
    if (stat !== null) return false;
    // Throws when the folder was exchanged: then nothing that was seen counts.
    await this.#context.folder.identity();
    return true;
  }
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
