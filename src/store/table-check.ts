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

/** Larger indexes are not believed. */
const MOST_INDEX_BYTES = 64 * 1024 * 1024;

/** A file that changed so lately may change again without showing it: some disks keep times to two seconds. */
const SETTLED_MS = 2000;

/** Tables that were found whole in this process, by path: size, time and inode. They are written once and never changed. */
const whole = new Map<string, string>();

/**
 * Checks what LevelDB believes unseen in its tables: all of it. A damaged index makes it ask for absurd amounts of memory, a
 * damaged filter makes it deny rows that are there, and damaged rows that come out of order end the process when tables are
 * merged, which it does whenever it likes. Tables that the database does not consist of any more, or not yet, are passed over: a
 * compaction that was cut off leaves half of one behind, which is no damage.
 *
 * Nobody may have the database open. Cost: each table is read once in a process, at some 500 MB a second.
 *
 * @param nowMs - the time, in milliseconds since 1970: tables that have not changed for a while need not be read again. Default:
 * all are read.
 * @returns what is damaged, or `undefined`.
 */
export async function findTableDamage(directory: string, nowMs = 0): Promise<string | undefined> {
  let names: string[];
  try {
    names = await readdir(directory);
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return undefined;
    throw error;
  }
  const live = await readLiveTables(directory);
  const known = new Set([...whole.keys()].filter((file) => path.dirname(file) === directory));
  for (const name of names) {
    if (!/\.(ldb|sst)$/.test(name)) continue;
    const sizeBytes = live?.get(Number.parseInt(name, 10));
    if (live !== undefined && sizeBytes === undefined) continue;
    const file = path.join(directory, name);
    known.delete(file);
    const damage = await damageOfFile(file, sizeBytes, nowMs);
    if (damage !== undefined) return `${name}: ${damage}`;
  }
  for (const gone of known) whole.delete(gone);
  return undefined;
}

/** `sizeBytes`: what the database says the table has, which is where LevelDB looks for its end. */
async function damageOfFile(file: string, sizeBytes: number | undefined, nowMs: number): Promise<string | undefined> {
  const handle = await open(file, 'r');
  try {
    const stats = await handle.stat({ bigint: true });
    if (!stats.isFile()) return 'it is not a file';
    const length = sizeBytes ?? Number(stats.size);
    if (length < FOOTER_BYTES || stats.size < length) return 'it is too short';
    const identity = `${length} ${stats.size} ${stats.mtimeNs} ${stats.ctimeNs} ${stats.ino}`;
    if (whole.get(file) === identity) return undefined;
    const damage = await damageOfTable(await readStart(handle, length));
    if (damage === undefined && nowMs - Number(stats.ctimeMs) > SETTLED_MS) whole.set(file, identity);
    return damage;
  } finally {
    await handle.close();
  }
}

async function damageOfTable(table: Buffer): Promise<string | undefined> {
  const end = table.length - FOOTER_BYTES;
  const footer = table.subarray(end);
  if (footer.readBigUInt64LE(FOOTER_BYTES - 8) !== MAGIC) return 'its end is not that of a table';
  const reader = new VarintReader(footer);
  const metaIndexHandle = readHandle(reader);
  const indexHandle = readHandle(reader);
  const blocks = table.subarray(0, end);
  const index = readBlock(blocks, indexHandle);
  if (index === undefined) return 'its index fails the checksum';
  const metaIndex = readBlock(blocks, metaIndexHandle);
  if (metaIndex === undefined) return 'its list of filters fails the checksum';
  for (const filter of await handlesOf(metaIndex))
    if (readBlock(blocks, filter) === undefined) return 'its filter fails the checksum';
  for (const rows of await handlesOf(index))
    if (readBlock(blocks, rows) === undefined) return 'some of its rows fail the checksum';
  return undefined;
}

interface Block {
  readonly bytes: Buffer;
  readonly compression: number;
}

/** A block that passes its checksum, or `undefined`. */
function readBlock(blocks: Buffer, handle: BlockHandle | undefined): Block | undefined {
  if (handle === undefined || handle.offset + handle.size + TRAILER_BYTES > blocks.length) return undefined;
  const block = blocks.subarray(handle.offset, handle.offset + handle.size + TRAILER_BYTES);
  if (unmaskCrc(block.readUInt32LE(handle.size + 1)) !== crc32c(block.subarray(0, handle.size + 1))) return undefined;
  return { bytes: block.subarray(0, handle.size), compression: block.readUInt8(handle.size) };
}

/** The handles that an index consists of, one an entry: shared, unshared and value length, key, value. `undefined`: unreadable. */
async function handlesOf({ bytes, compression }: Block): Promise<(BlockHandle | undefined)[]> {
  const entries =
    compression === UNCOMPRESSED ? bytes : Buffer.from((await import('snappyjs')).uncompress(bytes, MOST_INDEX_BYTES));
  const restarts = entries.length < 4 ? 0 : entries.readUInt32LE(entries.length - 4);
  const length = entries.length - 4 - 4 * restarts;
  if (length < 0) return [undefined];
  const reader = new VarintReader(entries.subarray(0, length));
  const handles: (BlockHandle | undefined)[] = [];
  while (!reader.isAtEnd) {
    reader.next();
    const keyLength = reader.next();
    reader.next();
    reader.skip(keyLength);
    handles.push(readHandle(reader));
  }
  return handles;
}

/** Where a block stands, as the footer and the list of filters tell it. */
function readHandle(reader: VarintReader): BlockHandle | undefined {
  const offset = reader.next();
  const size = reader.next();
  return Number.isSafeInteger(offset) && Number.isSafeInteger(size) ? { offset, size } : undefined;
}

/** The first bytes of a file; zeros where it ends early. */
async function readStart(file: FileHandle, length: number): Promise<Buffer> {
  const buffer = Buffer.alloc(length);
  let filled = 0;
  while (filled < length) {
    const { bytesRead } = await file.read(buffer, filled, length - filled, filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return buffer;
}
