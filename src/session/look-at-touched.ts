import type { BaselineRow } from '../core/baseline.js';
import { compareByteOrder } from '../core/byte-order.js';
import type { Entry } from '../core/entry.js';
import { UNGUARDED_DELETIONS } from '../core/guard.js';
import { PathError } from '../errors.js';
import type { PathFilter } from '../replica/replica.js';
import { assertKnownFolder } from './assert-known-folder.js';
import type { CycleContext } from './cycle-context.js';
import { ancestorsOf, hasRowBelow } from './surroundings-of-path.js';
import { WholeLookNeeded } from './whole-look-needed.js';

/** From so many paths on, looking at everything is quicker. */
export const MOST_TOUCHED = 1000;

/** How many paths are looked at together. */
const LOOKED_AT_ONCE = 32;

/** A path at which the folder is not as it was agreed, as far as is known before the remote side is asked. */
export interface TouchedPath {
  readonly path: string;
  readonly local: Entry | null;
  readonly baseline: BaselineRow | undefined;
}

/** What a look at touched paths found. */
export interface TouchedLookResult {
  /** In byte order of the path. */
  readonly found: readonly TouchedPath[];
  /** How many paths a look at everything has to judge: what stands there is no plain file any more, or could not be looked at. */
  readonly left: number;
}

/**
 * Finds out, without asking the remote side, at which of the paths that may have changed the folder is not as it was agreed:
 * files that were written, files that are gone, and what lies in directories that appeared.
 *
 * Invariant: what is no plain file (a link, something unreadable, a name that the filter leaves out) is left to the next
 * look at everything, and so changes nothing here.
 *
 * @param deletedBefore deletions that were carried since everything was last looked at.
 * @throws WholeLookNeeded where one path cannot be judged by itself: kinds changed, a directory vanished or was replaced, many
 * deletions, a folder that is not surely the known one.
 */
export async function lookAtTouched(
  context: CycleContext,
  touched: readonly string[],
  deletedBefore: number,
): Promise<TouchedLookResult> {
  await assertKnownFolder(context);
  if (touched.length > MOST_TOUCHED) throw new WholeLookNeeded('too many paths');
  const look = new TouchedLook(context);
  const sorted = Array.from(new Set(touched)).toSorted(compareByteOrder);
  for (let start = 0; start < sorted.length; start += LOOKED_AT_ONCE) {
    context.signal?.throwIfAborted();
    await Promise.all(sorted.slice(start, start + LOOKED_AT_ONCE).map((path) => look.at(path)));
  }
  const { found, left } = look;
  const gone = found.filter(({ local }) => local === null).length;
  if (gone + deletedBefore > UNGUARDED_DELETIONS) throw new WholeLookNeeded('many files are gone');
  return { found, left };
}

class TouchedLook {
  readonly #context: CycleContext;
  readonly #found = new Map<string, TouchedPath>();
  /** Directories above touched paths that are known to be no files in the baseline. */
  readonly #noFiles = new Set<string>();
  /** How many agreed files were met in directories. */
  #knownInDirectories = 0;
  #left = 0;

  constructor(context: CycleContext) {
    this.#context = context;
  }

  /** In byte order of the path. */
  get found(): readonly TouchedPath[] {
    return Array.from(this.#found.values()).toSorted((a, b) => compareByteOrder(a.path, b.path));
  }

  get left(): number {
    return this.#left;
  }

  async at(path: string): Promise<void> {
    const { ports, options, signal } = this.#context;
    if (!takesPart(options.filter, path)) return;
    const [local, baseline] = await Promise.all([ports.local.observe(path, signal), ports.store.baseline.get(path)]);
    if (local?.kind === 'directory')
      return options.filter.mayContain(path) ? this.#atDirectory(path, baseline) : undefined;
    if (local === null) return this.#atNothing(path, baseline);
    if (local.kind === 'file') await this.#atFile({ path, local, baseline });
    // A link of which nothing was ever agreed is of no concern to anybody.
    else if (local.kind === 'problematic' || baseline !== undefined) this.#left++;
  }

  async #atFile(touched: TouchedPath): Promise<void> {
    const { path, local, baseline } = touched;
    if (local?.kind !== 'file' || !this.#context.options.filter.includesFile(path)) return;
    if (baseline !== undefined) {
      if (baseline.local !== local.fingerprint || local.racy === true) this.#add(touched);
      return;
    }
    if (await hasRowBelow(this.#context.ports.store.baseline, path))
      throw new WholeLookNeeded('a file in the place of a directory');
    for (const directory of ancestorsOf(path)) {
      if (this.#noFiles.has(directory)) continue;
      if ((await this.#context.ports.store.baseline.get(directory)) !== undefined)
        throw new WholeLookNeeded('a directory in the place of a file');
      this.#noFiles.add(directory);
    }
    this.#add(touched);
  }

  async #atNothing(path: string, baseline: BaselineRow | undefined): Promise<void> {
    if (baseline !== undefined) {
      const { ports, options, signal } = this.#context;
      const directory = ancestorsOf(path).at(-1);
      if (directory !== undefined && (await ports.local.observe(directory, signal))?.kind !== 'directory')
        throw new WholeLookNeeded('a directory is gone');
      if (options.filter.includesFile(path)) this.#add({ path, local: null, baseline });
      return;
    }
    if (await hasRowBelow(this.#context.ports.store.baseline, path)) throw new WholeLookNeeded('a directory is gone');
  }

  /** A directory: what is in it is new, or is known, as when some of it was carried before the directory itself was heard of. */
  async #atDirectory(path: string, baseline: BaselineRow | undefined): Promise<void> {
    if (baseline !== undefined) throw new WholeLookNeeded('a directory in the place of a file');
    const files = await this.#filesBelow(path);
    const known = new Map<string, BaselineRow>();
    for await (const rows of this.#context.ports.store.baseline.scanBelow(path)) {
      this.#knownInDirectories += rows.length;
      if (this.#knownInDirectories > MOST_TOUCHED) throw new WholeLookNeeded('large directories');
      for (const row of rows) {
        // It may have been moved elsewhere, became a directory or a link, or is left out now; or another directory stands there.
        if (!files.has(row.path)) throw new WholeLookNeeded('files of a known directory are gone');
        known.set(row.path, row);
      }
    }
    for (const [each, local] of files) await this.#atFile({ path: each, local, baseline: known.get(each) });
  }

  async #filesBelow(directoryPath: string): Promise<ReadonlyMap<string, Entry>> {
    const { ports, options, signal } = this.#context;
    const files = new Map<string, Entry>();
    try {
      for await (const { entries, problems } of ports.local.scanBelow(directoryPath, {
        filter: options.filter,
        ...(signal && { signal }),
      })) {
        this.#left += problems.length;
        for (const local of entries) {
          if (local.kind === 'file') files.set(local.path, local);
          else if (local.kind === 'problematic') this.#left++;
        }
        if (files.size > MOST_TOUCHED) throw new WholeLookNeeded('a large directory');
      }
    } catch (error) {
      if (!(error instanceof PathError)) throw error;
      throw new WholeLookNeeded('a directory that cannot be walked');
    }
    return files;
  }

  #add(touched: TouchedPath): void {
    this.#found.set(touched.path, touched);
    if (this.#found.size > MOST_TOUCHED) throw new WholeLookNeeded('too many paths');
  }
}

/** A filter that leaves out a directory leaves out all that is in it. */
function takesPart(filter: PathFilter, path: string): boolean {
  return ancestorsOf(path).every((directory) => filter.mayContain(directory));
}
