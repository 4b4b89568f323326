import { schemeOf } from '../../core/digest.js';
import type { Digest } from '../../core/digest.js';
import { showPath } from '../../core/path.js';
import { FileCloudSyncError, isAbort, PathError, StaleError } from '../../errors.js';
import type { Source, WriteOptions } from '../replica.js';
import { errnoOf, type DirectoryHandle, type FileHandle, type FileStat } from './file-system.js';
import { planRanges, StageFilling } from './fill-stage.js';
import type { LocalContext } from './local-context.js';
import { pathErrorOf } from './local-error.js';
import { openLastingStage, openPassingStage, type Stage } from './open-stage.js';
import type { DirectoryLease } from './shared-directory.js';

/** A whole, verified, durable file under a name in `.filecloudsync/tmp`, on its way to its place. */
export interface StagedFile {
  readonly directory: DirectoryHandle;
  readonly name: string;
  readonly file: FileHandle;
  /** The file as it was staged. */
  readonly stat: FileStat;
  readonly digest: Digest | undefined;
  /** The staged name is gone: `discard` need not try. */
  forgetName(): void;
  /** Takes the staged name away and closes everything. Never throws; `cleanUp` finds what could not be removed. */
  discard(): Promise<void>;
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
  options: WriteOptions & { readonly mode?: number } = {},
): Promise<StagedFile> {
  try {
    for (;;) {
      const lease = await context.staging.take();
      try {
        return await stageIn(context, lease, path, source, options);
      } catch (error) {
        await lease.release();
        // Somebody took the folder away that others had opened: it is made again.
        if (!lease.joined || errnoOf(error) !== 'ENOENT') throw error;
        context.staging.forget();
      }
    }
  } catch (error) {
    throw pathErrorOf(error, path, 'write');
  }
}

async function stageIn(
  context: LocalContext,
  lease: DirectoryLease,
  path: string,
  source: Source,
  { signal, onBytes, mode }: WriteOptions & { readonly mode?: number },
): Promise<StagedFile> {
  const { directory } = lease;
  const { sizeBytes, fingerprint, modifiedMs, digest: expected } = source.entry;
  const known = expected === undefined ? undefined : schemeOf(expected);
  const plan = planRanges(sizeBytes, known, context.stageRangeBytes);
  const stage =
    context.keepsStages && plan.count > 1
      ? await openLastingStage(context, directory, { path, fingerprint, sizeBytes, rangeBytes: plan.rangeBytes })
      : await openPassingStage(context, directory);
  const { name, file, record } = stage;
  try {
    const concurrency = context.rangeConcurrency;
    const filling = new StageFilling({ path, source, plan, known, file, record, concurrency, signal, onBytes });
    const digest = await fillWhole(filling, stage, path, expected, signal);
    if (modifiedMs !== undefined) await setModified(file, modifiedMs);
    if (mode !== undefined) await file.setMode(mode);
    // After a failed sync the pages may be gone though the file looks well: it is thrown away with the error.
    await file.sync();
    await stage.settle();
    const stat = await file.stat();
    const discard = async (): Promise<void> => {
      await stage.discard();
      await lease.release();
    };
    return { directory, name, file, stat, digest, forgetName: () => stage.forgetName(), discard };
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
  expected: Digest | undefined,
  signal: AbortSignal | undefined,
): Promise<Digest | undefined> {
  for (let believing = true; ; believing = false) {
    const digest = await filling.fill(believing).catch(async (error: unknown) => {
      if (signal?.aborted === true || mayGoOn(error)) await stage.keep();
      throw error;
    });
    const isOther = expected !== undefined && digest !== undefined && digest !== expected;
    if (!isOther || schemeOf(expected) === undefined) return digest;
    if (filling.isAllFetched) throw mismatch(path, expected, digest);
  }
}

/** Whether it was the way from the source that failed, for a while. */
function mayGoOn(error: unknown): boolean {
  if (isAbort(error)) return true;
  return error instanceof FileCloudSyncError && !(error instanceof StaleError) && error.retryable;
}

function mismatch(path: string, expected: Digest, found: Digest): PathError {
  return new PathError(
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
