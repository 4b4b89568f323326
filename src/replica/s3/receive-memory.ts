/** What a body of unknown or great length takes at once. */
const SLAB_BYTES = 256 * 1024;
/** A body up to this length has memory of its own, of just its length. */
const SMALL_BYTES = 64 * 1024;
/** More than this is not kept for the next body. */
const MOST_KEPT_BYTES = 8 * 1024 * 1024;

/** Memory for bodies that arrive, used again and again. */
export interface ReceiveMemory {
  /** Memory to be filled. @param expectedBytes - how long the body is to be, where that was said. */
  take(expectedBytes: number | undefined): Uint8Array;
  /** Takes it back. Nobody may read it any more. */
  give(bytes: Uint8Array): void;
}

/** Makes a {@link ReceiveMemory}, shared by all bodies of a transport. */
export function createReceiveMemory(): ReceiveMemory {
  const free: Uint8Array[] = [];
  return {
    take: (expectedBytes) =>
      expectedBytes !== undefined && expectedBytes > 0 && expectedBytes <= SMALL_BYTES
        ? Buffer.allocUnsafe(expectedBytes)
        : (free.pop() ?? Buffer.allocUnsafeSlow(SLAB_BYTES)),
    give(bytes) {
      if (bytes.length === SLAB_BYTES && (free.length + 1) * SLAB_BYTES <= MOST_KEPT_BYTES) free.push(bytes);
    },
  };
}
