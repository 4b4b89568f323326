import { closeSync, fdatasync, fsyncSync, ftruncateSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs';
import { type FileHandle, mkdir, open, readdir, readFile, rm, unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { crc32 } from 'node:zlib';
import { UsageError } from '../../errors.js';
import { type BlobWriter, type ObjectStorage, piecesOf } from './object-storage.js';
import type { Segment, StateChange } from './state.js';

const READ_BYTES = 256 * 1024;
const syncData = promisify(fdatasync);

/** Options of {@link DirectoryStorage.open}. */
export interface DirectoryStorageOptions {
  /** Wait for the disk before answering a change. Default `true`; without it a power cut may lose the last changes, a kill never does. */
  readonly durable?: boolean;
}

/**
 * Keeps bytes in numbered files and the state in a journal, in one folder.
 *
 * A change is its line in the journal: a blob is whole and on the disk before a line refers to it, a line that was cut
 * short is ignored, and blobs without a line are removed at the next start. File names are numbers, never made from a key.
 *
 * @example
 * ```ts
 * const storage = await DirectoryStorage.open('bucket-data');
 * const s3 = await SimulatedS3.open(storage);
 * await s3.close();
 * ```
 */
export class DirectoryStorage implements ObjectStorage {
  readonly #folder: string;
  readonly #durable: boolean;
  readonly #readers = new Map<number, number>();
  readonly #doomed = new Set<number>();
  readonly #removals = new Set<Promise<void>>();
  #next = 1;
  #journal: number | undefined;
  #journalBytes = 0;
  #syncing: Promise<void> | undefined;
  #nextSync: Promise<void> | undefined;

  private constructor(folder: string, durable: boolean) {
    this.#folder = folder;
    this.#durable = durable;
  }

  /** Takes a folder for its own. Throws `UsageError` when another running server has it. */
  static async open(folder: string, options: DirectoryStorageOptions = {}): Promise<DirectoryStorage> {
    await mkdir(join(folder, 'blobs'), { recursive: true });
    await takeLock(join(folder, 'lock'), folder);
    return new DirectoryStorage(folder, options.durable ?? true);
  }

  async load(): Promise<Iterable<readonly StateChange[]>> {
    return readJournal(join(this.#folder, 'journal'));
  }

  async settle(isUsed: (blob: number) => boolean, snapshot: () => Iterable<readonly StateChange[]>): Promise<void> {
    for (const shard of await namesIn(join(this.#folder, 'blobs'), /^[\da-f]{2}$/))
      for (const name of await namesIn(join(this.#folder, 'blobs', shard), /^[\da-f]{12}$/)) {
        const blob = parseInt(name, 16);
        if (blob >= this.#next) this.#next = blob + 1;
        if (!isUsed(blob)) await unlink(join(this.#folder, 'blobs', shard, name));
      }
    const fresh = join(this.#folder, 'journal.new');
    const fd = openSync(fresh, 'w', 0o600);
    for (const changes of snapshot()) {
      const line = Buffer.from(journalLine(changes));
      writeAll(fd, line, this.#journalBytes);
      this.#journalBytes += line.length;
    }
    fsyncSync(fd);
    renameSync(fresh, join(this.#folder, 'journal'));
    this.#journal = fd;
    await this.#syncFolder(this.#folder);
  }

  async put(bytes: Uint8Array): Promise<number> {
    const writer = this.writer();
    try {
      await writer.write(bytes);
      return await writer.finish();
    } catch (error) {
      await writer.abort();
      throw error;
    }
  }

  writer(): BlobWriter {
    const blob = this.#next++;
    const path = this.#path(blob);
    let file: FileHandle | undefined;
    const opened = async (): Promise<FileHandle> => {
      await mkdir(join(path, '..'), { recursive: true });
      return (file = await open(path, 'wx', 0o600));
    };
    return {
      write: async (chunk) => {
        const handle = file ?? (await opened());
        for (let at = 0; at < chunk.length;) at += (await handle.write(chunk, at, chunk.length - at)).bytesWritten;
      },
      finish: async () => {
        const handle = file ?? (await opened());
        if (this.#durable) await handle.sync();
        await handle.close();
        if (this.#durable) await this.#syncFolder(join(path, '..'));
        return blob;
      },
      abort: async () => {
        if (file === undefined) return;
        await file.close().catch(() => undefined);
        await rm(path, { force: true });
      },
    };
  }

  read(content: readonly Segment[], start: number, end: number): AsyncIterable<Uint8Array> {
    return new BlobStream(piecesOf(content, start, end), {
      open: (blob) => open(this.#path(blob), 'r'),
      retain: (blob) => this.#readers.set(blob, (this.#readers.get(blob) ?? 0) + 1),
      release: (blob) => {
        const readers = (this.#readers.get(blob) ?? 0) - 1;
        if (readers > 0) this.#readers.set(blob, readers);
        else {
          this.#readers.delete(blob);
          if (this.#doomed.delete(blob)) this.#unlink(blob);
        }
      },
    });
  }

  remove(blob: number): void {
    if (this.#readers.has(blob)) this.#doomed.add(blob);
    else this.#unlink(blob);
  }

  record(changes: readonly StateChange[]): Promise<void> | undefined {
    if (this.#journal === undefined) throw new Error('the storage is closed');
    const line = Buffer.from(journalLine(changes));
    try {
      writeAll(this.#journal, line, this.#journalBytes);
    } catch (error) {
      // Half a line would hide every later one from the next start.
      ftruncateSync(this.#journal, this.#journalBytes);
      throw error;
    }
    this.#journalBytes += line.length;
    return this.#durable ? this.#sync(this.#journal) : undefined;
  }

  async close(): Promise<void> {
    const journal = this.#journal;
    this.#journal = undefined;
    await this.#nextSync?.catch(() => undefined);
    await this.#syncing?.catch(() => undefined);
    if (journal !== undefined) closeSync(journal);
    await Promise.all(this.#removals);
    await rm(join(this.#folder, 'lock'), { force: true });
  }

  #path(blob: number): string {
    const name = blob.toString(16).padStart(12, '0');
    return join(this.#folder, 'blobs', name.slice(-2), name);
  }

  #unlink(blob: number): void {
    // A blob that stays behind is only wasted space, and the next start removes it.
    const removal = unlink(this.#path(blob)).catch(() => undefined);
    this.#removals.add(removal);
    void removal.finally(() => this.#removals.delete(removal));
  }

  /** Waits for a flush that began after this call; all callers of one moment share it. */
  #sync(fd: number): Promise<void> {
    this.#nextSync ??= (this.#syncing ?? Promise.resolve()).then(
      () => this.#startSync(fd),
      () => this.#startSync(fd),
    );
    return this.#nextSync;
  }

  #startSync(fd: number): Promise<void> {
    this.#nextSync = undefined;
    this.#syncing = syncData(fd);
    return this.#syncing;
  }

  async #syncFolder(folder: string): Promise<void> {
    if (process.platform === 'win32') return;
    const handle = await open(folder, 'r');
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
  }
}

/** The names that are ours; what else somebody put there stays. */
async function namesIn(folder: string, ours: RegExp): Promise<string[]> {
  return (await readdir(folder)).filter((name) => ours.test(name));
}

interface BlobAccess {
  open(blob: number): Promise<FileHandle>;
  retain(blob: number): void;
  release(blob: number): void;
}

/** Reads pieces one after the other. Blobs are retained from the start, also when iteration never begins and `return` is called. */
class BlobStream implements AsyncIterableIterator<Uint8Array> {
  readonly #pieces: Segment[];
  readonly #access: BlobAccess;
  #file: FileHandle | undefined;
  #at = 0;

  constructor(pieces: Segment[], access: BlobAccess) {
    this.#pieces = pieces;
    this.#access = access;
    for (const piece of pieces) access.retain(piece.blob);
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async next(): Promise<IteratorResult<Uint8Array, undefined>> {
    const piece = this.#pieces[0];
    if (piece === undefined) return { done: true, value: undefined };
    try {
      this.#file ??= await this.#access.open(piece.blob);
      const buffer = Buffer.allocUnsafe(Math.min(READ_BYTES, piece.length - this.#at));
      const { bytesRead } = await this.#file.read(buffer, 0, buffer.length, piece.start + this.#at);
      if (bytesRead === 0) throw new Error(`blob ${piece.blob} is shorter than its references say`);
      this.#at += bytesRead;
      if (this.#at === piece.length) await this.#endPiece();
      return { done: false, value: bytesRead === buffer.length ? buffer : buffer.subarray(0, bytesRead) };
    } catch (error) {
      await this.return();
      throw error;
    }
  }

  async return(): Promise<IteratorResult<Uint8Array, undefined>> {
    while (this.#pieces.length > 0) await this.#endPiece();
    return { done: true, value: undefined };
  }

  async #endPiece(): Promise<void> {
    const piece = this.#pieces.shift();
    const file = this.#file;
    this.#file = undefined;
    this.#at = 0;
    await file?.close().catch(() => undefined);
    if (piece !== undefined) this.#access.release(piece.blob);
  }
}

function writeAll(fd: number, bytes: Uint8Array, position: number): void {
  for (let at = 0; at < bytes.length;) at += writeSync(fd, bytes, at, bytes.length - at, position + at);
}

function journalLine(changes: readonly StateChange[]): string {
  const json = JSON.stringify(changes);
  return `${crc32(json).toString(16).padStart(8, '0')} ${json}\n`;
}

/** Reads up to the first line that is cut short or damaged: what comes after it was never acknowledged. */
function* readJournal(path: string): IterableIterator<readonly StateChange[]> {
  let text: Buffer;
  try {
    text = readFileSync(path);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return;
    throw error;
  }
  for (let start = 0; start < text.length;) {
    const end = text.indexOf(10, start);
    if (end === -1) return;
    const json = text.subarray(start + 9, end);
    if (parseInt(text.toString('latin1', start, start + 8), 16) !== crc32(json)) return;
    yield JSON.parse(json.toString()) as readonly StateChange[];
    start = end + 1;
  }
}

async function takeLock(path: string, folder: string): Promise<void> {
  for (let attempt = 0; ; attempt++) {
    try {
      await writeFile(path, String(process.pid), { flag: 'wx', mode: 0o600 });
      return;
    } catch (error) {
      if (!(error instanceof Error) || !('code' in error) || error.code !== 'EEXIST' || attempt > 3) throw error;
    }
    const holder = Number(await readFile(path, 'utf8').catch(() => ''));
    if (holder > 0 && isAlive(holder)) {
      throw new UsageError(
        'ERR_S3_SERVER_FOLDER_IN_USE',
        `The folder ${folder} is used by the S3 server with process id ${holder}: stop that one, or take another folder.`,
        {
          data: { folder, pid: holder },
        },
      );
    }
    // RACE: two servers started in the same instant over the lock of a killed one may both remove it; the second finds the first one's on its next attempt only if it is slower.
    await rm(path, { force: true });
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}
