import type { DirectoryHandle, FileStat, Moved, Way } from './file-system.js';
import { identityOfStat, type Folder, type Place } from './folder.js';
import { Leased } from './leased.js';

/** The directory of a path, held open together with all above it. */
export interface SharedPlace extends Place {
  /**
   * What stands at the path now, no link followed on the way; `undefined` when a directory on the way is not the one that is
   * held open, so that only a walk from the root can tell. Throws `HaltError` like {@link Folder.open}.
   */
  lookAgain(): Promise<FileStat | null | undefined>;
  /** Whether `moveHere` may have somebody to do it. */
  readonly takesMany: boolean;
  /** Moves a file of another directory to the path, if the path leads there still, as {@link DirectoryHandle.moveInto} does. */
  moveHere(from: DirectoryHandle, name: string): Promise<Moved | undefined>;
  /** The next to take a place there opens everything anew. */
  forget(): void;
  /** Gives it back. To be called once; never throws. */
  release(): Promise<void>;
}

/** One directory on the way from the root, the root being the first. */
interface Level {
  readonly segment: string;
  readonly handle: DirectoryHandle;
  readonly identity: string;
}

/** All of them, the last being the directory itself. */
interface Opened {
  readonly levels: readonly Level[];
  readonly parent: DirectoryHandle;
  readonly way: Way;
}

type Chain = Leased<Opened | undefined>;

/**
 * Directories that are held open for as long as files in them are read, or new ones are brought in: many small files of one
 * directory come at the same time, and each would walk from the root twice.
 *
 * A directory that is held open may have been moved away. So what was read there counts, and a new name is given there, only
 * after a look that the path still leads to it.
 */
export class SharedPlaces {
  readonly #folder: Folder;
  readonly #chains = new Map<string, Chain>();

  constructor(folder: Folder) {
    this.#folder = folder;
  }

  /** The place of a path; `undefined` when its directory does not exist. Throws `PathError` and `HaltError` like {@link Folder.place}. */
  async take(path: string): Promise<SharedPlace | undefined> {
    this.#folder.check(path);
    const end = path.lastIndexOf('/');
    const directory = path.slice(0, Math.max(0, end));
    const chain = this.#chainOf(directory);
    const { value: opened, release } = await chain.take();
    if (opened === undefined) {
      await release();
      return undefined;
    }
    const { levels, parent, way } = opened;
    const identity = levels.at(-1)?.identity;
    const name = path.slice(end + 1);
    return {
      parent,
      name,
      ...(identity !== undefined && { identity }),
      lookAgain: async () => ((await this.#areInPlace(levels)) ? await parent.lstat(name) : undefined),
      // Where the disk takes several names for one, the way back through them would have to be compared as well.
      takesMany: !this.#folder.checksNames && parent.makesMany === true,
      moveHere: async (from, staged) => await from.moveInto?.(staged, parent, name, way),
      forget: () => this.#forget(directory, chain),
      release,
    };
  }

  #chainOf(directory: string): Chain {
    const known = this.#chains.get(directory);
    if (known !== undefined) return known;
    const chain: Chain = new Leased(this.#open(directory), closeAll, () => this.#forget(directory, chain));
    this.#chains.set(directory, chain);
    return chain;
  }

  async #open(directory: string): Promise<Opened | undefined> {
    const opened: DirectoryHandle[] = [];
    const levels: Level[] = [];
    const add = async (segment: string, handle: DirectoryHandle): Promise<DirectoryHandle> => {
      opened.push(handle);
      levels.push({ segment, handle, identity: identityOfStat(await handle.stat()) });
      return handle;
    };
    let isWhole = false;
    try {
      let parent = await add('', await this.#folder.open());
      const segments = directory === '' ? [] : directory.split('/');
      for (const [i, segment] of segments.entries()) {
        const next = await this.#folder.descend(parent, segment, segments.slice(0, i + 1).join('/'), false);
        if (next === undefined) return undefined;
        parent = await add(segment, next);
      }
      isWhole = true;
      return { levels, parent, way: wayOf(this.#folder.path, levels) };
    } finally {
      if (!isWhole) for (const handle of opened) await handle.close();
    }
  }

  async #areInPlace(levels: readonly Level[]): Promise<boolean> {
    // Where the disk takes several names for one, the way back through them would have to be compared as well.
    if (this.#folder.checksNames) return false;
    await this.#folder.assertInPlace();
    for (const [i, { segment, identity }] of levels.entries()) {
      const above = levels[i - 1]?.handle;
      if (above === undefined) continue;
      const stat = await above.lstat(segment);
      if (stat?.type !== 'directory' || identityOfStat(stat) !== identity) return false;
    }
    return true;
  }

  #forget(directory: string, chain: Chain): void {
    if (this.#chains.get(directory) === chain) this.#chains.delete(directory);
  }
}

function wayOf(rootPath: string, levels: readonly Level[]): Way {
  const below = levels.flatMap(({ segment, identity }, i) => {
    const above = levels[i - 1]?.handle;
    return above === undefined ? [] : [{ above, name: segment, identity }];
  });
  return { root: { path: rootPath, identity: levels[0]?.identity ?? '' }, below };
}

async function closeAll(opened: Opened | undefined): Promise<void> {
  for (const { handle } of opened?.levels ?? []) await handle.close();
}
