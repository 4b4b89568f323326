import { schemeOf } from '../../core/digest.js';
import type { Digest } from '../../core/digest.js';
import type { FileEntry } from '../../core/entry.js';
import { FileCloudSyncError, isAbort, StaleError } from '../../errors.js';
import type { Source, WriteOptions } from '../replica.js';
import { mismatch } from './content-error.js';
import { errnoOf } from './file-system.js';
import { planRanges, StageFilling } from './fill-stage.js';
import type { LocalContext } from './local-context.js';
import { pathErrorOf } from './local-error.js';
import { openLocalSource, type LocalSource } from './local-source.js';
import { openLastingStage, openPassingStage, type Stage } from './open-stage.js';
import type { DirectoryLease } from './shared-directory.js';
import { stageContent } from './stage-content.js';
import { stagedFile, timeForDisk, type StagedFile } from './staged-file.js';

/** Of a large file so many ranges of the usual size are made durable together while it arrives. */
const RANGES_PER_SYNC = 4;

/** Options of {@link stageFile}. */
export interface StageOptions extends WriteOptions {
  /** Permission bits of the new file. */
  readonly mode?: number;
  /** The version that stands in its place: parts that are the same are taken from there. */
  readonly base?: FileEntry | undefined;
}

/**
 * Fetches all of a source into a staged file.
 *
 * A large one is kept when the caller aborts or the source fails for a while, and the next call for the same version goes on
 * with it, as after a crash. On any other failure nothing is left behind.
 */
export async function stageFile(
  context: LocalContext,
  path: string,
  source: Source,
  options: StageOptions = {},
): Promise<StagedFile> {
  try {
    const base = await openBase(context, source, options.base);
    try {
      return await stageSomehow(context, path, source, base, options);
    } finally {
      await base?.close();
    }
  } catch (error) {
    throw pathErrorOf(error, path, 'write');
  }
}

/** The version before, where hints tell which of its parts are wanted still; not needed, so never a reason to fail. */
async function openBase(
  context: LocalContext,
  { parts }: Source,
  entry: FileEntry | undefined,
): Promise<LocalSource | undefined> {
  if (entry === undefined || parts === undefined) return undefined;
  return openLocalSource(context, entry).catch((error: unknown) => {
    if (error instanceof FileCloudSyncError) return undefined;
    throw error;
  });
}

async function stageSomehow(
  context: LocalContext,
  path: string,
  source: Source,
  base: LocalSource | undefined,
  options: StageOptions,
): Promise<StagedFile> {
  for (;;) {
    const lease = await context.staging.take();
    try {
      return await stageIn(context, lease, path, source, base, options);
    } catch (error) {
      await lease.release();
      // Somebody took the folder away that others had opened: it is made again.
      if (!lease.joined || errnoOf(error) !== 'ENOENT') throw error;
      context.staging.forget();
    }
  }
}

async function stageIn(
  context: LocalContext,
  lease: DirectoryLease,
  path: string,
  source: Source,
  base: LocalSource | undefined,
  options: StageOptions,
): Promise<StagedFile> {
  const fromMemory = base === undefined ? await stageContent(context, lease, source, { path, ...options }) : undefined;
  if (fromMemory !== undefined) return fromMemory;
  const { value: directory } = lease;
  const { signal, onBytes, mode } = options;
  const { sizeBytes, fingerprint, modifiedMs } = source.entry;
  const expected = source.entry.digest ?? source.parts?.digest;
  const known = expected === undefined ? undefined : schemeOf(expected);
  const plan = planRanges(sizeBytes, known, context.stageRangeBytes);
  const stage =
    context.keepsStages && plan.count > 1
      ? await openLastingStage(context, directory, { path, fingerprint, sizeBytes, rangeBytes: plan.rangeBytes })
      : await openPassingStage(context, directory);
  const { file, record } = stage;
  try {
    const filling = new StageFilling({
      path,
      source,
      plan,
      known,
      file,
      hasher: context.runtime.hasher,
      syncEveryBytes: RANGES_PER_SYNC * context.stageRangeBytes,
      record,
      base,
      concurrency: context.rangeConcurrency,
      signal,
      onBytes,
    });
    const digest = await fillWhole(filling, stage, path, source, signal);
    const modified = timeForDisk(modifiedMs);
    if (modified !== undefined) await file.setModified(modified);
    if (mode !== undefined) await file.setMode(mode);
    // After a failed sync the pages may be gone though the file looks well: it is thrown away with the error.
    await file.sync();
    await stage.settle();
    const stat = await file.stat();
    const md5s = digest === expected && plan.hashed?.partSizeBytes !== undefined ? filling.md5s : undefined;
    const parts = md5s && { partSizeBytes: plan.rangeBytes, md5s };
    return stagedFile(lease, stage, { stat, digest, parts });
  } catch (error) {
    // Harmless for one that was kept.
    await stage.discard();
    throw error;
  }
}

/** Fills a stage and compares its digest; what did not come in this run is not believed twice. */
async function fillWhole(
  filling: StageFilling,
  stage: Stage,
  path: string,
  source: Source,
  signal: AbortSignal | undefined,
): Promise<Digest | undefined> {
  const certain = source.entry.digest;
  const expected = certain ?? source.parts?.digest;
  for (let believing = true; ; believing = false) {
    const digest = await filling.fill(believing).catch(async (error: unknown) => {
      if (signal?.aborted === true || mayGoOn(error)) await stage.keep();
      throw error;
    });
    const isOther = expected !== undefined && digest !== undefined && digest !== expected;
    if (!isOther || schemeOf(expected) === undefined) return digest;
    if (!filling.isAllFetched) continue;
    // A store whose ETags are no digests of parts: what came is the content, as far as anybody knows.
    if (certain === undefined) return digest;
    throw mismatch(path, expected, digest);
  }
}

/** Whether it was the way from the source that failed, for a while. */
function mayGoOn(error: unknown): boolean {
  if (isAbort(error)) return true;
  return error instanceof FileCloudSyncError && !(error instanceof StaleError) && error.retryable;
}
