import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { readFileIfPresent } from './atomic-file.js';
import { crc32c, unmaskCrc } from './crc32c.js';
import { VarintReader } from './varint-reader.js';

// The layouts are LevelDB's doc/log_format.md and db/version_edit.cc.
const BLOCK_BYTES = 32_768;
/** Four bytes of CRC, two of length, one of type. */
const HEADER_BYTES = 7;
const FULL = 1;
const FIRST = 2;
const LAST = 4;

const COMPARATOR = 1;
const COMPACT_POINTER = 5;
const DELETED_TABLE = 6;
const NEW_TABLE = 7;
/** Tags that one number follows: of the log, of the next file, of the last change, of the log before. */
const NUMBERS: ReadonlySet<number> = new Set([2, 3, 4, 9]);

/**
 * Reads which tables a LevelDB database consists of: the size in bytes of each, by number.
 *
 * A table that is not among them is nobody's: it was being written when a process ended, or when the database was closed in
 * the middle of a compaction, and LevelDB removes it unread.
 *
 * @returns `undefined` when that cannot be made out, which LevelDB will not be able to, either.
 */
export async function readLiveTables(directory: string): Promise<ReadonlyMap<number, number> | undefined> {
  const current = await readFileIfPresent(path.join(directory, 'CURRENT'));
  const name = /^(MANIFEST-\d+)\n$/.exec(current ?? '')?.[1];
  if (name === undefined) return undefined;
  let manifest: Buffer;
  try {
    manifest = await readFile(path.join(directory, name));
  } catch {
    return undefined;
  }
  const tables = new Map<number, number>();
  const records = recordsOf(manifest);
  if (records?.every((record) => applyEdit(tables, new VarintReader(record))) !== true) return undefined;
  return tables;
}

/** The records of a log, without one that was cut short at its end; `undefined` when a checksum fails. */
function recordsOf(log: Buffer): Buffer[] | undefined {
  const records: Buffer[] = [];
  let parts: Buffer[] = [];
  for (let at = 0; at + HEADER_BYTES <= log.length;) {
    const left = BLOCK_BYTES - (at % BLOCK_BYTES);
    if (left < HEADER_BYTES) {
      at += left;
      continue;
    }
    const length = log.readUInt16LE(at + 4);
    const type = log.readUInt8(at + 6);
    const end = at + HEADER_BYTES + length;
    if (end > log.length) break;
    if (unmaskCrc(log.readUInt32LE(at)) !== crc32c(log.subarray(at + 6, end))) return undefined;
    if (type === FULL || type === FIRST) parts = [];
    parts.push(log.subarray(at + HEADER_BYTES, end));
    if (type === FULL || type === LAST) records.push(Buffer.concat(parts));
    at = end;
  }
  return records;
}

/** Adds and removes tables as one record of the manifest says; `false` when it cannot be made out. */
function applyEdit(tables: Map<number, number>, reader: VarintReader): boolean {
  while (!reader.isAtEnd) {
    const tag = reader.next();
    if (tag === COMPARATOR) {
      reader.skip(reader.next());
    } else if (NUMBERS.has(tag)) {
      reader.next();
    } else if (tag === COMPACT_POINTER) {
      reader.next();
      reader.skip(reader.next());
    } else if (tag === DELETED_TABLE) {
      reader.next();
      tables.delete(reader.next());
    } else if (tag === NEW_TABLE) {
      reader.next();
      const number = reader.next();
      const sizeBytes = reader.next();
      tables.set(number, sizeBytes);
      reader.skip(reader.next());
      reader.skip(reader.next());
    } else {
      return false;
    }
  }
  return true;
}
