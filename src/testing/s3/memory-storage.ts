import { type BlobWriter, type ObjectStorage, piecesOf } from './object-storage.js';
import type { Segment, StateChange } from './state.js';

const BLOCK_BYTES = 1 << 20;
const EMPTY = new Uint8Array(0);

/**
 * Keeps everything in memory, and nothing beyond its life. Every method answers at once.
 *
 * @example
 * ```ts
 * const s3 = await SimulatedS3.open(new MemoryStorage(), { dialect: 'ceph-16' });
 * ```
 */
export class MemoryStorage implements ObjectStorage {
  /** Blocks of {@link BLOCK_BYTES}, the last one shorter. */
  readonly #blobs = new Map<number, readonly Uint8Array[]>();
  #next = 1;

  load(): Promise<Iterable<readonly StateChange[]>> {
    return Promise.resolve([]);
  }

  settle(): Promise<void> {
    return Promise.resolve();
  }

  put(bytes: Uint8Array): number {
    const blocks: Uint8Array[] = [];
    for (let at = 0; at < bytes.length; at += BLOCK_BYTES)
      blocks.push(Uint8Array.prototype.slice.call(bytes, at, at + BLOCK_BYTES));
    return this.#keep(blocks);
  }

  writer(): BlobWriter {
    const blocks: Uint8Array[] = [];
    let pending: Uint8Array[] = [];
    let pendingBytes = 0;
    const flush = (): void => {
      if (pendingBytes > 0) blocks.push(Buffer.concat(pending, pendingBytes));
      pending = [];
      pendingBytes = 0;
    };
    return {
      write(chunk) {
        for (let at = 0; at < chunk.length;) {
          const taken = chunk.subarray(at, at + BLOCK_BYTES - pendingBytes);
          pending.push(taken.slice());
          pendingBytes += taken.length;
          at += taken.length;
          if (pendingBytes === BLOCK_BYTES) flush();
        }
      },
      finish: () => {
        flush();
        return this.#keep(blocks);
      },
      abort: () => undefined,
    };
  }

  read(content: readonly Segment[], start: number, end: number): Uint8Array | AsyncIterable<Uint8Array> {
    const views: Uint8Array[] = [];
    for (const piece of piecesOf(content, start, end)) {
      const blocks = this.#blobs.get(piece.blob) ?? [];
      for (let at = piece.start; at < piece.start + piece.length;) {
        const within = at % BLOCK_BYTES;
        const view =
          blocks[Math.floor(at / BLOCK_BYTES)]?.subarray(within, within + piece.start + piece.length - at) ?? EMPTY;
        if (view.length === 0) throw new Error(`blob ${piece.blob} is shorter than its references say`);
        views.push(view);
        at += view.length;
      }
    }
    const [first] = views;
    return views.length <= 1 ? (first ?? EMPTY) : asyncOf(views);
  }

  remove(blob: number): void {
    this.#blobs.delete(blob);
  }

  record(): undefined {
    return undefined;
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  #keep(blocks: readonly Uint8Array[]): number {
    const blob = this.#next++;
    this.#blobs.set(blob, blocks);
    return blob;
  }
}

async function* asyncOf(views: readonly Uint8Array[]): AsyncIterable<Uint8Array> {
  yield* views;
}
