import { problemOfPath, RESERVED_NAME, showPath } from '../../core/path.js';
import type { NameRules } from '../../core/path.js';
import { HaltError, PathError } from '../../errors.js';
import { encodeByteName } from './byte-name.js';
import type { DirectoryHandle, FileStat, FileSystem, Way } from './file-system.js';
import { errnoOf } from './file-system.js';
import { pathErrorOf } from './local-error.js';

/** Tells directories apart, as long as they exist. */
export function identityOfStat({ device, inode }: Pick<FileStat, 'device' | 'inode'>): string {
  return `${device}-${inode}`;
}

/** Whether each directory that was opened below the root stands where it was seen then. */
export async function leadsOnStill({ below }: Way): Promise<boolean> {
  for (const { above, name, identity } of below) {
    const stat = await above.lstat(name);
    if (stat?.type !== 'directory' || identityOfStat(stat) !== identity) return false;
  }
  return true;
}

/** Where a path leads: its opened parent directory, and its last segment. The parent is the caller's to close. */
export interface Place {
  readonly parent: DirectoryHandle;
  readonly name: string;
  /** Which directory the parent is, as {@link identityOfStat} tells, where that was found out already. */
  readonly identity?: string;
}

/** How often a step is tried again when directories come and go under it. */
const ATTEMPTS = 5;

/**
 * The folder as a place: opens directories in it, never through a link, and notices when the folder itself was exchanged.
 *
 * The root is opened anew for each operation and compared with the one seen first, so that an unmounted disk or a
 * replaced folder stops everything instead of being written to.
 */
export class Folder {
  readonly path: string;
  readonly rules: NameRules;
  /** The disk takes different names for the same file: each name is compared with the one on the disk. */
  checksNames = false;
  /** The disk gives a file a second name. */
  hasHardLinks = true;

  readonly #fileSystem: FileSystem;
  #identity: string | undefined;

  constructor(path: string, rules: NameRules, fileSystem: FileSystem) {
    this.path = path;
    this.rules = rules;
    this.#fileSystem = fileSystem;
  }

  /** As {@link FileSystem.announceFile}. */
  announceFile(): boolean {
    return this.#makesManyAtOnce && this.#fileSystem.announceFile?.() === true;
  }

  /** As {@link FileSystem.expectFiles}. */
  expectFiles(count: number): void {
    if (this.#makesManyAtOnce) this.#fileSystem.expectFiles?.(count);
  }

  /** Where the disk takes several names for one, the way back through them would have to be compared as well. */
  get #makesManyAtOnce(): boolean {
    return !this.checksNames && this.hasHardLinks;
  }

  /** Opens the root. Throws `HaltError` when it is missing or not the folder that was opened first. */
  async open(): Promise<DirectoryHandle> {
    const root = await this.#fileSystem.openRoot(this.path).catch((error: unknown) => {
      throw this.#missing(error);
    });
    try {
      this.#assertSame(await root.stat());
      return root;
    } catch (error) {
      await root.close();
      throw error;
    }
  }

  /** Throws `HaltError` like {@link open} when another folder stands at its path, or none. */
  async assertInPlace(): Promise<void> {
    this.#assertSame(
      await this.#fileSystem.statRoot(this.path).catch((error: unknown) => {
        throw this.#missing(error);
      }),
    );
  }

  /**
   * What a path leads to, as {@link FileSystem.lstatByPath}; `null` also where the disk takes several names for one, which a way through
   * directories alone can tell apart.
   */
  lstatByPath(path: string): FileStat | null | Promise<FileStat | null> {
    return this.checksNames ? null : this.#fileSystem.lstatByPath(`${this.path}/${path}`);
  }

  #missing(error: unknown): unknown {
    const errno = errnoOf(error);
    if (this.#identity === undefined || !MISSING.has(errno)) return error;
    return new HaltError(
      'ERR_FOLDER_MISSING',
      `The folder ${this.path} disappeared during the run (${errno}). Nothing more was done; mount its disk, or put it back, and run again.`,
      { cause: error },
    );
  }

  #assertSame(stat: FileStat): void {
    const identity = identityOfStat(stat);
    this.#identity ??= identity;
    if (identity === this.#identity) return;
    throw new HaltError(
      'ERR_FOLDER_REPLACED',
      `The folder ${this.path} is not the one that the run began with: it was unmounted, or exchanged for another. Nothing more was done; check that the right disk is mounted, and run again.`,
    );
  }

  /** Device and inode of the root. */
  async identity(): Promise<string> {
    const root = await this.open();
    await root.close();
    return this.#identity ?? '';
  }

  /** Throws `PathError` for a path that must not be touched on this disk. */
  check(path: string): void {
    const problem = problemOfPath(path, this.rules);
    if (problem !== undefined) throw new PathError(problem.code, problem.message, { data: { path } });
    if (this.checksNames && foldName(path.split('/', 1)[0] ?? '') === RESERVED_NAME) {
      throw new PathError(
        'ERR_KEY_RESERVED',
        `${showPath(path)} would lie in ${RESERVED_NAME}, which belongs to this program. Rename it where it stands.`,
        { data: { path } },
      );
    }
  }

  /**
   * Opens the directory of a path. `undefined` when it does not exist and `make` is not set.
   * Throws `PathError`: `ERR_SYMLINK_IN_PATH`, `ERR_FILE_IN_THE_WAY`, `ERR_NAME_COLLISION`, or what the disk said.
   */
  async place(path: string, options: { readonly make?: boolean } = {}): Promise<Place | undefined> {
    this.check(path);
    const segments = path.split('/');
    const name = segments.pop() ?? '';
    let parent = await this.open().catch((error: unknown) => {
      throw pathErrorOf(error, path, 'reach');
    });
    let walked = '';
    for (const segment of segments) {
      walked = walked === '' ? segment : `${walked}/${segment}`;
      const above = parent;
      try {
        const next = await this.descend(above, segment, walked, options.make ?? false);
        if (next === undefined) return undefined;
        parent = next;
      } catch (error) {
        throw pathErrorOf(error, walked, 'open the folder');
      } finally {
        await above.close();
      }
    }
    return { parent, name };
  }

  /** Opens, or makes, one directory more on the way to a path. Throws like {@link place}. */
  async descend(
    above: DirectoryHandle,
    segment: string,
    walked: string,
    make: boolean,
  ): Promise<DirectoryHandle | undefined> {
    for (let attempt = 1; ; attempt++) {
      try {
        const next = await above.openDirectory(segment);
        try {
          await this.assertExactName(above, segment, walked);
          return next;
        } catch (error) {
          await next.close();
          throw error;
        }
      } catch (error) {
        const errno = errnoOf(error);
        if (attempt === ATTEMPTS || (errno !== 'ENOENT' && errno !== 'ENOTDIR' && errno !== 'ELOOP')) throw error;
      }
      const stat = await above.lstat(segment);
      if (stat === null) {
        if (!make) return undefined;
        await makeDirectory(above, segment);
      } else if (stat.type === 'symlink') {
        throw new PathError(
          'ERR_SYMLINK_IN_PATH',
          `${showPath(walked)} is a symbolic link, which is never followed. Remove the link, or exclude the path.`,
          { data: { path: walked } },
        );
      } else if (stat.type !== 'directory') {
        throw new PathError(
          'ERR_FILE_IN_THE_WAY',
          `A file stands at ${showPath(walked)}, where a folder is needed. Rename one of the two.`,
          { data: { path: walked } },
        );
      }
    }
  }

  /** Throws `ERR_NAME_COLLISION` when the disk has this file under a name of other case or Unicode form. */
  async assertExactName(directory: DirectoryHandle, name: string, path: string): Promise<void> {
    if (!this.checksNames) return;
    const wanted = encodeByteName(name);
    const items = await directory.list();
    if (items.some((item) => item.name === wanted)) return;
    throw new PathError(
      'ERR_NAME_COLLISION',
      `${showPath(path)} cannot stand on this disk beside a name that differs only by case or Unicode form. Rename one of them.`,
      { data: { path } },
    );
  }

  /** Opens `.filecloudsync/tmp` or `.filecloudsync/trash`, and makes it when it is missing. */
  async privateFolder(which: 'tmp' | 'trash'): Promise<DirectoryHandle> {
    const root = await this.open();
    try {
      const own = await this.#openOwn(root, RESERVED_NAME);
      try {
        return await this.#openOwn(own, which);
      } finally {
        await own.close();
      }
    } finally {
      await root.close();
    }
  }

  /** Opens `.filecloudsync`; `undefined` when no such folder is there. */
  async ownFolder(): Promise<DirectoryHandle | undefined> {
    const root = await this.open();
    try {
      return await root.openDirectory(RESERVED_NAME);
    } catch (error) {
      if (MISSING.has(errnoOf(error))) return undefined;
      throw error;
    } finally {
      await root.close();
    }
  }

  async #openOwn(above: DirectoryHandle, name: string): Promise<DirectoryHandle> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await above.openDirectory(name);
      } catch (error) {
        const errno = errnoOf(error);
        if (errno === 'ENOTDIR' || errno === 'ELOOP') {
          throw new HaltError(
            'ERR_PRIVATE_FOLDER_BLOCKED',
            `${RESERVED_NAME} in ${this.path} has to be a folder and hold the folders tmp and trash, but a file or link stands at ${name}. Move it away.`,
            { cause: error },
          );
        }
        if (errno !== 'ENOENT' || attempt === ATTEMPTS) throw error;
      }
      await makeDirectory(above, name, 0o700);
    }
  }
}

const MISSING: ReadonlySet<string | undefined> = new Set(['ENOENT', 'ENOTDIR', 'ELOOP']);

/** The form in which names are compared on a disk that cannot tell case or Unicode form. */
export function foldName(name: string): string {
  return name
    .normalize('NFKC')
    .replaceAll(/\p{Default_Ignorable_Code_Point}/gu, '')
    .toLowerCase();
}

async function makeDirectory(above: DirectoryHandle, name: string, mode?: number): Promise<void> {
  try {
    await above.makeDirectory(name, mode);
  } catch (error) {
    if (errnoOf(error) !== 'EEXIST') throw error;
  }
  await above.sync();
}
