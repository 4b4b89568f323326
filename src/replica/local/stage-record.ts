import { errnoOf } from './file-system.js';
import type { DirectoryHandle, FileHandle } from './file-system.js';

/** Which version a kept stage is of, and how it is divided. */
export interface StageIdentity {
  readonly path: string;
  /** Fingerprint of the source. */
  readonly fingerprint: string;
  readonly sizeBytes: number;
  readonly rangeBytes: number;
}

/** The beginning of a range that has arrived. */
export interface HeldRange {
  readonly length: number;
  /** CRC-32 of these bytes. */
  readonly checksum: number;
}

/** A record of 5 TiB with a line for each MiB. */
const MAX_RECORD_BYTES = 192 * 1024 * 1024;

/**
 * How much of each range of a staged file has arrived, with a checksum, in a file beside it.
 *
 * The checksums are what is believed: a later run reads the ranges again and keeps those that still are what arrived. So the
 * record and the ranges may reach the disk in any order, or not at all.
 */
export class StageRecord {
  /** What an earlier run got of each range. */
  readonly held: ReadonlyMap<number, HeldRange>;
  readonly #file: FileHandle;
  #position: number;

  private constructor(file: FileHandle, position: number, held: ReadonlyMap<number, HeldRange>) {
    this.#file = file;
    this.#position = position;
    this.held = held;
  }

  /** Begins a record. `EEXIST` when one is there. */
  static async create(directory: DirectoryHandle, name: string, identity: StageIdentity): Promise<StageRecord> {
    const file = await directory.createFile(name);
    try {
      const head = new TextEncoder().encode(headOf(identity));
      await file.write(head, 0);
      return new StageRecord(file, head.length, new Map());
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  /** Opens the record of this very version; `undefined` when there is none, or one that says something else. */
  static async open(
    directory: DirectoryHandle,
    name: string,
    identity: StageIdentity,
  ): Promise<StageRecord | undefined> {
    let file: FileHandle;
    try {
      file = await directory.reopenFile(name);
    } catch (error) {
      if (errnoOf(error) === undefined) throw error;
      return undefined;
    }
    try {
      const { type, links, sizeBytes } = await file.stat();
      if (type === 'file' && links === 1 && sizeBytes <= MAX_RECORD_BYTES) {
        const bytes = new Uint8Array(sizeBytes);
        const count = await file.read(bytes, 0);
        const text = new TextDecoder().decode(bytes.subarray(0, count));
        const head = headOf(identity);
        if (text.startsWith(head)) return new StageRecord(file, count, readRanges(text.slice(head.length)));
      }
    } catch (error) {
      await file.close();
      throw error;
    }
    await file.close();
    return undefined;
  }

  /** Notes that the first `length` bytes of a range are in the staged file. */
  async note(range: number, length: number, checksum: number): Promise<void> {
    // Begins with the end of a line, so that one that was cut off spoils no other.
    const line = new TextEncoder().encode(`\n${range} ${length} ${checksum.toString(16).padStart(8, '0')}\n`);
    const at = this.#position;
    this.#position += line.length;
    await this.#file.write(line, at);
  }

  /** Never throws. */
  async close(): Promise<void> {
    await this.#file.close();
  }
}

function headOf({ path, fingerprint, sizeBytes, rangeBytes }: StageIdentity): string {
  return `${JSON.stringify([1, path, fingerprint, sizeBytes, rangeBytes])}\n`;
}

/** The last line of a range counts. */
function readRanges(text: string): Map<number, HeldRange> {
  const held = new Map<number, HeldRange>();
  for (const [, range, length, checksum = ''] of text.matchAll(/^(\d{1,9}) (\d{1,12}) ([0-9a-f]{8})$/gm))
    held.set(Number(range), { length: Number(length), checksum: Number.parseInt(checksum, 16) });
  return held;
}
