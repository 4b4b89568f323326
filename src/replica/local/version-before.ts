import { FileCloudSyncError, throwIfAborted } from '../../errors.js';
import type { PartHints } from '../replica.js';
import type { LocalSource } from './local-source.js';
import { readBlocks } from './read-blocks.js';

/** What is known of the new version of a file. */
export interface NewVersion {
  readonly parts: PartHints;
  readonly sizeBytes: number;
  /** How many parts it has. */
  readonly count: number;
}

/** A part of the new version, and a place in the version before where it may be. */
export interface PartPlace {
  readonly part: number;
  /** By how many bytes it begins earlier there: 0 where nothing was moved. */
  readonly by: number;
}

/** Makes the MD5 of a part at a place; `undefined` where not all of it is there, or can be read. */
export type Md5OfPlace = (place: PartPlace) => Promise<Uint8Array | undefined>;

/** Takes a block of a part, and where it belongs in the new version. */
type TakeBlock = (block: Uint8Array, position: number) => Promise<void> | void;

/** The version that stands in the place of a file, of which the new one may have most: in the same place, or moved. */
export class VersionBefore {
  readonly #base: LocalSource;
  readonly #new: NewVersion;
  /** By how much the part that was found last had been moved. */
  #movedBy = 0;
  /** Whether the version before may end in the same way, once that was asked. */
  #isEndMoved: Promise<boolean> | undefined;

  constructor(base: LocalSource, newVersion: NewVersion) {
    this.#base = base;
    this.#new = newVersion;
  }

  /**
   * Where a part is most likely: what was put in or taken out lies between what stayed and what was moved, so that the next part
   * is mostly where this one was.
   */
  likelyPlace(part: number): PartPlace {
    return { part, by: this.#movedBy };
  }

  /**
   * Where else a part may be that was not found at its likely place; `undefined`: nowhere.
   *
   * @param md5Of - asked once, for the last part.
   */
  async otherPlace({ part, by }: PartPlace, md5Of: Md5OfPlace): Promise<PartPlace | undefined> {
    const moved = this.#new.sizeBytes - this.#base.entry.sizeBytes;
    if (moved === 0 || !(await (this.#isEndMoved ??= this.#endsSo(moved, md5Of)))) return undefined;
    return { part, by: by === 0 ? moved : 0 };
  }

  /** Whether this version may end as the new one does, though it is longer or shorter. */
  async #endsSo(by: number, md5Of: Md5OfPlace): Promise<boolean> {
    const part = this.#new.count - 1;
    const md5 = await md5Of({ part, by });
    return md5 !== undefined && this.mayBe(part, md5);
  }

  /** Whether a part with this MD5 may be the one of this number. */
  mayBe(part: number, md5: Uint8Array): boolean {
    return this.#new.parts.mayBe(part, md5);
  }

  /** A part was found at its place. */
  found({ by }: PartPlace): void {
    this.#movedBy = by;
  }

  /**
   * Reads a part from a place, block by block; a block is taken before the next is read.
   *
   * @param buffer - memory to read with.
   * @returns `false` where not all of it is there, or can be read: what was taken is to be forgotten.
   */
  async read({ part, by }: PartPlace, buffer: Uint8Array, signal: AbortSignal, take: TakeBlock): Promise<boolean> {
    const { parts, sizeBytes } = this.#new;
    const start = part * parts.partSizeBytes;
    const end = Math.min(start + parts.partSizeBytes, sizeBytes);
    if (start < by || end - by > this.#base.entry.sizeBytes) return false;
    const file = {
      read: async (block: Uint8Array, position: number) => {
        await this.#base.readInto(block, position - by, signal);
        return block.length;
      },
    };
    try {
      return await readBlocks(file, { start, end, buffer, signal }, take);
    } catch (error) {
      throwIfAborted(signal);
      // The old version can be done without; a stage that cannot be written to fails again at once.
      if (error instanceof FileCloudSyncError) return false;
      throw error;
    }
  }
}
