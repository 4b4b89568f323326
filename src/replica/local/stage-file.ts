import { createHash } from 'node:crypto';
import { schemeOf } from '../../core/digest.js';
import type { Digest, DigestScheme } from '../../core/digest.js';
import { showPath } from '../../core/path.js';
import { PathError, throwIfAborted } from '../../errors.js';
import type { Source, WriteOptions } from '../replica.js';
import { combineParts, digestFile } from './digest-file.js';
import type { DirectoryHandle, FileHandle, FileStat } from './file-system.js';
import type { LocalContext } from './local-context.js';
import { pathErrorOf } from './local-error.js';

const MIB = 1024 * 1024;
const RANGE_BYTES = 8 * MIB;

/** A whole, verified, durable file under a name in `.filecloudsync/tmp`, on its way to its place. */
export interface StagedFile {
  readonly directory: DirectoryHandle;
  readonly name: string;
  readonly file: FileHandle;
  /** The file as it was staged. */
  readonly stat: FileStat;
  readonly digest: Digest | undefined;
  /** Takes the staged name away and closes everything. Never throws; `cleanUp` finds what could not be removed. */
  discard(): Promise<void>;
}

/** Fetches all of a source into a staged file. On any failure nothing is left behind. */
export async function stageFile(
  context: LocalContext,
  path: string,
  source: Source,
  options: WriteOptions & { readonly mode?: number } = {},
): Promise<StagedFile> {
  try {
    const directory = await context.folder.privateFolder('tmp');
    const name = `${context.runId}-${context.runtime.random.id(12)}`;
    let file: FileHandle | undefined;
    const discard = async (): Promise<void> => {
      try {
        await file?.close();
        await directory.unlink(name);
      } catch {
        // The staged name is of no use to anybody; `cleanUp` takes it away later.
      }
      await directory.close();
    };
    try {
      file = await directory.createFile(name);
      const digest = await fill(context, path, file, source, options);
      await verifyDigest(path, source, digest);
      const { modifiedMs } = source.entry;
      if (modifiedMs !== undefined) await setModified(file, modifiedMs);
      if (options.mode !== undefined) await file.setMode(options.mode);
      // After a failed sync the pages may be gone though the file looks well: it is thrown away with the error.
      await file.sync();
      const stat = await file.stat();
      return { directory, name, file, stat, digest, discard };
    } catch (error) {
      await discard();
      throw error;
    }
  } catch (error) {
    throw pathErrorOf(error, path, 'write');
  }
}

async function fill(
  context: LocalContext,
  path: string,
  file: FileHandle,
  source: Source,
  options: WriteOptions,
): Promise<Digest | undefined> {
  const { sizeBytes } = source.entry;
  const known = source.entry.digest === undefined ? undefined : schemeOf(source.entry.digest);
  const plan = planRanges(sizeBytes, known);
  const parts: Uint8Array[] = [];
  const stop = new AbortController();
  const signal = options.signal === undefined ? stop.signal : AbortSignal.any([stop.signal, options.signal]);
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < plan.count) {
      const index = next++;
      const start = index * plan.rangeBytes;
      const end = Math.min(sizeBytes, start + plan.rangeBytes);
      parts[index] = await fetchRange(path, file, source, start, end, plan.hashed, signal, options.onBytes);
    }
  };
  const workers = Array.from({ length: Math.min(context.rangeConcurrency, plan.count) }, async () => {
    try {
      await worker();
    } catch (error) {
      stop.abort(error);
      throw error;
    }
  });
  // All of them are waited for, so that none writes into a file that was given up.
  const results = await Promise.allSettled(workers);
  throwIfAborted(options.signal);
  if (stop.signal.aborted) throw stop.signal.reason;
  for (const result of results) if (result.status === 'rejected') throw result.reason;
  if (plan.hashed) return combineParts(plan.count === 0 ? [createHash('md5').digest()] : parts, known ?? WHOLE);
  return known === undefined ? undefined : await digestFile(file, sizeBytes, known, options.signal);
}

const WHOLE: DigestScheme = { partSizeBytes: undefined };

interface RangePlan {
  readonly rangeBytes: number;
  readonly count: number;
  /** Hashing each range on its way gives the digest; else the staged file is read again when a digest is known. */
  readonly hashed: boolean;
}

function planRanges(sizeBytes: number, known: DigestScheme | undefined): RangePlan {
  const part = known?.partSizeBytes;
  if (part !== undefined && part >= MIB && part <= 64 * MIB) {
    return { rangeBytes: part, count: Math.ceil(sizeBytes / part), hashed: true };
  }
  const count = Math.ceil(sizeBytes / RANGE_BYTES);
  return { rangeBytes: RANGE_BYTES, count, hashed: count <= 1 && part === undefined };
}

async function fetchRange(
  path: string,
  file: FileHandle,
  source: Source,
  start: number,
  end: number,
  hashed: boolean,
  signal: AbortSignal,
  onBytes: ((count: number) => void) | undefined,
): Promise<Uint8Array> {
  const hash = createHash('md5');
  let position = start;
  for await (const chunk of source.read(start, end, signal)) {
    throwIfAborted(signal);
    if (position + chunk.length > end) throw incomplete(path, end - start, position + chunk.length - start);
    await file.write(chunk, position);
    if (hashed) hash.update(chunk);
    position += chunk.length;
    onBytes?.(chunk.length);
  }
  if (position !== end) throw incomplete(path, end - start, position - start);
  return hash.digest();
}

function incomplete(path: string, expected: number, found: number): PathError {
  return new PathError(
    'ERR_DOWNLOAD_INCOMPLETE',
    `The content of ${showPath(path)} came with the wrong length: ${expected} bytes were asked for, ${found} or more came. It was not put into place; the next run tries again.`,
    { retryable: true, data: { path, expected, found } },
  );
}

async function verifyDigest(path: string, source: Source, found: Digest | undefined): Promise<void> {
  const expected = source.entry.digest;
  if (expected === undefined || found === undefined || schemeOf(expected) === undefined || expected === found) return;
  throw new PathError(
    'ERR_CONTENT_MISMATCH',
    `The content of ${showPath(path)} was damaged on its way: its digest is ${found}, expected was ${expected}. It was not put into place; the next run tries again.`,
    { retryable: true, data: { path, expected, found } },
  );
}

async function setModified(file: FileHandle, modifiedMs: number): Promise<void> {
  // Times come from object metadata, which anybody can have written; what no disk holds is left out.
  if (!Number.isFinite(modifiedMs) || Math.abs(modifiedMs) > MAX_TIME_MS) return;
  await file.setModified(modifiedMs);
}

/** The year 2446, where the times of ext4 end. */
const MAX_TIME_MS = 15_032_385_535_999;
