import type { FileEntry } from '../../core/entry.js';
import type { Hasher } from '../../core/hasher.js';
import { showPath } from '../../core/path.js';
import { StaleError, throwIfAborted } from '../../errors.js';
import type { Source } from '../replica.js';
import { digestParts } from './digest-parts.js';
import type { FileHandle } from './file-system.js';
import { errnoOf } from './file-system.js';
import { fingerprintOf } from './fingerprint.js';
import type { Folder, Place } from './folder.js';
import type { LocalContext } from './local-context.js';
import { pathErrorOf } from './local-error.js';

/** A part of the usual size is read in one call and given in one piece, so that nobody copies it together. */
const CHUNK_BYTES = 8 * 1024 * 1024;

/** Opens a file of the folder as it was observed. Throws `StaleError` when another version, or nothing, stands there. */
export async function openLocalSource(context: LocalContext, entry: FileEntry): Promise<LocalSource> {
  return (await openInShared(context, entry)) ?? (await openAlone(context, entry));
}

/**
 * Opens it in the directory that others read in, and recognises it by its path again; `undefined` when anything is not as it should be:
 * then the walk from the root tells what it is.
 */
async function openInShared(context: LocalContext, entry: FileEntry): Promise<LocalSource | undefined> {
  const { folder, places } = context;
  const place = await places.tryTake(entry.path);
  if (place === undefined) return undefined;
  const lookAtPath = async (device: bigint): Promise<string | undefined> => {
    if (await isFoundByPath(folder, entry, device)) return entry.fingerprint;
    place.forget();
    return walkToFingerprint(folder, entry.path);
  };
  try {
    return await openAt(context, place, entry, lookAtPath, () => place.release());
  } catch {
    // Met again by the one that opens it alone.
    place.forget();
    await place.release();
    return undefined;
  }
}

async function openAlone(context: LocalContext, entry: FileEntry): Promise<LocalSource> {
  const { folder } = context;
  const place = await folder.place(entry.path);
  if (place === undefined) throw changed(entry.path);
  try {
    return await openAt(context, place, entry, () => walkToFingerprint(folder, entry.path));
  } catch (error) {
    const errno = errnoOf(error);
    if (errno === 'ENOENT' || errno === 'ELOOP') throw changed(entry.path);
    throw pathErrorOf(error, entry.path, 'read');
  } finally {
    await place.parent.close();
  }
}

async function openAt(
  { runtime }: LocalContext,
  { parent, name }: Place,
  entry: FileEntry,
  lookAtPath: (device: bigint) => Promise<string | undefined>,
  onClose?: () => Promise<void> | undefined,
): Promise<LocalSource> {
  // Looked at before it is opened, because opening a device can have effects.
  const standing = await parent.lstat(name);
  if (standing?.type !== 'file') throw changed(entry.path);
  const file = await parent.openFile(name);
  try {
    const source = new LocalSource(file, entry, {
      fingerprintAtPath: () => lookAtPath(standing.device),
      onClose,
      hasher: runtime.hasher,
    });
    await source.verifyContent();
    return source;
  } catch (error) {
    await file.close();
    throw error;
  }
}

/**
 * Whether the path leads to this very file, which was opened where no link led: then which way it leads by now is no matter, and one
 * call tells. Whoever moved it and put a link in its place did so after it was found there.
 */
async function isFoundByPath(folder: Folder, { path, fingerprint }: FileEntry, device: bigint): Promise<boolean> {
  // What is wrong there is told by the walk that follows.
  const found = await folder.lstatByPath(path).catch(() => null);
  return found?.type === 'file' && found.device === device && fingerprintOf(found) === fingerprint;
}

/** Evidence of the file that stands at a path, found by a walk from the root; `undefined` when none does. */
async function walkToFingerprint(folder: Folder, path: string): Promise<string | undefined> {
  const place = await folder.place(path);
  if (place === undefined) return undefined;
  try {
    const stat = await place.parent.lstat(place.name);
    return stat?.type === 'file' ? fingerprintOf(stat) : undefined;
  } finally {
    await place.parent.close();
  }
}

/** What a {@link LocalSource} works with. */
export interface LocalSourceParts {
  /** Evidence of the file that stands at the path now; `undefined` when none does. */
  readonly fingerprintAtPath: () => Promise<string | undefined>;
  /** Called once, after the file is closed. */
  readonly onClose?: (() => Promise<void> | undefined) | undefined;
  /** Hashes parts of the file on other threads, where there are any. */
  readonly hasher?: Hasher | undefined;
}

/** An open file of the folder, or of the trash. */
export class LocalSource implements Source {
  readonly entry: FileEntry;
  readonly file: FileHandle;
  /** Missing where no other thread would make them: then whoever reads the file makes them for as little. */
  readonly partMd5s?: NonNullable<Source['partMd5s']>;
  readonly #parts: LocalSourceParts;
  #open = true;

  constructor(file: FileHandle, entry: FileEntry, parts: LocalSourceParts) {
    this.file = file;
    this.entry = entry;
    this.#parts = parts;
    const { hasher } = parts;
    if (hasher?.files !== undefined && file.descriptor !== undefined) {
      this.partMd5s = (partSizeBytes, signal) => this.#digestParts(hasher, partSizeBytes, signal);
    }
  }

  async #digestParts(
    hasher: Hasher,
    partSizeBytes: number,
    signal: AbortSignal | undefined,
  ): Promise<readonly string[]> {
    const { file, entry } = this;
    try {
      const md5s = await digestParts({ file, sizeBytes: entry.sizeBytes, partSizeBytes }, { hasher, signal });
      return md5s.map((md5) => Buffer.from(md5).toString('hex'));
    } catch (error) {
      throw pathErrorOf(error, entry.path, 'read');
    }
  }

  async *read(start: number, end: number, signal?: AbortSignal): AsyncIterable<Uint8Array> {
    const buffer = Buffer.allocUnsafeSlow(Math.min(CHUNK_BYTES, Math.max(1, end - start)));
    for (let position = start; position < end;) {
      throwIfAborted(signal);
      const chunk = buffer.subarray(0, end - position);
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

  /** The evidence names the file too: where it is that of the path, nothing was written to the one that is open. */
  async verify(): Promise<void> {
    try {
      if ((await this.#parts.fingerprintAtPath()) !== this.entry.fingerprint) throw changed(this.entry.path);
    } catch (error) {
      throw pathErrorOf(error, this.entry.path, 'look at');
    }
  }

  async close(): Promise<void> {
    if (!this.#open) return;
    this.#open = false;
    await this.file.close();
    await this.#parts.onClose?.();
  }
}

function changed(path: string): StaleError {
  return new StaleError(`${showPath(path)} is not the version that was observed.`, { data: { path } });
}
