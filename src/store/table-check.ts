import { open, readdir, type FileHandle } from 'node:fs/promises';
import path from 'node:path';
import { hasCode } from './atomic-file.js';
import { crc32c, unmaskCrc } from './crc32c.js';
import { readLiveTables } from './live-tables.js';
import { VarintReader } from './varint-reader.js';

// The layout is LevelDB's doc/table_format.md.
const FOOTER_BYTES = 48;
const MAGIC = 0xdb4775248b80fb57n;
/** One byte for the compression, four for the masked CRC-32C. */
const TRAILER_BYTES = 5;
const UNCOMPRESSED = 0;

interface BlockHandle {
  readonly offset: number;
  readonly size: number;
}

/**
 * Checks what LevelDB believes unseen in its tables: the footer, the index and the filter. A damaged index makes it ask for
 * absurd amounts of memory, which ends the process, and a damaged filter makes it deny rows that are there.
 * Rows are not read; they carry their own checksums. Tables that the database does not consist of any more, or not yet,
 * are passed over: a compaction that was cut off leaves half of one behind, which is no damage.
 *
 * Nobody may have the database open. Cost: about 1 % of the bytes of the tables.
 *
 * @returns what is damaged, or `undefined`.
 */
export async function findTableDamage(directory: string): Promise<string | undefined> {
  let names: string[];
  try {
    names = await readdir(directory);
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return undefined;
    throw error;
  }
  const live = await readLiveTables(directory);
  for (const name of names) {
    if (!/\.(ldb|sst)$/.test(name)) continue;
    const sizeBytes = live?.get(Number.parseInt(name, 10));
    if (live !== undefined && sizeBytes === undefined) continue;
    const handle = await open(path.join(directory, name), 'r');
    try {
      const damage = await damageOfTable(handle, sizeBytes);
      if (damage !== undefined) return `${name}: ${damage}`;
    } finally {
      await handle.close();
    }
  }
  return undefined;
}

/** `sizeBytes`: what the database says the table has, which is where LevelDB looks for its end. */
async function damageOfTable(file: FileHandle, sizeBytes: number | undefined): Promise<string | undefined> {
  const stats = await file.stat();
  if (!stats.isFile()) return 'it is not a file';
  const end = (sizeBytes ?? stats.size) - FOOTER_BYTES;
  if (end < 0 || stats.size < end + FOOTER_BYTES) return 'it is too short';
  const footer = await readAt(file, end, FOOTER_BYTES);
  if (footer.readBigUInt64LE(FOOTER_BYTES - 8) !== MAGIC) return 'its end is not that of a table';
  const reader = new VarintReader(footer);
  const metaIndexHandle = readHandle(reader);
  const indexHandle = readHandle(reader);
  if ((await readBlock(file, indexHandle, end)) === undefined) return 'its index fails the checksum';
  const metaIndex = await readBlock(file, metaIndexHandle, end);
  if (metaIndex === undefined) return 'its list of filters fails the checksum';
  // LevelDB compresses a block only when that saves an eighth, which a list of one filter does not.
  if (metaIndex.compression !== UNCOMPRESSED) return undefined;
  const filterHandle = firstValueOf(metaIndex.bytes);
  if (filterHandle !== undefined && (await readBlock(file, filterHandle, end)) === undefined)
    return 'its filter fails the checksum';
  return undefined;
}

/** A block that passes its checksum, or `undefined`. */
async function readBlock(
  file: FileHandle,
  handle: BlockHandle | undefined,
  end: number,
): Promise<{ readonly bytes: Buffer; readonly compression: number } | undefined> {
  if (handle === undefined || handle.offset + handle.size + TRAILER_BYTES > end) return undefined;
  const block = await readAt(file, handle.offset, handle.size + TRAILER_BYTES);
  if (unmaskCrc(block.readUInt32LE(handle.size + 1)) !== crc32c(block.subarray(0, handle.size + 1))) return undefined;
  return { bytes: block.subarray(0, handle.size), compression: block.readUInt8(handle.size) };
}

/** The handle in the first entry of a block: shared, unshared and value length, key, value. */
function firstValueOf(block: Buffer): BlockHandle | undefined {
  const restarts = block.length < 4 ? 0 : block.readUInt32LE(block.length - 4);
  if (block.length <= 4 + 4 * restarts) return undefined;
  const reader = new VarintReader(block);
  reader.next();
  const keyLength = reader.next();
  reader.next();
  reader.skip(keyLength);
  return readHandle(reader);
}

/** Where a block stands, as the footer and the list of filters tell it. */
function readHandle(reader: VarintReader): BlockHandle | undefined {
  const offset = reader.next();
  const size = reader.next();
  return Number.isSafeInteger(offset) && Number.isSafeInteger(size) ? { offset, size } : undefined;
}

/** Exactly these bytes; zeros where the file ends early. */
async function readAt(file: FileHandle, position: number, length: number): Promise<Buffer> {
  const buffer = Buffer.alloc(length);
  let filled = 0;
  while (filled < length) {
    const { bytesRead } = await file.read(buffer, filled, length - filled, position + filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return buffer;
}
