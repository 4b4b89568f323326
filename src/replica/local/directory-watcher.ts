import { watch, type FSWatcher } from 'node:fs';
import { lstat, readdir } from 'node:fs/promises';
import path from 'node:path';
import { FileCloudSyncError } from '../../errors.js';

/** The reserved folder: what is written there is our own doing. */
const RESERVED = '.filecloudsync';

/** Receives what {@link DirectoryWatcher} tells. */
export interface DirectoryWatchListener {
  onChange(): void;
  onTrouble(error: Error): void;
}

/** Options of {@link DirectoryWatcher}. */
export interface DirectoryWatcherOptions {
  /** Whether anything below this directory takes part; others are not watched. */
  readonly mayContain: (directoryPath: string) => boolean;
  /** `tree`: one watch per directory (Linux). `recursive`: one watch by the system (macOS, Windows). Default: by platform. */
  readonly mode?: 'tree' | 'recursive';
}

/**
 * Watches a folder by file-system events.
 *
 * On Linux one watch per directory is held: Node's own `recursive` takes one per file there and can miss what happens
 * in a directory that was just created. Links are not followed. Past the system's limit of watches, trouble is told and
 * the rest is left to periodic scans.
 */
export class DirectoryWatcher {
  readonly #root: string;
  readonly #mayContain: (directoryPath: string) => boolean;
  readonly #mode: 'tree' | 'recursive';
  readonly #watches = new Map<string, FSWatcher>();
  readonly #troubles = new Set<string>();
  #listener: DirectoryWatchListener | undefined;

  constructor(root: string, options: DirectoryWatcherOptions) {
    this.#root = root;
    this.#mayContain = options.mayContain;
    this.#mode = options.mode ?? (process.platform === 'linux' ? 'tree' : 'recursive');
  }

  async start(listener: DirectoryWatchListener): Promise<void> {
    this.#listener = listener;
    if (this.#mode === 'recursive') this.#watchRecursively();
    else await this.#enter('');
  }

  async close(): Promise<void> {
    this.#listener = undefined;
    for (const each of this.#watches.values()) each.close();
    this.#watches.clear();
  }

  /** Directories that are watched. */
  get size(): number {
    return this.#watches.size;
  }

  #watchRecursively(): void {
    const each = this.#open('', { recursive: true }, (name) => {
      if (name === null || !isReserved(name.replaceAll('\\', '/'))) this.#listener?.onChange();
    });
    if (each !== undefined) this.#watches.set('', each);
  }

  /** Watches first and reads afterwards, so that nothing is created unseen in between. */
  async #enter(relative: string): Promise<void> {
    if (this.#listener === undefined || this.#watches.has(relative)) return;
    const each = this.#open(relative, {}, (name) => this.#heard(relative, name));
    if (each === undefined) return;
    this.#watches.set(relative, each);
    let children;
    try {
      children = await readdir(path.join(this.#root, relative), { withFileTypes: true });
    } catch (error) {
      this.#leave(relative);
      if (!isGone(error)) this.#trouble(relative, error);
      return;
    }
    for (const child of children) {
      const below = join(relative, child.name);
      if (child.isDirectory() && this.#takesPart(below)) await this.#enter(below);
    }
  }

  #heard(relative: string, name: string | null): void {
    const below = name === null ? relative : join(relative, name);
    if (isReserved(below)) return;
    this.#listener?.onChange();
    if (name !== null) void this.#lookAt(below);
  }

  /** A name came or went: a new directory is watched with all that is in it, one that is gone is not. */
  async #lookAt(relative: string): Promise<void> {
    try {
      const stat = await lstat(path.join(this.#root, relative));
      if (!stat.isDirectory()) return this.#leave(relative);
      if (!this.#takesPart(relative)) return;
      const known = this.#watches.has(relative);
      await this.#enter(relative);
      // What was put into it before the watch stood was not heard.
      if (!known) this.#listener?.onChange();
    } catch (error) {
      if (isGone(error)) this.#leave(relative);
      else this.#trouble(relative, error);
    }
  }

  #leave(relative: string): void {
    for (const [watched, each] of this.#watches) {
      if (watched !== relative && !watched.startsWith(`${relative}/`)) continue;
      each.close();
      this.#watches.delete(watched);
    }
  }

  #takesPart(relative: string): boolean {
    return !isReserved(relative) && this.#mayContain(relative);
  }

  #open(
    relative: string,
    options: { readonly recursive?: boolean },
    heard: (name: string | null) => void,
  ): FSWatcher | undefined {
    try {
      const each = watch(path.join(this.#root, relative), { ...options, persistent: false }, (_event, name) =>
        heard(name),
      );
      each.on('error', (error) => {
        each.close();
        this.#watches.delete(relative);
        if (!isGone(error)) this.#trouble(relative, error);
        this.#listener?.onChange();
      });
      return each;
    } catch (error) {
      if (!isGone(error)) this.#trouble(relative, error);
      return undefined;
    }
  }

  #trouble(relative: string, error: unknown): void {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
    if (this.#troubles.has(code)) return;
    this.#troubles.add(code);
    const remedy =
      code === 'ENOSPC' || code === 'EMFILE'
        ? 'The system allows no more watches; raise fs.inotify.max_user_watches or exclude folders.'
        : 'Check the permissions and the disk.';
    this.#listener?.onTrouble(
      new FileCloudSyncError(
        'ERR_WATCH_INCOMPLETE',
        `${relative === '' ? 'The folder' : relative} cannot be watched (${code}). ${remedy} Changes that are not heard are found by the periodic cycles.`,
        { cause: error, data: { path: relative, cause: code } },
      ),
    );
  }
}

function join(relative: string, name: string): string {
  return relative === '' ? name : `${relative}/${name}`;
}

function isReserved(relative: string): boolean {
  return relative === RESERVED || relative.startsWith(`${RESERVED}/`);
}

function isGone(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR');
}
