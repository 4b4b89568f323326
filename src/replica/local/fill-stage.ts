import { createHash, type Hash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import type { Digest, DigestScheme } from '../../core/digest.js';
import type { FilePart, Hasher } from '../../core/hasher.js';
import { throwIfAborted } from '../../errors.js';
import type { Source } from '../replica.js';
import { incomplete } from './content-error.js';
import { combineParts, digestFile } from './digest-file.js';
import { partsTogether } from './digest-parts.js';
import { EarlySync } from './early-sync.js';
import type { FileHandle } from './file-system.js';
import type { LocalSource } from './local-source.js';
import { partsNotBefore, type PartCopying } from './parts-not-before.js';
import { bufferFor, readBlocks } from './read-blocks.js';
import type { StageRecord } from './stage-record.js';
import { VersionBefore, type PartPlace } from './version-before.js';

const MIB = 1024 * 1024;
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

/** A range as it was copied from the version before, with its checksum and, where it is hashed on its way, its hash. */
interface CopiedRange extends Pick<BegunRange, 'checksum' | 'hash'> {
  readonly range: number;
}

/** MD5s of parts of the file; `undefined`: it has to be made here. */
interface PartHasher {
  readonly partsAtOnce: number;
  hash(parts: readonly FilePart[]): Promise<readonly (Uint8Array | undefined)[]>;
}

/** Fills one staged file, range by range, in any order. */
export class StageFilling {
  readonly #options: FillingOptions;
  readonly #early: EarlySync;
  /** Hashes parts of the file on another thread, where there is more than one range, and somebody to do it. */
  readonly #hashElsewhere: PartHasher | undefined;
  /** Ranges that are in the file and wait for others, to be hashed with them. */
  #unhashed: number[] = [];
  /** MD5s of the ranges, where they are hashed one by one. */
  readonly #md5s: Uint8Array[] = [];
  /** Ranges that came from the source in this run, from their first byte on. */
  readonly #fetched = new Set<number>();
  readonly #told = new Set<number>();
  /** Memory that ranges went through, for the next ones. */
  readonly #blocks: Uint8Array[] = [];
  readonly #before: VersionBefore | undefined;

  constructor(options: FillingOptions) {
    this.#options = options;
    this.#early = new EarlySync(options.file, options.syncEveryBytes);
    this.#hashElsewhere = hashElsewhere(options);
    this.#before = versionBefore(options);
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
   * Brings in every range that is not there: what an earlier run has noted is read again and kept if it is what arrived then, and
   * what is in the version before is copied.
   *
   * @param believing `false`: only what was fetched in this run is kept.
   * @returns the digest of the whole, in the scheme asked for.
   */
  async fill(believing: boolean): Promise<Digest | undefined> {
    const { plan, known, file, source, hasher, signal } = this.#options;
    const hashing: Promise<void>[] = [];
    try {
      await this.#eachRange(believing, (range, stop) => this.#bringIn(range, believing, stop, hashing));
      this.#hashWaiting(hashing, signal ?? NEVER);
    } finally {
      // Both need the file to be open.
      await Promise.allSettled(hashing);
      // A failure of this comes before any other: what the disk has lost must not be gone on with.
      await this.#early.end();
    }
    await Promise.all(hashing);
    if (plan.hashed !== undefined)
      return combineParts(plan.count === 0 ? [createHash('md5').digest()] : this.#md5s, plan.hashed);
    return known === undefined ? undefined : await digestFile(file, source.entry.sizeBytes, known, { hasher, signal });
  }

  /** @param hashing - takes what is hashed while other ranges come. */
  async #bringIn(range: number, believing: boolean, stop: AbortSignal, hashing: Promise<void>[]): Promise<void> {
    const begun = believing ? await this.#held(range, stop) : this.#begin();
    const isNew = begun.length === 0;
    if (begun.length < this.#length(range)) await this.#withBlock((block) => this.#fetch(range, begun, block, stop));
    if (begun.hash !== undefined) this.#md5s[range] = begun.hash.digest();
    else if (this.#options.plan.hashed !== undefined) {
      this.#unhashed.push(range);
      if (this.#unhashed.length === this.#hashElsewhere?.partsAtOnce) this.#hashWaiting(hashing, stop);
    }
    if (isNew) this.#fetched.add(range);
    this.#told.add(range);
  }

  /** Begins to hash the ranges that wait for it. */
  #hashWaiting(hashing: Promise<void>[], stop: AbortSignal): void {
    const ranges = this.#unhashed;
    this.#unhashed = [];
    if (ranges.length > 0) hashing.push(this.#hashInFile(ranges, stop));
  }

  /** Hashes ranges that are in the file. */
  async #hashInFile(ranges: readonly number[], stop: AbortSignal): Promise<void> {
    const found = await this.#md5sInFile(ranges, stop);
    for (const [i, range] of ranges.entries()) this.#md5s[range] = found[i] as Uint8Array;
  }

  async #md5sInFile(ranges: readonly number[], stop: AbortSignal): Promise<Uint8Array[]> {
    const parts = ranges.map((range) => ({ start: this.#start(range), end: this.#start(range) + this.#length(range) }));
    const found = (await this.#hashElsewhere?.hash(parts)) ?? [];
    const md5s: Uint8Array[] = [];
    for (const [i, range] of ranges.entries()) md5s.push(found[i] ?? (await this.#hashHere(range, stop)));
    return md5s;
  }

  async #hashHere(range: number, stop: AbortSignal): Promise<Uint8Array> {
    const hash = createHash('md5');
    // Cut short by somebody, it has another digest than it should.
    await this.#read(range, this.#length(range), stop, (block) => void hash.update(block));
    return hash.digest();
  }

  /** Reads the first bytes of a range, block by block; answers whether all of them are there. */
  async #read(range: number, length: number, stop: AbortSignal, take: (block: Uint8Array) => void): Promise<boolean> {
    const start = this.#start(range);
    return await this.#withBlock((buffer) =>
      readBlocks(this.#options.file, { start, end: start + length, buffer, signal: stop }, take),
    );
  }

  async #eachRange(believing: boolean, work: (range: number, stop: AbortSignal) => Promise<void>): Promise<void> {
    const { plan, concurrency, signal } = this.#options;
    if (plan.count === 1) {
      const stop = signal ?? NEVER;
      for await (const range of this.#toBringIn(believing, stop)) await work(range, stop);
      throwIfAborted(signal);
      return;
    }
    const stopper = new AbortController();
    const stop = signal === undefined ? stopper.signal : AbortSignal.any([stopper.signal, signal]);
    const ranges = this.#toBringIn(believing, stop);
    const stopAll = (error: unknown): never => {
      stopper.abort(error);
      throw error;
    };
    // Told before the ranges are given up, which waits for what is being copied.
    const guarded = (range: number): Promise<void> => work(range, stop).catch(stopAll);
    const lane = async (): Promise<void> => {
      for await (const range of ranges) await guarded(range);
    };
    // All of them are waited for, so that none writes into a file that was given up; what failed first is in the stopper.
    await Promise.allSettled(Array.from({ length: Math.min(concurrency, plan.count) }, () => lane().catch(stopAll)));
    throwIfAborted(signal);
    if (stopper.signal.aborted) throw stopper.signal.reason;
  }

  /** The ranges of which something has to be brought in, or to be looked at. Copies meanwhile what is in the version before. */
  async *#toBringIn(believing: boolean, stop: AbortSignal): AsyncGenerator<number, void> {
    const { plan, record } = this.#options;
    const left = Array.from({ length: plan.count }, (_, range) => range).filter((range) => !this.#fetched.has(range));
    const before = believing ? this.#before : undefined;
    const isToFetch = (range: number): boolean => before === undefined || record?.held.has(range) === true;
    yield* left.filter(isToFetch);
    if (before === undefined) return;
    const others = left.filter((range) => !isToFetch(range));
    yield* partsNotBefore(before, others, this.#copying(before, stop));
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

  #copying(before: VersionBefore, stop: AbortSignal): PartCopying<CopiedRange> {
    return {
      together: this.#hashElsewhere?.partsAtOnce ?? 1,
      copy: (place) => this.#withBlock((block) => this.#copy(before, place, block, stop)),
      keepRight: (copies) => this.#keepRight(before, copies, stop),
      md5Of: async (place) => {
        const hash = createHash('md5');
        const isThere = await this.#withBlock((block) =>
          before.read(place, block, stop, (bytes) => void hash.update(bytes)),
        );
        return isThere ? hash.digest() : undefined;
      },
    };
  }

  async #copy(
    before: VersionBefore,
    place: PartPlace,
    block: Uint8Array,
    stop: AbortSignal,
  ): Promise<CopiedRange | undefined> {
    const { file, record } = this.#options;
    const hash = this.#hashElsewhere === undefined ? createHash('md5') : undefined;
    let checksum = 0;
    const isThere = await before.read(place, block, stop, async (bytes, position) => {
      hash?.update(bytes);
      if (record !== undefined) checksum = crc32(bytes, checksum);
      await file.write(bytes, position);
      this.#early.wrote(bytes.length);
    });
    return isThere ? { range: place.part, checksum, hash } : undefined;
  }

  /** Keeps the copies that are what is wanted: of what is in the file by now, where another thread hashes it. */
  async #keepRight(before: VersionBefore, copies: readonly CopiedRange[], stop: AbortSignal): Promise<boolean[]> {
    const ranges = copies.map(({ range }) => range);
    const inFile = this.#hashElsewhere && (await this.#md5sInFile(ranges, stop));
    const kept: boolean[] = [];
    for (const [i, { range, checksum, hash }] of copies.entries()) {
      const md5 = (hash?.digest() ?? inFile?.[i]) as Uint8Array;
      const isRight = before.mayBe(range, md5);
      kept.push(isRight);
      if (!isRight) continue;
      const length = this.#length(range);
      await this.#options.record?.note(range, length, checksum);
      this.#md5s[range] = md5;
      this.#tell(range, length);
      this.#told.add(range);
    }
    return kept;
  }

  /** Fetches what is missing of a range. */
  async #fetch(
    range: number,
    { length, checksum: begun, hash }: BegunRange,
    block: Uint8Array,
    stop: AbortSignal,
  ): Promise<void> {
    const { path, source, file, record } = this.#options;
    const start = this.#start(range);
    const end = start + this.#length(range);
    let written = start + length;
    let checksum = begun;
    let filled = 0;
    const flush = async (): Promise<void> => {
      await file.write(block.subarray(0, filled), written);
      written += filled;
      await record?.note(range, written - start, checksum);
      this.#early.wrote(filled);
      filled = 0;
    };
    for await (const chunk of source.read(written, end, stop)) {
      throwIfAborted(stop);
      if (written + filled + chunk.length > end)
        throw incomplete(path, end - start, written + filled + chunk.length - start);
      for (let at = 0; at < chunk.length;) {
        const piece = chunk.subarray(at, at + block.length - filled);
        block.set(piece, filled);
        hash?.update(piece);
        if (record !== undefined) checksum = crc32(piece, checksum);
        filled += piece.length;
        at += piece.length;
        // Noted as whole only when nothing came after it.
        if (filled === block.length && written + filled < end) await flush();
      }
      this.#tell(range, chunk.length);
    }
    if (written + filled !== end) throw incomplete(path, end - start, written + filled - start);
    await flush();
  }

  /** Lends memory that a range goes through. It is lent again once the work is over: by then nothing may be reading or writing it. */
  async #withBlock<T>(work: (block: Uint8Array) => Promise<T>): Promise<T> {
    const block = this.#blocks.pop() ?? bufferFor(this.#length(0));
    try {
      return await work(block);
    } finally {
      this.#blocks.push(block);
    }
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

/** The version before, where its parts can be told from those of the new one. */
function versionBefore({ base, source, plan }: FillingOptions): VersionBefore | undefined {
  const { entry, parts } = source;
  if (base === undefined || parts?.partSizeBytes !== plan.rangeBytes) return undefined;
  return new VersionBefore(base, { parts, sizeBytes: entry.sizeBytes, count: plan.count });
}

function hashElsewhere({ plan, file: { descriptor }, hasher, source }: FillingOptions): PartHasher | undefined {
  const files = hasher?.files;
  if (plan.count <= 1 || descriptor === undefined || files === undefined) return undefined;
  const totalBytes = source.entry.sizeBytes;
  return {
    partsAtOnce: partsTogether(files, plan.rangeBytes),
    hash: (parts) => files.hash('md5', { descriptor, parts, totalBytes }),
  };
}
