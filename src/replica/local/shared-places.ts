import type { DirectoryHandle } from './file-system.js';
import { identityOfStat, type Folder } from './folder.js';
import { Leased, type Lease } from './leased.js';
import { SharedPlace, type OpenedDirectory } from './shared-place.js';

/** A directory, and what has to be closed with it. */
interface Opened extends OpenedDirectory {
  readonly handles: readonly DirectoryHandle[];
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

  /**
   * The place of a path, at once where its directory is open; `undefined` when that does not exist. Throws or rejects with
   * `PathError` and `HaltError` like {@link Folder.place}.
   */
  take(path: string): SharedPlace | Promise<SharedPlace | undefined> {
    this.#folder.check(path);
    const end = path.lastIndexOf('/');
    const directory = path.slice(0, Math.max(0, end));
    const name = path.slice(end + 1);
    const chain = this.#chainOf(directory);
    const forget = (): void => this.#forget(directory, chain);
    const lease = chain.take();
    if (lease instanceof Promise) return lease.then((taken) => this.#placeIn(taken, name, forget));
    return this.#placeIn(lease, name, forget);
  }

  /** Like {@link take}; `undefined` also where anything is wrong with the directory, which a walk from the root tells. */
  tryTake(path: string): SharedPlace | undefined | Promise<SharedPlace | undefined> {
    try {
      const taken = this.take(path);
      return taken instanceof Promise ? taken.catch(() => undefined) : taken;
    } catch {
      return undefined;
    }
  }

  #placeIn(
    { value: opened, release }: Lease<Opened | undefined>,
    name: string,
    forget: () => void,
  ): SharedPlace | Promise<undefined> {
    if (opened === undefined) return Promise.resolve(release()).then(() => undefined);
    return new SharedPlace(this.#folder, opened, name, { forget, release });
  }

  #chainOf(directory: string): Chain {
    const known = this.#chains.get(directory);
    if (known !== undefined) return known;
    const chain: Chain = new Leased(this.#open(directory), closeAll, () => this.#forget(directory, chain));
    this.#chains.set(directory, chain);
    return chain;
  }

  async #open(directory: string): Promise<Opened | undefined> {
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
        const next = await this.#folder.descend(handle, name, segments.slice(0, i + 1).join('/'), false);
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

  #forget(directory: string, chain: Chain): void {
    if (this.#chains.get(directory) === chain) this.#chains.delete(directory);
  }
}

async function closeAll(opened: Opened | undefined): Promise<void> {
  for (const handle of opened?.handles ?? []) await handle.close();
}
