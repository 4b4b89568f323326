/** What a body of unknown or great length takes at once. */
const SLAB_BYTES = 256 * 1024;
/** Bodies up to this length share the memory that they are cut from: to make some for each costs as much as to copy it. */
const SMALL_BYTES = 64 * 1024;
/** More than this is not kept for the next body. */
const MOST_KEPT_BYTES = 8 * 1024 * 1024;

/** Memory for bodies that arrive, used again and again. */
export interface ReceiveMemory {
  /** Memory to be filled. @param expectedBytes - how long the body is to be, where that was said. */
  take(expectedBytes: number | undefined): Uint8Array;
  /** A small body that is here already, in memory that is not used for another. */
  copy(bytes: Uint8Array): Uint8Array;
  /** Takes it back. Nobody may read it any more. */
  give(bytes: Uint8Array): void;
}

/** Makes a {@link ReceiveMemory}, shared by all bodies of a transport. */
export function createReceiveMemory(): ReceiveMemory {
  const free: Uint8Array[] = [];
  let shared = Buffer.alloc(0);
  let used = 0;
  const cut = (bytes: number): Uint8Array => {
    if (used + bytes > shared.length) [shared, used] = [Buffer.allocUnsafeSlow(SLAB_BYTES), 0];
    used += bytes;
    return shared.subarray(used - bytes, used);
  };
  return {
    take: (expectedBytes) =>
      expectedBytes !== undefined && expectedBytes > 0 && expectedBytes <= SMALL_BYTES
        ? cut(expectedBytes)
        : (free.pop() ?? Buffer.allocUnsafeSlow(SLAB_BYTES)),
    copy(bytes) {
      const copied = cut(bytes.length);
      copied.set(bytes);
      return copied;
    },
    give(bytes) {
      if (bytes.length === SLAB_BYTES && (free.length + 1) * SLAB_BYTES <= MOST_KEPT_BYTES) free.push(bytes);
    },
  };
}
