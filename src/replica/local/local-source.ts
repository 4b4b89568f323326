import type { FileEntry } from '../../core/entry.js';
import { showPath } from '../../core/path.js';
import { StaleError, throwIfAborted } from '../../errors.js';
import type { Source } from '../replica.js';
import type { FileHandle } from './file-system.js';
import { errnoOf } from './file-system.js';
import { fingerprintOf } from './fingerprint.js';
import type { Folder } from './folder.js';
import { pathErrorOf } from './local-error.js';

/** A part of the usual size is read in one call and given in one piece, so that nobody copies it together. */
const CHUNK_BYTES = 8 * 1024 * 1024;

/** Opens a file of the folder as it was observed. Throws `StaleError` when another version, or nothing, stands there. */
export async function openLocalSource(folder: Folder, entry: FileEntry): Promise<LocalSource> {
  const place = await folder.place(entry.path);
  if (place === undefined) throw changed(entry.path);
  try {
    // Looked at before it is opened, because opening a device can have effects.
    const standing = await place.parent.lstat(place.name);
    if (standing?.type !== 'file') throw changed(entry.path);
    const file = await place.parent.openFile(place.name);
    const source = new LocalSource(file, entry, async () => {
      const now = await folder.place(entry.path);
      if (now === undefined) return undefined;
      try {
        const stat = await now.parent.lstat(now.name);
        return stat?.type === 'file' ? fingerprintOf(stat) : undefined;
      } finally {
        await now.parent.close();
      }
    });
    try {
      await source.verifyContent();
      return source;
    } catch (error) {
      await source.close();
      throw error;
    }
  } catch (error) {
    const errno = errnoOf(error);
    if (errno === 'ENOENT' || errno === 'ELOOP') throw changed(entry.path);
    throw pathErrorOf(error, entry.path, 'read');
  } finally {
    await place.parent.close();
  }
}

/** An open file of the folder, or of the trash. */
export class LocalSource implements Source {
  readonly entry: FileEntry;
  readonly file: FileHandle;
  readonly #fingerprintAtPath: () => Promise<string | undefined>;

  constructor(file: FileHandle, entry: FileEntry, fingerprintAtPath: () => Promise<string | undefined>) {
    this.file = file;
    this.entry = entry;
    this.#fingerprintAtPath = fingerprintAtPath;
  }

  async *read(start: number, end: number, signal?: AbortSignal): AsyncIterable<Uint8Array> {
    for (let position = start; position < end;) {
      throwIfAborted(signal);
      const chunk = Buffer.allocUnsafeSlow(Math.min(CHUNK_BYTES, end - position));
      await this.#fill(chunk, position);
      position += chunk.length;
      yield chunk;
    }
  }

  async readInto(bytes: Uint8Array, start: number, signal?: AbortSignal): Promise<void> {
    throwIfAborted(signal);
    await this.#fill(bytes, start);
  }

  async #fill(bytes: Uint8Array, position: number): Promise<void> {
    let count: number;
    try {
      count = await this.file.read(bytes, position);
    } catch (error) {
      throw pathErrorOf(error, this.entry.path, 'read');
    }
    if (count < bytes.length) throw changed(this.entry.path);
  }

  /** Throws `StaleError` unless the open file is still as it was observed. */
  async verifyContent(): Promise<void> {
    const stat = await this.file.stat();
    if (stat.type !== 'file' || fingerprintOf(stat) !== this.entry.fingerprint) throw changed(this.entry.path);
  }

  async verify(): Promise<void> {
    try {
      await this.verifyContent();
      if ((await this.#fingerprintAtPath()) !== this.entry.fingerprint) throw changed(this.entry.path);
    } catch (error) {
      throw pathErrorOf(error, this.entry.path, 'look at');
    }
  }

  async close(): Promise<void> {
    await this.file.close();
  }
}

function changed(path: string): StaleError {
  return new StaleError(`${showPath(path)} is not the version that was observed.`, { data: { path } });
}
