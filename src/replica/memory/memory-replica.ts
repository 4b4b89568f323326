import { compareByteOrder } from '../../core/byte-order.js';
import type { Digest, DigestScheme } from '../../core/digest.js';
import type { Entry, FileEntry, Fingerprint } from '../../core/entry.js';
import { type NameRules, problemOfPath } from '../../core/path.js';
import type { Problem } from '../../core/problem.js';
import type { Clock } from '../../core/runtime.js';
import type { Side } from '../../core/side.js';
import { PathError, StaleError, throwIfAborted } from '../../errors.js';
import type {
  Capabilities,
  ChangeOptions,
  CleanUpOptions,
  MoveOptions,
  Outcome,
  PathFilter,
  PrepareOptions,
  Precondition,
  Replica,
  ScanMark,
  ScanOptions,
  ScanPage,
  Source,
  WriteOptions,
  Written,
} from '../replica.js';
import { md5Digest } from './md5.js';
import { memorySource, readWhole } from './memory-source.js';
import { MemoryTrash } from './memory-trash.js';

/** Options of {@link MemoryReplica}. */
export interface MemoryReplicaOptions {
  /** `local`: a disk, on which `x` and `x/y` are never both files, with a trash. `remote`: a bucket, which may have both. */
  readonly side: Side;
  /** Dates what `put` brings and what the trash takes. */
  readonly clock: Pick<Clock, 'nowMs'>;
  /** Default `linux`. */
  readonly rules?: NameRules;
  /** Entries in a page of a scan. Default 1000. */
  readonly pageSize?: number;
  /** Files larger than this have a digest of parts, as multipart uploads do. Default 8 MiB. */
  readonly partSizeBytes?: number;
}

interface Stored {
  readonly content: Uint8Array;
  readonly version: number;
  readonly modifiedMs: number | undefined;
}

/**
 * A replica in memory: the smallest honest implementation of the contract, for tests and demonstrations.
 *
 * Every change takes effect in one step between two turns of the event loop, so its preconditions hold exactly.
 *
 * @example
 * ```ts
 * const replica = new MemoryReplica({ side: 'remote', clock: systemRuntime().clock });
 * replica.put('a.txt', 'written by somebody else');
 * console.log(await replica.observe('a.txt'));
 * ```
 */
export class MemoryReplica implements Replica {
  readonly side: Side;
  /** What was replaced or removed; only a local replica fills it. */
  readonly trash: MemoryTrash;
  readonly #files = new Map<string, Stored>();
  readonly #options: MemoryReplicaOptions;
  readonly #clock: Pick<Clock, 'nowMs'>;
  #versions = 0;

  constructor(options: MemoryReplicaOptions) {
    this.side = options.side;
    this.#options = options;
    this.#clock = options.clock;
    this.trash = new MemoryTrash(this.#clock);
  }

  /** Somebody else writes a file, whatever stands there and whatever it is called. */
  put(path: string, content: Uint8Array | string, modifiedMs: number = this.#clock.nowMs()): void {
    this.#store(path, typeof content === 'string' ? new TextEncoder().encode(content) : content, modifiedMs);
  }

  /** Somebody else deletes a file. */
  delete(path: string): boolean {
    return this.#files.delete(path);
  }

  /** Somebody else gives a file another path, whatever stands there. */
  rename(path: string, to: string): boolean {
    const stored = this.#files.get(path);
    if (stored === undefined) return false;
    this.#files.delete(path);
    this.#files.set(to, stored);
    return true;
  }

  /** The content that stands at a path. */
  content(path: string): Uint8Array | undefined {
    return this.#files.get(path)?.content;
  }

  /** All paths, in UTF-8 byte order. */
  paths(): string[] {
    return [...this.#files.keys()].sort(compareByteOrder);
  }

  async prepare(options: PrepareOptions): Promise<Capabilities> {
    throwIfAborted(options.signal);
    const conditions = { conditionalWrite: 'all', conditionalDelete: true } as const;
    return { ...conditions, caseSensitive: true, normalizationSensitive: true, remarks: [] };
  }

  async *scan(options: ScanOptions): AsyncGenerator<ScanPage, void, undefined> {
    let entries: Entry[] = [];
    let problems: Problem[] = [];
    let skipped: string | undefined;
    const mark = options.onMark && this.#markNow();
    for (const path of this.paths()) {
      throwIfAborted(options.signal);
      if (skipped !== undefined && path.startsWith(`${skipped}/`)) continue;
      const hostile = problemOfPath(path, this.#options.rules ?? 'linux');
      const stored = this.#files.get(path);
      if (hostile !== undefined) {
        problems.push({ ...hostile, path, side: this.side, severity: 'error' });
      } else if (stored !== undefined) {
        skipped = skippedDirectory(path, options.filter);
        if (skipped !== undefined) entries.push({ kind: 'untracked', path: skipped, reason: 'filter', subtree: true });
        else if (options.filter.includesFile(path)) entries.push(entryOf(path, stored));
        else entries.push({ kind: 'untracked', path, reason: 'filter', subtree: false });
      }
      if (entries.length + problems.length >= (this.#options.pageSize ?? 1000)) {
        yield { entries, problems };
        entries = [];
        problems = [];
      }
    }
    yield { entries, problems };
    // Whoever changed something meanwhile may or may not have been seen.
    if (mark !== undefined && (await mark.holds())) options.onMark?.(mark);
  }

  #markNow(): ScanMark {
    const then = this.#versionsNow();
    return { holds: async () => then === this.#versionsNow() };
  }

  /** Names what stands everywhere. */
  #versionsNow(): string {
    return JSON.stringify(this.paths().map((path) => [path, this.#files.get(path)?.version]));
  }

  async observe(path: string, signal?: AbortSignal): Promise<Entry | null> {
    throwIfAborted(signal);
    this.#check(path);
    const stored = this.#files.get(path);
    if (stored !== undefined) return entryOf(path, stored);
    return this.#isDirectory(path) ? { kind: 'directory', path } : null;
  }

  async hasBelow(path: string, signal?: AbortSignal): Promise<boolean> {
    throwIfAborted(signal);
    return this.paths().some((other) => other.startsWith(`${path}/`));
  }

  /** Walks what lies below one directory. */
  async *scanBelow(directoryPath: string, options: ScanOptions): AsyncGenerator<ScanPage, void, undefined> {
    for await (const { entries, problems } of this.scan(options)) {
      const isBelow = ({ path }: { readonly path: string }): boolean => path.startsWith(`${directoryPath}/`);
      yield { entries: entries.filter(isBelow), problems: problems.filter(isBelow) };
    }
  }

  async open(entry: FileEntry, signal?: AbortSignal): Promise<Source> {
    throwIfAborted(signal);
    const { path } = entry;
    const stored = this.#pinned(entry);
    const isCurrent = (): boolean => this.#files.get(path)?.version === stored.version;
    return memorySource(entryOf(path, stored), stored.content, { isCurrent });
  }

  async digest(entry: FileEntry, scheme: DigestScheme, signal?: AbortSignal): Promise<Digest | undefined> {
    throwIfAborted(signal);
    return md5Digest(this.#pinned(entry).content, scheme);
  }

  schemeFor(sizeBytes: number): DigestScheme {
    const partSizeBytes = this.#options.partSizeBytes ?? 8_388_608;
    return { partSizeBytes: sizeBytes > partSizeBytes ? partSizeBytes : undefined };
  }

  async write(
    path: string,
    source: Source,
    precondition: Precondition,
    options: WriteOptions = {},
  ): Promise<Outcome<Written>> {
    throwIfAborted(options.signal);
    this.#check(path);
    const early = this.#objection(path, precondition);
    if (early !== undefined) return { outcome: 'stale', message: early };
    const content = await readWhole(source, options.signal, options.onBytes);
    await source.verify(options.signal);
    throwIfAborted(options.signal);
    // Nothing is awaited from here on: the precondition holds at the moment the change takes effect.
    const objection = this.#objection(path, precondition);
    if (objection !== undefined) return { outcome: 'stale', message: objection };
    this.#discard(path, options.reason ?? 'replaced');
    const entry = this.#store(path, content, source.entry.modifiedMs);
    return { outcome: 'done', entry, digest: md5Digest(content, this.schemeFor(content.length)) };
  }

  async remove(
    path: string,
    precondition: NonNullable<Precondition>,
    options: ChangeOptions = {},
  ): Promise<Outcome<object>> {
    throwIfAborted(options.signal);
    const objection = this.#objection(path, precondition);
    if (objection !== undefined) return { outcome: 'stale', message: objection };
    this.#discard(path, options.reason ?? 'deleted');
    this.#files.delete(path);
    return { outcome: 'done' };
  }

  async move(
    path: string,
    to: string,
    precondition: NonNullable<Precondition>,
    options: MoveOptions = {},
  ): Promise<Outcome<{ readonly entry: FileEntry }>> {
    throwIfAborted(options.signal);
    this.#check(to);
    const objection = this.#objection(path, precondition) ?? this.#objection(to, null);
    const stored = this.#files.get(path);
    if (objection !== undefined || stored === undefined)
      return { outcome: 'stale', message: objection ?? `"${path}" is gone.` };
    this.#files.delete(path);
    const moved = { ...stored, modifiedMs: options.modifiedMs ?? stored.modifiedMs };
    this.#files.set(to, moved);
    return { outcome: 'done', entry: entryOf(to, moved) };
  }

  identityOf(fingerprint: Fingerprint): string {
    return fingerprint;
  }

  async cleanUp({ signal }: CleanUpOptions = {}): Promise<void> {
    throwIfAborted(signal);
  }

  async close(): Promise<void> {}

  #store(path: string, content: Uint8Array, modifiedMs: number | undefined): FileEntry {
    const stored = { content, version: ++this.#versions, modifiedMs };
    this.#files.set(path, stored);
    return entryOf(path, stored);
  }

  #discard(path: string, reason: NonNullable<ChangeOptions['reason']>): void {
    const old = this.#files.get(path);
    if (old !== undefined && this.side === 'local') this.trash.put(path, old.content, old.modifiedMs, reason, 'local');
  }

  /** Why a change may not be made now. */
  #objection(path: string, precondition: Precondition): string | undefined {
    const stored = this.#files.get(path);
    const found = stored === undefined ? null : entryOf(path, stored).fingerprint;
    if (found !== (precondition?.fingerprint ?? null)) {
      return `"${path}" was expected to be ${precondition?.fingerprint ?? 'absent'}, and is ${found ?? 'absent'}.`;
    }
    if (found !== null || this.side === 'remote') return undefined;
    if (this.#isDirectory(path)) return `A directory stands at "${path}".`;
    const above = ancestors(path).find((directory) => this.#files.has(directory));
    return above === undefined ? undefined : `"${above}" is a file, and "${path}" would lie below it.`;
  }

  #isDirectory(path: string): boolean {
    if (this.side === 'remote') return false;
    for (const other of this.#files.keys()) if (other.startsWith(`${path}/`)) return true;
    return false;
  }

  #pinned(entry: FileEntry): Stored {
    const stored = this.#files.get(entry.path);
    if (stored === undefined || entryOf(entry.path, stored).fingerprint !== entry.fingerprint) {
      throw new StaleError(`"${entry.path}" is not the version any more that was observed.`);
    }
    return stored;
  }

  #check(path: string): void {
    const hostile = problemOfPath(path, this.#options.rules ?? 'linux');
    if (hostile !== undefined) throw new PathError(hostile.code, hostile.message, { data: { path } });
  }
}

function entryOf(path: string, { content, version, modifiedMs }: Stored): FileEntry {
  const fingerprint = `v${version}`;
  return { kind: 'file', path, sizeBytes: content.length, fingerprint, modifiedMs, modifiedSource: 'mtime' };
}

/** `['a', 'a/b']` for `a/b/c`. */
function ancestors(path: string): string[] {
  const names = path.split('/').slice(0, -1);
  return names.map((_, i) => names.slice(0, i + 1).join('/'));
}

function skippedDirectory(path: string, filter: PathFilter): string | undefined {
  return ancestors(path).find((directory) => !filter.mayContain(directory));
}
