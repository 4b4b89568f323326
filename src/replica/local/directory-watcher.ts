import { watch, type FSWatcher } from 'node:fs';
import { lstat, readdir, readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { FileCloudSyncError } from '../../errors.js';
import { tellsAllChanges } from './tells-all-changes.js';

/** The reserved folder: what is written there is our own doing. */
const RESERVED = '.filecloudsync';

/** The kernel's queue of events where it does not say how long it is (Linux: fs.inotify.max_queued_events). */
const QUEUED_EVENTS = 16_384;
/** How many names may wait to be looked at. */
const MOST_UNSEEN = 10_000;
/** How many names are looked at together. */
const LOOKED_AT_ONCE = 16;

/** Receives what {@link DirectoryWatcher} tells. */
export interface DirectoryWatchListener {
  /** Something at this path may have changed; a directory that appeared: all that is in it. */
  onChange(path: string, heard: 'written' | 'appeared' | 'gone'): void;
  /** Changes may have been missed. */
  onLost(): void;
  onTrouble(error: Error): void;
}

/** Options of {@link DirectoryWatcher}. */
export interface DirectoryWatcherOptions {
  /** Whether anything below this directory takes part; others are not watched. */
  readonly mayContain: (directoryPath: string) => boolean;
  /** `tree`: one watch per directory (Linux). `recursive`: one watch by the system (macOS, Windows). Default: by platform. */
  readonly mode?: 'tree' | 'recursive';
  /** How the system is asked to watch a directory. Default: that of `node:fs`. */
  readonly watch?: typeof watch;
  /** Whether the file system at a place tells whatever changes on it. Default: what is known of its kind. */
  readonly tellsAllChanges?: (place: string) => Promise<boolean>;
}

/**
 * Watches a folder by file-system events.
 *
 * On Linux one watch per directory is held: Node's own `recursive` takes one per file there and can miss what happens
 * in a directory that was just created. Links are not followed. Past the system's limit of watches, trouble is told and
 * the rest is left to periodic scans.
 *
 * A watch follows a directory to wherever it is moved. So each name that comes, goes or is exchanged is looked at, and a
 * directory that stands there is watched anew with all that is in it.
 *
 * That the kernel's queue ran over is not told by Node. Whenever so many events come at once that it may have, changes count
 * as lost.
 */
export class DirectoryWatcher {
  readonly #root: string;
  readonly #mayContain: (directoryPath: string) => boolean;
  readonly #mode: 'tree' | 'recursive';
  readonly #watchDirectory: typeof watch;
  readonly #tellsAllChanges: (place: string) => Promise<boolean>;
  readonly #watches = new Map<string, FSWatcher>();
  /** Directories that could not be watched. */
  readonly #refused = new Set<string>();
  readonly #troubles = new Set<string>();
  /** Names that came or went and have still to be looked at. */
  readonly #unseen = new Set<string>();
  #looking = false;
  #eventsAtOnce = 0;
  #mostAtOnce = QUEUED_EVENTS / 2;
  #rootIdentity: string | undefined;
  /** By device, whether the file systems that the folder lies on tell whatever changes. */
  readonly #devices = new Map<number, Promise<boolean>>();
  /** Counts what leaves open whether everything is heard, until all is watched anew. */
  #doubts = 0;
  /** How many there had been when last all began to be watched that takes part. */
  #doubtsBefore = -1;
  #listener: DirectoryWatchListener | undefined;

  constructor(root: string, options: DirectoryWatcherOptions) {
    this.#root = root;
    this.#mayContain = options.mayContain;
    this.#mode = options.mode ?? (process.platform === 'linux' ? 'tree' : 'recursive');
    this.#watchDirectory = options.watch ?? watch;
    this.#tellsAllChanges = options.tellsAllChanges ?? tellsAllChanges;
  }

  async start(listener: DirectoryWatchListener): Promise<void> {
    this.#listener = listener;
    const queued = Number(await readFile('/proc/sys/fs/inotify/max_queued_events', 'utf8').catch(() => ''));
    if (queued > 0) this.#mostAtOnce = queued / 2;
    await this.#watchAll();
  }

  get hearsEverything(): boolean {
    return this.#doubtsBefore === this.#doubts;
  }

  async check(): Promise<void> {
    if (this.#listener === undefined || this.#rootIdentity === (await this.#identify())) return;
    this.#stopAll();
    await this.#watchAll();
    this.#listener?.onLost();
  }

  async close(): Promise<void> {
    this.#listener = undefined;
    this.#stopAll();
  }

  /** Directories that are watched. */
  get size(): number {
    return this.#watches.size;
  }

  async #watchAll(): Promise<void> {
    const doubts = this.#doubts;
    this.#rootIdentity = await this.#identify();
    if (this.#mode === 'tree') await this.#enter('');
    else await this.#enterRecursively();
    if (this.#watches.has('')) this.#doubtsBefore = doubts;
  }

  async #enterRecursively(): Promise<void> {
    const each = this.#open('', { recursive: true }, (_event, name) => {
      if (name === null) return this.#lost();
      const relative = name.replaceAll('\\', '/');
      if (isReserved(relative) || this.#countsAsLost()) return;
      this.#lookLater(relative);
    });
    if (each === undefined) return;
    this.#watches.set('', each);
    const found = await stat(this.#root).catch(() => undefined);
    if (found === undefined) this.#doubts++;
    else await this.#askDevice('', found);
  }

  /** Whether changes below a directory are all told is asked once for each disk that the folder lies on. */
  async #askDevice(relative: string, { dev }: { readonly dev: number }): Promise<void> {
    let tells = this.#devices.get(dev);
    if (tells === undefined) this.#devices.set(dev, (tells = this.#tellsAllChanges(path.join(this.#root, relative))));
    if (!(await tells)) this.#doubts++;
  }

  #stopAll(): void {
    this.#doubts++;
    this.#devices.clear();
    for (const each of this.#watches.values()) each.close();
    this.#watches.clear();
    this.#refused.clear();
    this.#unseen.clear();
  }

  /** The folder that stands at the path now; a link to it is followed, as whoever gave the path meant it. */
  async #identify(): Promise<string | undefined> {
    try {
      const { dev, ino, birthtimeNs } = await stat(this.#root, { bigint: true });
      return `${dev}-${ino}-${birthtimeNs}`;
    } catch {
      return undefined;
    }
  }

  /** Watches first and reads afterwards, so that nothing is created unseen in between. */
  async #enter(relative: string): Promise<void> {
    if (this.#listener === undefined || this.#watches.has(relative)) return;
    const each = this.#open(relative, {}, (event, name) => this.#heard(relative, event, name));
    if (each === undefined) return;
    this.#watches.set(relative, each);
    this.#refused.delete(relative);
    let children;
    try {
      // A link that took the place of the directory is not followed.
      const found = await (relative === '' ? stat : lstat)(path.join(this.#root, relative));
      if (!found.isDirectory()) return this.#leave(relative);
      await this.#askDevice(relative, found);
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

  #heard(relative: string, event: string, name: string | null): void {
    if (name === null) return this.#lost();
    if (this.#countsAsLost()) return;
    // Of what happens to a watched directory itself, its own name is told: as if that stood in it.
    if (relative === '' && name === path.basename(this.#root)) void this.#checkRoot();
    const below = join(relative, name);
    if (isReserved(below)) return;
    if (event === 'rename' || this.#refused.has(below)) this.#lookLater(below);
    else if (!this.#watches.has(below)) this.#listener?.onChange(below, 'written');
  }

  /** Whether so many events came in one turn that the kernel may have dropped others. */
  #countsAsLost(): boolean {
    if (this.#eventsAtOnce === 0) setImmediate(() => (this.#eventsAtOnce = 0));
    this.#eventsAtOnce++;
    if (this.#eventsAtOnce === Math.ceil(this.#mostAtOnce)) this.#lost();
    return this.#eventsAtOnce >= this.#mostAtOnce;
  }

  /** Directories that were made meanwhile may not be watched: all are, anew. */
  #lost(): void {
    this.#stopAll();
    this.#watchAll().then(
      () => this.#listener?.onLost(),
      (error: unknown) => this.#trouble('', error),
    );
  }

  async #checkRoot(): Promise<void> {
    if (this.#rootIdentity === (await this.#identify())) return;
    this.#stopAll();
    this.#listener?.onLost();
  }

  #lookLater(relative: string): void {
    this.#unseen.add(relative);
    // Names are heard faster than they are looked at: all are looked at together, and none is kept.
    if (this.#unseen.size > MOST_UNSEEN) return this.#lost();
    if (this.#looking) return;
    this.#looking = true;
    void this.#lookAtUnseen().finally(() => (this.#looking = false));
  }

  async #lookAtUnseen(): Promise<void> {
    while (this.#unseen.size > 0) {
      const some = Array.from(this.#unseen).slice(0, LOOKED_AT_ONCE);
      for (const each of some) this.#unseen.delete(each);
      await Promise.all(some.map((each) => this.#lookAt(each)));
    }
  }

  /** A name came, went, or stands for something else: a directory is watched with all that is in it, one that is gone is not. */
  async #lookAt(relative: string): Promise<void> {
    try {
      const found = await lstat(path.join(this.#root, relative));
      if (this.#mode === 'tree') {
        // Also where one is watched: it may be another directory than before.
        this.#leave(relative);
        if (found.isDirectory()) {
          if (!this.#takesPart(relative)) return;
          // Told afterwards: what was put into it before the watch stood was not heard.
          await this.#enter(relative);
        }
      }
      this.#listener?.onChange(relative, 'appeared');
    } catch (error) {
      if (!isGone(error)) this.#trouble(relative, error);
      this.#leave(relative);
      this.#listener?.onChange(relative, isGone(error) ? 'gone' : 'written');
    }
  }

  #leave(relative: string): void {
    if (this.#mode !== 'tree') return;
    this.#close(relative);
    if (this.#watches.size === 0) return;
    for (const watched of this.#watches.keys()) if (watched.startsWith(`${relative}/`)) this.#close(watched);
  }

  #close(watched: string): void {
    this.#watches.get(watched)?.close();
    this.#watches.delete(watched);
  }

  #takesPart(relative: string): boolean {
    return !isReserved(relative) && this.#mayContain(relative);
  }

  #open(
    relative: string,
    options: { readonly recursive?: boolean },
    heard: (event: string, name: string | null) => void,
  ): FSWatcher | undefined {
    try {
      const each = this.#watchDirectory(
        path.join(this.#root, relative),
        { ...options, persistent: false },
        (event, name) => heard(event, name),
      );
      each.on('error', (error) => {
        this.#doubts++;
        each.close();
        if (this.#watches.get(relative) === each) this.#watches.delete(relative);
        this.#refused.add(relative);
        if (!isGone(error)) this.#trouble(relative, error);
        this.#listener?.onLost();
      });
      return each;
    } catch (error) {
      this.#refused.add(relative);
      if (!isGone(error)) this.#trouble(relative, error);
      return undefined;
    }
  }

  #trouble(relative: string, error: unknown): void {
    this.#doubts++;
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
