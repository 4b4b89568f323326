import { crc32 as zlibCrc32 } from 'node:zlib';

/** A running CRC. `digest` may be asked more than once. */
export interface RunningCrc {
  update(bytes: Uint8Array): void;
  /** Big-endian bytes, as S3 encodes them. */
  digest(): Buffer;
}

/** CRC-32 as in zlib, native. */
export function crc32(): RunningCrc {
  let value = 0;
  return {
    update: (bytes) => void (value = zlibCrc32(bytes, value)),
    digest: () => bigEndian32(value),
  };
}

/** CRC-32C (Castagnoli), slicing by 8. */
export function crc32c(): RunningCrc {
  const table = castagnoli();
  let crc = -1;
  return {
    update(bytes) {
      let i = 0;
      let value = crc;
      for (const end = bytes.length - 7; i < end; i += 8) {
        value ^= at8(bytes, i) | (at8(bytes, i + 1) << 8) | (at8(bytes, i + 2) << 16) | (at8(bytes, i + 3) << 24);
        value =
          at(table, 1792 + (value & 255)) ^
          at(table, 1536 + ((value >>> 8) & 255)) ^
          at(table, 1280 + ((value >>> 16) & 255)) ^
          at(table, 1024 + (value >>> 24)) ^
          at(table, 768 + at8(bytes, i + 4)) ^
          at(table, 512 + at8(bytes, i + 5)) ^
          at(table, 256 + at8(bytes, i + 6)) ^
          at(table, at8(bytes, i + 7));
      }
      for (; i < bytes.length; i++) value = at(table, (value ^ at8(bytes, i)) & 255) ^ (value >>> 8);
      crc = value;
    },
    digest: () => bigEndian32(~crc),
  };
}

/** CRC-64/NVME in two 32-bit halves, slicing by 8. */
export function crc64nvme(): RunningCrc {
  const { low, high } = nvme();
  let lo = -1;
  let hi = -1;
  return {
    update(bytes) {
      let i = 0;
      for (const end = bytes.length - 7; i < end; i += 8) {
        lo ^= at8(bytes, i) | (at8(bytes, i + 1) << 8) | (at8(bytes, i + 2) << 16) | (at8(bytes, i + 3) << 24);
        hi ^= at8(bytes, i + 4) | (at8(bytes, i + 5) << 8) | (at8(bytes, i + 6) << 16) | (at8(bytes, i + 7) << 24);
        const a = 1792 + (lo & 255);
        const b = 1536 + ((lo >>> 8) & 255);
        const c = 1280 + ((lo >>> 16) & 255);
        const d = 1024 + (lo >>> 24);
        const e = 768 + (hi & 255);
        const f = 512 + ((hi >>> 8) & 255);
        const g = 256 + ((hi >>> 16) & 255);
        const h = hi >>> 24;
        lo = at(low, a) ^ at(low, b) ^ at(low, c) ^ at(low, d) ^ at(low, e) ^ at(low, f) ^ at(low, g) ^ at(low, h);
        hi =
          at(high, a) ^ at(high, b) ^ at(high, c) ^ at(high, d) ^ at(high, e) ^ at(high, f) ^ at(high, g) ^ at(high, h);
      }
      for (; i < bytes.length; i++) {
        const index = (lo ^ at8(bytes, i)) & 255;
        lo = ((lo >>> 8) | (hi << 24)) ^ at(low, index);
        hi = (hi >>> 8) ^ at(high, index);
      }
    },
    digest() {
      const bytes = Buffer.alloc(8);
      bytes.writeInt32BE(~hi, 0);
      bytes.writeInt32BE(~lo, 4);
      return bytes;
    },
  };
}

// Indices below are in range by construction; the helpers say so to the type checker without a cost at run time.
function at(table: Int32Array, index: number): number {
  return table[index] as number;
}
function at8(bytes: Uint8Array, index: number): number {
  return bytes[index] as number;
}

function bigEndian32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value >>> 0);
  return bytes;
}

let castagnoliTable: Int32Array | undefined;
function castagnoli(): Int32Array {
  if (castagnoliTable !== undefined) return castagnoliTable;
  const table = new Int32Array(8 * 256);
  for (let n = 0; n < 256; n++) {
    let crc = n;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1;
    table[n] = crc;
  }
  for (let i = 256; i < 2048; i++) {
    const previous = at(table, i - 256);
    table[i] = at(table, previous & 255) ^ (previous >>> 8);
  }
  return (castagnoliTable = table);
}

let nvmeTables: { readonly low: Int32Array; readonly high: Int32Array } | undefined;
function nvme(): { readonly low: Int32Array; readonly high: Int32Array } {
  if (nvmeTables !== undefined) return nvmeTables;
  const low = new Int32Array(8 * 256);
  const high = new Int32Array(8 * 256);
  const polynomial = 0x9a6c9329ac4bc9b5n; // reflected form; NVM Express NVM Command Set specification
  for (let n = 0; n < 256; n++) {
    let crc = BigInt(n);
    for (let bit = 0; bit < 8; bit++) crc = crc & 1n ? (crc >> 1n) ^ polynomial : crc >> 1n;
    low[n] = Number(crc & 0xffffffffn);
    high[n] = Number(crc >> 32n);
  }
  for (let i = 256; i < 2048; i++) {
    const lo = at(low, i - 256);
    const hi = at(high, i - 256);
    low[i] = ((lo >>> 8) | (hi << 24)) ^ at(low, lo & 255);
    high[i] = (hi >>> 8) ^ at(high, lo & 255);
  }
  return (nvmeTables = { low, high });
}
