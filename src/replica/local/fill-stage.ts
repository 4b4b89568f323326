import { createHash, type Hash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import type { Digest, DigestScheme } from '../../core/digest.js';
import type { Hasher } from '../../core/hasher.js';
import { showPath } from '../../core/path.js';
import { FileCloudSyncError, PathError, throwIfAborted } from '../../errors.js';
import type { PartHints, Source } from '../replica.js';
import { bufferFor, combineParts, digestFile, readBlocks } from './digest-file.js';
import { EarlySync } from './early-sync.js';
import type { FileHandle } from './file-system.js';
import type { LocalSource } from './local-source.js';
import type { StageRecord } from './stage-record.js';

const MIB = 1024 * 1024;
/** How much of a range arrives before that is written and noted: what is lost of each range that was under way. */
const BLOCK_BYTES = MIB;
/** The most pieces that are written by one call. */
const MOST_PIECES = 256;
const NEVER = new AbortController().signal;
const WHOLE: DigestScheme = { partSizeBytes: undefined };

/** How a source is divided for its way into a stage. */
export interface RangePlan {
  readonly rangeBytes: number;
  readonly count: number;
  /** The scheme in which the digest comes from hashing each range on its way; `undefined`: the staged file is hashed afterwards, if at all. */
  readonly hashed: DigestScheme | undefined;
}

/**
 * Divides a source: by the parts of its digest, where it has parts, so that each is hashed while it passes. Of a source without a
 * digest ours is made in the same way: without one, a file whose times say nothing could not be told from an edited one.
 */
export function planRanges(sizeBytes: number, known: DigestScheme | undefined, usualBytes: number): RangePlan {
  const part = known?.partSizeBytes;
  if (part !== undefined && part >= Math.min(MIB, usualBytes) && part <= 64 * MIB)
    return { rangeBytes: part, count: Math.ceil(sizeBytes / part), hashed: known };
  const count = Math.ceil(sizeBytes / usualBytes);
  const own = known === undefined ? { partSizeBytes: usualBytes } : undefined;
  return { rangeBytes: usualBytes, count, hashed: count <= 1 && part === undefined ? WHOLE : own };
}

/** What {@link StageFilling} works with. */
export interface FillingOptions {
  readonly path: string;
  readonly source: Source;
  readonly plan: RangePlan;
  /** The digest to tell, where it does not come from the ranges. */
  readonly known: DigestScheme | undefined;
  readonly file: FileHandle;
  /** Hashes ranges of the file on other threads, where there are any. */
  readonly hasher: Hasher | undefined;
  /** After so many bytes the file is made durable while more arrive. */
  readonly syncEveryBytes: number;
  readonly record: StageRecord | undefined;
  /** The version that stands in the place of the file, whose parts may be the same. */
  readonly base: LocalSource | undefined;
  /** How many ranges are worked on at once. */
  readonly concurrency: number;
  readonly signal: AbortSignal | undefined;
  readonly onBytes: ((count: number) => void) | undefined;
}

/** The beginning of a range that is there, with its checksum and, where it is hashed on its way, its hash so far. */
interface BegunRange {
  readonly length: number;
  readonly checksum: number;
  readonly hash: Hash | undefined;
}

/** The version that stands in the place of a file, and what is known of the parts of the file. */
interface Versions {
  readonly base: LocalSource;
  readonly parts: PartHints;
}

/** MD5 of a part of the file; `undefined`: it has to be made here. */
type PartHash = (start: number, end: number) => Promise<Uint8Array | undefined>;

/** Fills one staged file, range by range, in any order. */
export class StageFilling {
  readonly #options: FillingOptions;
  readonly #early: EarlySync;
  /** Hashes a part of the file on another thread, where there is more than one range, and somebody to do it. */
  readonly #hashElsewhere: PartHash | undefined;
  /** MD5s of the ranges, where they are hashed one by one. */
  readonly #md5s: Uint8Array[] = [];
  /** Ranges that came from the source in this run, from their first byte on. */
  readonly #fetched = new Set<number>();
  readonly #told = new Set<number>();
  /** By how much the range that was taken last from the version before had been moved. */
  #movedBy = 0;
  /** Whether the version before ends in the same way, once that was asked. */
  #isEndMoved: Promise<boolean> | undefined;

  constructor(options: FillingOptions) {
    this.#options = options;
    this.#early = new EarlySync(options.file, options.syncEveryBytes);
    this.#hashElsewhere = hashElsewhere(options);
  }

  /** MD5s of the ranges, when they are hashed one by one. */
  get md5s(): readonly string[] | undefined {
    const { plan } = this.#options;
    return plan.hashed === undefined ? undefined : this.#md5s.map((md5) => Buffer.from(md5).toString('hex'));
  }

  /** Whether every range came from the source in this run. */
  get isAllFetched(): boolean {
    return this.#fetched.size === this.#options.plan.count;
  }

  /**
   * Brings in every range that is not there: what an earlier run has noted is read again and kept if it is what arrived then.
   *
   * @param believing `false`: only what was fetched in this run is kept.
   * @returns the digest of the whole, in the scheme asked for.
   */
  async fill(believing: boolean): Promise<Digest | undefined> {
    const { plan, known, file, source, signal } = this.#options;
    const hashing: Promise<void>[] = [];
    try {
      await this.#eachRange((range, stop) => this.#bringIn(range, believing, stop, hashing));
    } finally {
      // Both need the file to be open.
      await Promise.allSettled(hashing);
      // A failure of this comes before any other: what the disk has lost must not be gone on with.
      await this.#early.end();
    }
    await Promise.all(hashing);
    if (plan.hashed !== undefined)
      return combineParts(plan.count === 0 ? [createHash('md5').digest()] : this.#md5s, plan.hashed);
    return known === undefined ? undefined : await digestFile(file, source.entry.sizeBytes, known, signal);
  }

  /** @param hashing - takes what is hashed while other ranges come. */
  async #bringIn(range: number, believing: boolean, stop: AbortSignal, hashing: Promise<void>[]): Promise<void> {
    if (this.#fetched.has(range)) return;
    const begun = believing ? await this.#held(range, stop) : this.#begin();
    const isNew = begun.length === 0;
    if (isNew && believing && (await this.#isInBase(range, stop))) return;
    if (begun.length < this.#length(range)) await this.#fetch(range, begun, stop);
    if (begun.hash !== undefined) this.#md5s[range] = begun.hash.digest();
    else if (this.#options.plan.hashed !== undefined) hashing.push(this.#hashInFile(range, stop));
    if (isNew) this.#fetched.add(range);
    this.#told.add(range);
  }

  /** Hashes a range that is in the file. */
  async #hashInFile(range: number, stop: AbortSignal): Promise<void> {
    const start = this.#start(range);
    const length = this.#length(range);
    let md5 = await this.#hashElsewhere?.(start, start + length);
    if (md5 === undefined) {
      const hash = createHash('md5');
      // Cut short by somebody, it has another digest than it should.
      await this.#read(range, length, stop, (block) => void hash.update(block));
      md5 = hash.digest();
    }
    this.#md5s[range] = md5;
  }

  /** Reads the first bytes of a range, block by block; answers whether all of them are there. */
  async #read(range: number, length: number, stop: AbortSignal, take: (block: Uint8Array) => void): Promise<boolean> {
    const start = this.#start(range);
    const reading = { start, end: start + length, buffer: bufferFor(length), signal: stop };
    return readBlocks(this.#options.file, reading, take);
  }

  async #eachRange(work: (range: number, stop: AbortSignal) => Promise<void>): Promise<void> {
    const { plan, concurrency, signal } = this.#options;
    if (plan.count === 1) {
      await work(0, signal ?? NEVER);
      throwIfAborted(signal);
      return;
    }
    const stopper = new AbortController();
    const stop = signal === undefined ? stopper.signal : AbortSignal.any([stopper.signal, signal]);
    let next = 0;
    const lane = async (): Promise<void> => {
      try {
        while (next < plan.count) await work(next++, stop);
      } catch (error) {
        stopper.abort(error);
        throw error;
      }
    };
    // All of them are waited for, so that none writes into a file that was given up; what failed first is in the stopper.
    await Promise.allSettled(Array.from({ length: Math.min(concurrency, plan.count) }, lane));
    throwIfAborted(signal);
    if (stopper.signal.aborted) throw stopper.signal.reason;
  }

  #begin(): BegunRange {
    return { length: 0, checksum: 0, hash: this.#newHash() };
  }

  /** What an earlier run got of a range, if it is on the disk as it arrived. */
  async #held(range: number, stop: AbortSignal): Promise<BegunRange> {
    const { length, checksum } = this.#options.record?.held.get(range) ?? this.#begin();
    if (length === 0 || length > this.#length(range)) return this.#begin();
    const hash = this.#newHash();
    let found = 0;
    const isWhole = await this.#read(range, length, stop, (block) => {
      found = crc32(block, found);
      hash?.update(block);
    });
    if (!isWhole || found !== checksum) return this.#begin();
    this.#tell(range, length);
    return { length, checksum, hash };
  }

  /** Takes a range from the version before, from the same place or the one that it was moved from, if it is in there. */
  async #isInBase(range: number, stop: AbortSignal): Promise<boolean> {
    const { base, source, plan } = this.#options;
    const { parts } = source;
    if (base === undefined || parts?.partSizeBytes !== plan.rangeBytes) return false;
    const versions = { base, parts };
    // What was put in or taken out lies between what stayed and what was moved: the next range is mostly as this one.
    const likely = this.#movedBy;
    if (await this.#copyFromBase(versions, range, likely, stop)) return true;
    const by = source.entry.sizeBytes - base.entry.sizeBytes;
    const other = likely === 0 ? by : 0;
    if (by === 0 || !(await (this.#isEndMoved ??= this.#endIsInBase(versions, by, stop)))) return false;
    if (!(await this.#copyFromBase(versions, range, other, stop))) return false;
    this.#movedBy = other;
    return true;
  }

  /** Whether the version before may end as this one does, though it is longer or shorter. */
  async #endIsInBase(versions: Versions, by: number, stop: AbortSignal): Promise<boolean> {
    const last = this.#options.plan.count - 1;
    const hash = createHash('md5');
    const isRead = await this.#readFromBase(versions, last, by, stop, (block) => void hash.update(block));
    return isRead && versions.parts.mayBe(last, hash.digest());
  }

  /** Copies a range from the version before, where it began `by` bytes earlier, and keeps it if that can be the one that is wanted. */
  async #copyFromBase(versions: Versions, range: number, by: number, stop: AbortSignal): Promise<boolean> {
    const { file, record } = this.#options;
    const hash = createHash('md5');
    let checksum = 0;
    const isRead = await this.#readFromBase(versions, range, by, stop, async (block, position) => {
      hash.update(block);
      checksum = crc32(block, checksum);
      await file.write(block, position);
    });
    if (!isRead) return false;
    const md5 = hash.digest();
    if (!versions.parts.mayBe(range, md5)) return false;
    const length = this.#length(range);
    await record?.note(range, length, checksum);
    this.#md5s[range] = md5;
    this.#tell(range, length);
    this.#told.add(range);
    return true;
  }

  /**
   * Reads what may be a range out of the version before, block by block.
   *
   * @param take - gets each block, and where it belongs in the new file.
   * @returns whether the version before has all of it.
   */
  async #readFromBase(
    { base }: Versions,
    range: number,
    by: number,
    stop: AbortSignal,
    take: (block: Uint8Array, position: number) => unknown,
  ): Promise<boolean> {
    const start = this.#start(range);
    const end = start + this.#length(range);
    if (start < by || end - by > base.entry.sizeBytes) return false;
    try {
      // One piece of memory for the whole range: a part of its own for each would wait for the collector.
      const buffer = Buffer.allocUnsafeSlow(Math.min(BLOCK_BYTES, end - start));
      for (let position = start; position < end; position += buffer.length) {
        const block = buffer.subarray(0, Math.min(buffer.length, end - position));
        await base.readInto(block, position - by, stop);
        await take(block, position);
      }
      return true;
    } catch (error) {
      throwIfAborted(stop);
      // The old version can be done without; a stage that cannot be written to fails again at once.
      if (error instanceof FileCloudSyncError) return false;
      throw error;
    }
  }

  /** Fetches what is missing of a range. */
  async #fetch(range: number, { length, checksum: begun, hash }: BegunRange, stop: AbortSignal): Promise<void> {
    const { path, source, file, record } = this.#options;
    const start = this.#start(range);
    const end = start + this.#length(range);
    let position = start + length;
    let checksum = begun;
    let written = position;
    let pieces: Uint8Array[] = [];
    const flush = async (): Promise<void> => {
      const [first] = pieces;
      await file.write(pieces.length === 1 && first !== undefined ? first : pieces, written);
      await record?.note(range, position - start, checksum);
      this.#early.wrote(position - written);
      written = position;
      pieces = [];
    };
    for await (const chunk of source.read(position, end, stop)) {
      throwIfAborted(stop);
      if (position + chunk.length > end) throw incomplete(path, end - start, position + chunk.length - start);
      // Hashed while it is still near the processor, and not copied together.
      hash?.update(chunk);
      if (record !== undefined) checksum = crc32(chunk, checksum);
      pieces.push(chunk);
      position += chunk.length;
      if (position < end && (position - written >= BLOCK_BYTES || pieces.length >= MOST_PIECES)) await flush();
      this.#tell(range, chunk.length);
    }
    if (position !== end) throw incomplete(path, end - start, position - start);
    // Noted as whole only when nothing came after it.
    await flush();
  }

  #start(range: number): number {
    return range * this.#options.plan.rangeBytes;
  }

  #length(range: number): number {
    const { plan, source } = this.#options;
    return Math.min(plan.rangeBytes, source.entry.sizeBytes - this.#start(range));
  }

  /** For a range that is hashed on its way: the only one, and any where no other thread hashes it in the file. */
  #newHash(): Hash | undefined {
    const { plan } = this.#options;
    return plan.hashed === undefined || this.#hashElsewhere !== undefined ? undefined : createHash('md5');
  }

  /** A range that is fetched again counts once. */
  #tell(range: number, count: number): void {
    if (!this.#told.has(range)) this.#options.onBytes?.(count);
  }
}

function hashElsewhere({ plan, file: { descriptor }, hasher }: FillingOptions): PartHash | undefined {
  if (plan.count <= 1 || descriptor === undefined || hasher?.hashFile === undefined) return undefined;
  return async (start, end) => hasher.hashFile?.('md5', { descriptor, start, end });
}

function incomplete(path: string, expected: number, found: number): PathError {
  return new PathError(
    'ERR_DOWNLOAD_INCOMPLETE',
    `The content of ${showPath(path)} came with the wrong length: ${expected} bytes were asked for, ${found} or more came. It was not put into place; the next run tries again.`,
    { retryable: true, data: { path, expected, found } },
  );
}
