const POLYNOMIAL = 0x82f63b78;

/** The n-th table of 256 is what a byte comes to that n others follow: four bytes are taken in one step. */
const TABLES = new Int32Array(4 * 256);
for (let byte = 0; byte < 256; byte++) {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) crc = (crc & 1) === 1 ? (crc >>> 1) ^ POLYNOMIAL : crc >>> 1;
  TABLES[byte] = crc;
}
for (let at = 256; at < TABLES.length; at++) {
  const before = TABLES[at - 256] ?? 0;
  TABLES[at] = (TABLES[before & 0xff] ?? 0) ^ (before >>> 8);
}

/** The CRC-32C (Castagnoli) of some bytes, which LevelDB keeps with every block; `node:zlib` has only the other CRC-32. */
export function crc32c(bytes: Uint8Array): number {
  let crc = -1;
  let at = 0;
  for (; at + 4 <= bytes.length; at += 4) {
    const four = crc ^ at4(bytes, at);
    crc =
      (TABLES[768 + (four & 0xff)] ?? 0) ^
      (TABLES[512 + ((four >>> 8) & 0xff)] ?? 0) ^
      (TABLES[256 + ((four >>> 16) & 0xff)] ?? 0) ^
      (TABLES[four >>> 24] ?? 0);
  }
  for (; at < bytes.length; at++) crc = (TABLES[(crc ^ (bytes[at] ?? 0)) & 0xff] ?? 0) ^ (crc >>> 8);
  return ~crc >>> 0;
}

function at4(bytes: Uint8Array, at: number): number {
  return (bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8) | ((bytes[at + 2] ?? 0) << 16) | ((bytes[at + 3] ?? 0) << 24);
}

const MASK_DELTA = 0xa282ead8;

/** The CRC that LevelDB wrote rotated and shifted, so that a CRC of bytes that hold CRCs is no weaker. */
export function unmaskCrc(masked: number): number {
  const rotated = (masked - MASK_DELTA) >>> 0;
  return ((rotated >>> 17) | (rotated << 15)) >>> 0;
}
