import type { FileEntry } from '../../core/entry.js';
import type { Hasher } from '../../core/hasher.js';
import { showPath } from '../../core/path.js';
import { StaleError, throwIfAborted } from '../../errors.js';
import type { Source } from '../replica.js';
import { digestParts, type DigestPartsOptions } from './digest-parts.js';
import type { FileHandle, FileStat } from './file-system.js';
import { errnoOf } from './file-system.js';
import { fingerprintOf, hasSameFingerprint } from './fingerprint.js';
import type { Folder, Place } from './folder.js';
import type { LocalContext } from './local-context.js';
import { pathErrorOf } from './local-error.js';
import type { SharedPlace } from './shared-place.js';

/** A part of the usual size is read in one call and given in one piece, so that nobody copies it together. */
const CHUNK_BYTES = 8 * 1024 * 1024;

/**
 * Opens a file of the folder as it was observed. Throws `StaleError` when another version, or nothing, stands there.
 *
 * It is opened in the directory that others read in, and recognised by its path again. When anything is not as it should be, the walk
 * from the root tells what it is.
 */
export async function openLocalSource(context: LocalContext, entry: FileEntry): Promise<LocalSource> {
  const found = context.places.tryTake(entry.path);
  const place = found instanceof Promise ? await found : found;
  if (place === undefined) return openAlone(context, entry);
  try {
    return await openAt(context, place, entry, {
      first: () => lookFirst(context.folder, place, entry.path),
      again: (stat) => lookAgain(context.folder, place, entry, stat),
      onClose: () => place.release(),
    });
  } catch {
    // Met again by the one that opens it alone.
    place.forget();
    await place.release();
  }
  return openAlone(context, entry);
}

async function openAlone(context: LocalContext, entry: FileEntry): Promise<LocalSource> {
  const { folder } = context;
  const place = await folder.place(entry.path);
  if (place === undefined) throw changed(entry.path);
  try {
    return await openAt(context, place, entry, {
      first: () => place.parent.lstat(place.name),
      again: () => walkToFingerprint(folder, entry.path),
    });
  } catch (error) {
    const errno = errnoOf(error);
    if (errno === 'ENOENT' || errno === 'ELOOP') throw changed(entry.path);
    throw pathErrorOf(error, entry.path, 'read');
  } finally {
    await place.parent.close();
  }
}

/** How a file is found at its path, before it is opened and after it was read. */
interface Looks {
  readonly first: () => FileStat | null | Promise<FileStat | null>;
  readonly again: (opened: FileStat) => FingerprintFound;
  readonly onClose?: () => Promise<void> | undefined;
}

async function openAt(
  { runtime }: LocalContext,
  { parent, name }: Place,
  entry: FileEntry,
  { first, again, onClose }: Looks,
): Promise<LocalSource> {
  // Looked at before it is opened, because opening a device can have effects.
  const looked = first();
  const standing = looked instanceof Promise ? await looked : looked;
  if (standing?.type !== 'file') throw changed(entry.path);
  const opened = parent.openFile(name);
  const file = opened instanceof Promise ? await opened : opened;
  try {
    const found = file.stat();
    const stat = found instanceof Promise ? await found : found;
    assertVersion(entry, stat);
    const fingerprintAtPath = (): FingerprintFound => again(stat);
    return new LocalSource(file, entry, { fingerprintAtPath, onClose, hasher: runtime.hasher });
  } catch (error) {
    await file.close();
    throw error;
  }
}

/** Throws `StaleError` unless an open file is as it was observed. */
export function assertVersion({ path, fingerprint }: FileEntry, stat: FileStat): void {
  if (stat.type !== 'file' || fingerprintOf(stat) !== fingerprint) throw changed(path);
}

/** What seems to stand at a path: found in one call, or, where that finds nothing, in the directory that others read in. */
function lookFirst(
  folder: Folder,
  { parent, name }: SharedPlace,
  path: string,
): FileStat | null | Promise<FileStat | null> {
  const found = findByPath(folder, path);
  if (found instanceof Promise) return found.then((stat) => stat ?? parent.lstat(name));
  return found ?? parent.lstat(name);
}

/** Evidence of the file that stands at a path; `undefined` when none does. */
type FingerprintFound = string | undefined | Promise<string | undefined>;

/** What stands at the path of a file that was opened: found in one call where it is that very file, else by a walk. */
function lookAgain(folder: Folder, place: SharedPlace, entry: FileEntry, opened: FileStat): FingerprintFound {
  const found = findByPath(folder, entry.path);
  const isFound = found instanceof Promise ? found.then((stat) => isSame(opened, stat)) : isSame(opened, found);
  if (isFound === true) return entry.fingerprint;
  return walkUnlessFound(folder, place, entry, isFound);
}

async function walkUnlessFound(
  folder: Folder,
  place: SharedPlace,
  { path, fingerprint }: FileEntry,
  isFound: boolean | Promise<boolean>,
): Promise<string | undefined> {
  if (await isFound) return fingerprint;
  place.forget();
  return walkToFingerprint(folder, path);
}

/** As {@link Folder.lstatByPath}; `null` also where that fails: what is wrong there is told by the walk that follows. */
function findByPath(folder: Folder, path: string): FileStat | null | Promise<FileStat | null> {
  try {
    const found = folder.lstatByPath(path);
    return found instanceof Promise ? found.catch(() => null) : found;
  } catch {
    return null;
  }
}

/**
 * Whether the path leads to this very file, which was opened where no link led: then which way it leads by now is no matter, and one
 * call tells. Whoever moved it and put a link in its place did so after it was found there.
 */
function isSame(opened: FileStat, found: FileStat | null): boolean {
  return found?.type === 'file' && found.device === opened.device && hasSameFingerprint(found, opened);
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
  readonly fingerprintAtPath: () => FingerprintFound;
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
      this.partMd5s = (partSizeBytes, signal, wanted) =>
        this.#digestParts(partSizeBytes, { hasher, signal, parts: wanted });
    }
  }

  async #digestParts(partSizeBytes: number, options: DigestPartsOptions): Promise<readonly string[]> {
    const { file, entry } = this;
    try {
      const md5s = await digestParts({ file, sizeBytes: entry.sizeBytes, partSizeBytes }, options);
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

  readInto(bytes: Uint8Array, start: number, signal?: AbortSignal): Promise<void> | undefined {
    throwIfAborted(signal);
    return this.#fill(bytes, start);
  }

  #fill(bytes: Uint8Array, position: number): Promise<void> | undefined {
    return this.#check(
      'read',
      () => this.file.read(bytes, position),
      (count) => count === bytes.length,
    );
  }

  /** The evidence names the file too: where it is that of the path, nothing was written to the one that is open. */
  verify(): Promise<void> | undefined {
    const { fingerprint } = this.entry;
    return this.#check('look at', this.#parts.fingerprintAtPath, (found) => found === fingerprint);
  }

  /** Takes a step that is answered at once or later. An answer that is not as expected is another version's. */
  #check<T>(verb: string, step: () => T | Promise<T>, isExpected: (answer: T) => boolean): Promise<void> | undefined {
    try {
      const answer = step();
      if (answer instanceof Promise) return this.#checkLater(verb, answer, isExpected);
      if (isExpected(answer)) return undefined;
    } catch (error) {
      throw pathErrorOf(error, this.entry.path, verb);
    }
    throw changed(this.entry.path);
  }

  async #checkLater<T>(verb: string, answer: Promise<T>, isExpected: (answer: T) => boolean): Promise<void> {
    const found = await answer.catch((error: unknown) => {
      throw pathErrorOf(error, this.entry.path, verb);
    });
    if (!isExpected(found)) throw changed(this.entry.path);
  }

  close(): Promise<void> | undefined {
    if (!this.#open) return undefined;
    this.#open = false;
    const closing = this.file.close();
    const { onClose } = this.#parts;
    return closing === undefined ? onClose?.() : closing.then(onClose);
  }
}

function changed(path: string): StaleError {
  return new StaleError(`${showPath(path)} is not the version that was observed.`, { data: { path } });
}
