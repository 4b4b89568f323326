import { createHmac, hash } from 'node:crypto';

/** Bytes that SHA-256 takes at once. */
const BLOCK_BYTES = 64;
const HASH_BYTES = 32;
/** Longer texts are left to Node.js. */
const MOST_TEXT_BYTES = 4096;

/**
 * HMAC-SHA256 (RFC 2104) of many short texts under one key: two plain hashes take half as long as Node.js takes to make one
 * object of `createHmac`.
 *
 * @param key - at most 64 bytes
 * @returns a function that answers the HMAC of a text in hex.
 */
export function createKeyedHash(key: Uint8Array): (text: string) => string {
  if (key.length > BLOCK_BYTES) throw new RangeError(`a key of ${key.length} bytes would have to be hashed first`);
  const inner = Buffer.alloc(BLOCK_BYTES + MOST_TEXT_BYTES);
  const outer = Buffer.alloc(BLOCK_BYTES + HASH_BYTES);
  for (let i = 0; i < BLOCK_BYTES; i++) {
    inner[i] = (key[i] ?? 0) ^ 0x36;
    outer[i] = (key[i] ?? 0) ^ 0x5c;
  }
  return (text) => {
    // One character takes up to three bytes.
    if (text.length * 3 > MOST_TEXT_BYTES) return createHmac('sha256', key).update(text).digest('hex');
    const length = inner.write(text, BLOCK_BYTES);
    outer.write(hash('sha256', inner.subarray(0, BLOCK_BYTES + length), 'binary'), BLOCK_BYTES, 'latin1');
    return hash('sha256', outer, 'hex');
  };
}
