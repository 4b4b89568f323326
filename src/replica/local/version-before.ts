import { createHash } from 'node:crypto';
import { FileCloudSyncError, throwIfAborted } from '../../errors.js';
import type { PartHints } from '../replica.js';
import { readBlocks } from './read-blocks.js';
import type { LocalSource } from './local-source.js';

/** What is known of the new version of a file. */
export interface NewVersion {
  readonly parts: PartHints;
  readonly sizeBytes: number;
  /** How many parts it has. */
  readonly count: number;
}

/** Takes a block of a part, and where it belongs in the new version. */
type TakeBlock = (block: Uint8Array, position: number) => Promise<void> | void;

/** A place in the version before where a part of the new one may be. */
export interface PartPlace {
  /**
   * Reads the part from there, block by block; a block is taken before the next is read.
   *
   * @returns its MD5 if it may be the one that is wanted; otherwise what was taken is to be forgotten.
   */
  read(take: TakeBlock): Promise<Uint8Array | undefined>;
}

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
   * The places at which a part may be, the likeliest first: what was put in or taken out lies between what stayed and what was
   * moved, so that the next part is mostly where this one was.
   *
   * @param buffer - memory to read with. It is somebody else's once the place was read.
   */
  async *places(part: number, buffer: Uint8Array, signal: AbortSignal): AsyncGenerator<PartPlace, void> {
    const likely = this.#movedBy;
    yield this.#place(part, likely, buffer, signal);
    const by = this.#new.sizeBytes - this.#base.entry.sizeBytes;
    if (by === 0 || !(await (this.#isEndMoved ??= this.#endsSo(by, buffer, signal)))) return;
    yield this.#place(part, likely === 0 ? by : 0, buffer, signal);
  }

  #place(part: number, by: number, buffer: Uint8Array, signal: AbortSignal): PartPlace {
    return {
      read: async (take) => {
        const md5 = await this.#read(part, by, buffer, signal, take);
        if (md5 !== undefined) this.#movedBy = by;
        return md5;
      },
    };
  }

  /** Whether this version may end as the new one does, though it is longer or shorter. */
  async #endsSo(by: number, buffer: Uint8Array, signal: AbortSignal): Promise<boolean> {
    return (await this.#read(this.#new.count - 1, by, buffer, signal, () => undefined)) !== undefined;
  }

  /** Reads a part that began `by` bytes earlier in this version. */
  async #read(
    part: number,
    by: number,
    buffer: Uint8Array,
    signal: AbortSignal,
    take: TakeBlock,
  ): Promise<Uint8Array | undefined> {
    const { parts, sizeBytes } = this.#new;
    const start = part * parts.partSizeBytes;
    const end = Math.min(start + parts.partSizeBytes, sizeBytes);
    if (start < by || end - by > this.#base.entry.sizeBytes) return undefined;
    const hash = createHash('md5');
    const file = {
      read: async (block: Uint8Array, position: number) => {
        await this.#base.readInto(block, position - by, signal);
        return block.length;
      },
    };
    try {
      await readBlocks(file, { start, end, buffer, signal }, async (block, position) => {
        hash.update(block);
        await take(block, position);
      });
    } catch (error) {
      throwIfAborted(signal);
      // The old version can be done without; a stage that cannot be written to fails again at once.
      if (error instanceof FileCloudSyncError) return undefined;
      throw error;
    }
    const md5 = hash.digest();
    return parts.mayBe(part, md5) ? md5 : undefined;
  }
}
