import type { Triple } from '../core/triple.js';
import type { CycleContext } from './cycle-context.js';
import { MOST_TOUCHED } from './look-at-touched.js';
import { ancestorsOf, hasRowBelow } from './surroundings-of-path.js';
import { WholeLookNeeded } from './whole-look-needed.js';

/** How many paths are looked at together. */
const LOOKED_AT_ONCE = 32;

/**
 * Puts what really stands in the folder into triples of which it was only believed: nothing is decided on a belief.
 *
 * @throws WholeLookNeeded where something else stands than a file or nothing, where a known file is gone, and for more paths than are
 * looked at one by one.
 */
export async function* lookAtFolder(
  context: CycleContext,
  pages: AsyncIterable<readonly Triple[]>,
): AsyncGenerator<readonly Triple[]> {
  const look = new FolderLook(context);
  for await (const page of pages) {
    const seen: Triple[] = [];
    for (let start = 0; start < page.length; start += LOOKED_AT_ONCE) {
      context.signal?.throwIfAborted();
      const some = page.slice(start, start + LOOKED_AT_ONCE);
      seen.push(...(await Promise.all(some.map((each) => look.at(each)))));
      if (look.count > MOST_TOUCHED) throw new WholeLookNeeded('too many paths');
    }
    yield seen;
  }
}

class FolderLook {
  readonly #context: CycleContext;
  /** Directories of the folder in which a new file has room, as far as was asked. */
  readonly #rooms = new Map<string, Promise<void>>();

  #count = 0;

  constructor(context: CycleContext) {
    this.#context = context;
  }

  /** How many paths were looked at. */
  get count(): number {
    return this.#count;
  }

  /** Whole directories, and what takes no part, were not looked into on the remote side either. */
  #isNeededAt({ path, remote, baseline, subtree }: Triple): boolean {
    if (subtree === true || !this.#context.options.filter.includesFile(path)) return false;
    return baseline !== undefined || remote?.kind === 'file';
  }

  /** The triple as it is, where nothing has to be looked at. */
  async at(triple: Triple): Promise<Triple> {
    const { path, baseline } = triple;
    if (!this.#isNeededAt(triple)) return triple;
    this.#count++;
    const { ports, signal } = this.#context;
    const local = await ports.local.observe(path, signal);
    if (local?.kind !== 'file' && (local !== null || baseline !== undefined))
      throw new WholeLookNeeded('a file is gone, or is none');
    if (baseline === undefined) await Promise.all(ancestorsOf(path).map((directory) => this.#hasRoomIn(directory)));
    return { ...triple, local };
  }

  #hasRoomIn(directory: string): Promise<void> {
    let room = this.#rooms.get(directory);
    if (room === undefined) this.#rooms.set(directory, (room = this.#assertRoom(directory)));
    return room;
  }

  async #assertRoom(directory: string): Promise<void> {
    const { ports, signal } = this.#context;
    const entry = await ports.local.observe(directory, signal);
    if (entry !== null && entry.kind !== 'directory')
      throw new WholeLookNeeded('something in the place of a directory');
    // What was renamed or deleted as a whole is no longer where it was agreed.
    if (entry === null && (await hasRowBelow(ports.store.baseline, directory)))
      throw new WholeLookNeeded('a directory is gone');
  }
}
