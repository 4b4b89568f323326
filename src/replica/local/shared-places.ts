import type { DirectoryHandle } from './file-system.js';
import { identityOfStat, type Folder } from './folder.js';
import { Leased, type Lease } from './leased.js';
import { SharedPlace, type OpenedDirectory } from './shared-place.js';

/** A directory, and what has to be closed with it. */
interface Opened extends OpenedDirectory {
  readonly handles: readonly DirectoryHandle[];
}

type OpenedLease = Lease<Opened | undefined>;

/** A directory that is held open, or was looked for in vain. */
interface Chain {
  readonly directory: string;
  readonly opened: Leased<Opened | undefined>;
  /** The next who wants it opens it anew. */
  readonly forget: () => void;
}

/** Options of {@link SharedPlaces.take}. */
interface TakeOptions {
  /** A directory that does not exist is made. */
  readonly make?: boolean;
}

/**
 * Directories that are held open for as long as files in them are read, or new ones are brought in: many small files of one
 * directory come at the same time, and each would walk from the root twice.
 *
 * A directory that is held open may have been moved away. So a new name is given there only after a look that the path still leads
 * to it, and what was read there counts only where the path leads to the file.
 */
export class SharedPlaces {
  readonly #folder: Folder;
  readonly #chains = new Map<string, Chain>();

  constructor(folder: Folder) {
    this.#folder = folder;
  }

  /**
   * The place of a path, at once where its directory is open; `undefined` when that does not exist, and is not to be made. Throws
   * or rejects with `PathError` and `HaltError` like {@link Folder.place}.
   */
  take(path: string, { make = false }: TakeOptions = {}): SharedPlace | Promise<SharedPlace | undefined> {
    this.#folder.check(path);
    const end = path.lastIndexOf('/');
    const directory = path.slice(0, Math.max(0, end));
    const name = path.slice(end + 1);
    const chain = this.#chains.get(directory) ?? this.#begin(directory, make);
    const lease = chain.opened.take();
    const opened = lease instanceof Promise ? undefined : lease.value;
    if (lease instanceof Promise || opened === undefined) return this.#takeLater(lease, chain, name, make);
    return this.#placeIn(opened, lease, chain, name);
  }

  /** Like {@link take}; `undefined` also where anything is wrong with the directory, which a walk from the root tells. */
  tryTake(path: string, options?: TakeOptions): SharedPlace | undefined | Promise<SharedPlace | undefined> {
    try {
      const taken = this.take(path, options);
      return taken instanceof Promise ? taken.catch(() => undefined) : taken;
    } catch {
      return undefined;
    }
  }

  async #takeLater(
    lease: OpenedLease | Promise<OpenedLease>,
    chain: Chain,
    name: string,
    make: boolean,
  ): Promise<SharedPlace | undefined> {
    const taken = await lease;
    if (taken.value !== undefined) return this.#placeIn(taken.value, taken, chain, name);
    await taken.release();
    if (!make) return undefined;
    // It was looked for by somebody who did not want it made.
    this.#forget(chain);
    const making = this.#chains.get(chain.directory) ?? this.#begin(chain.directory, true);
    return this.#takeLater(making.opened.take(), making, name, make);
  }

  #placeIn(opened: Opened, lease: OpenedLease, { forget }: Chain, name: string): SharedPlace {
    return new SharedPlace(this.#folder, opened, lease, name, forget);
  }

  #begin(directory: string, make: boolean): Chain {
    const forget = (): void => this.#forget(chain);
    const chain: Chain = { directory, opened: new Leased(this.#open(directory, make), closeAll, forget), forget };
    this.#chains.set(directory, chain);
    return chain;
  }

  async #open(directory: string, make: boolean): Promise<Opened | undefined> {
    const handles: DirectoryHandle[] = [];
    let isWhole = false;
    try {
      let handle = await this.#folder.open();
      handles.push(handle);
      let identity = identityOfStat(await handle.stat());
      const root = { path: this.#folder.path, identity };
      const below: OpenedDirectory['way']['below'][number][] = [];
      const segments = directory === '' ? [] : directory.split('/');
      for (const [i, name] of segments.entries()) {
        const next = await this.#folder.descend(handle, name, segments.slice(0, i + 1).join('/'), make);
        if (next === undefined) return undefined;
        handles.push(next);
        identity = identityOfStat(await next.stat());
        below.push({ above: handle, name, identity });
        handle = next;
      }
      isWhole = true;
      return { handles, handle, identity, way: { root, below } };
    } finally {
      if (!isWhole) for (const handle of handles) await handle.close();
    }
  }

  #forget(chain: Chain): void {
    if (this.#chains.get(chain.directory) === chain) this.#chains.delete(chain.directory);
  }
}

async function closeAll(opened: Opened | undefined): Promise<void> {
  for (const handle of opened?.handles ?? []) await handle.close();
}
