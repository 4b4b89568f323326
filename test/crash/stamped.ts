/** Bytes of one block. */
export const BLOCK_BYTES = 4096;

/** Content in which every block carries its version and its place, so that a mixture of versions is seen. */
export function stamped(version: number, blocks: number): Buffer {
  const bytes = Buffer.alloc(blocks * BLOCK_BYTES, '.');
  for (let block = 0; block < blocks; block++)
    bytes.write(`v${version} block ${block} of ${blocks}`, block * BLOCK_BYTES);
  return bytes;
}

/** The version of whole content; `undefined` when blocks are mixed, misplaced or missing. */
export function versionOf(bytes: Buffer): number | undefined {
  const version = Number(/^v(\d+) /.exec(bytes.subarray(0, BLOCK_BYTES).toString())?.[1] ?? Number.NaN);
  if (!Number.isInteger(version)) return undefined;
  return stamped(version, Math.floor(bytes.length / BLOCK_BYTES)).equals(bytes) ? version : undefined;
}
