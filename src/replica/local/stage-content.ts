import { createHash } from 'node:crypto';
import { schemeOf } from '../../core/digest.js';
import { throwIfAborted } from '../../errors.js';
import type { Source, WriteOptions } from '../replica.js';
import { incomplete, mismatch } from './content-error.js';
import { combineParts } from './digest-file.js';
import type { DirectoryHandle, FileStat, NewFile } from './file-system.js';
import { fillNewFile } from './fill-new-file.js';
import type { RangePlan } from './fill-stage.js';
import type { LocalContext } from './local-context.js';
import { openPassingStage, passingStage, passingStageName, type Stage } from './open-stage.js';
import type { DirectoryLease } from './shared-directory.js';
import { stagedFile, timeForDisk, type StagedFile } from './staged-file.js';

/** Options of {@link stageContent}. */
export interface StageContentOptions extends WriteOptions {
  readonly path: string;
  readonly plan: RangePlan;
  readonly mode?: number | undefined;
}

/**
 * Stages a source whose content is in memory, as one range: together with others, where the disk takes many at a time.
 *
 * Answers `undefined` when it is not, or when the file would have to be read again for its digest. Nothing is left behind by
 * a failure.
 */
export async function stageContent(
  context: LocalContext,
  lease: DirectoryLease,
  source: Source,
  { path, plan, mode, signal, onBytes, onArrived }: StageContentOptions,
): Promise<StagedFile | undefined> {
  const { hashed, rangeBytes } = plan;
  if (plan.count !== 1 || hashed === undefined) return undefined;
  const bytes = source.content?.();
  if (bytes === undefined) return undefined;
  throwIfAborted(signal);
  const { digest: certain, sizeBytes, modifiedMs } = source.entry;
  if (bytes.length !== sizeBytes) throw incomplete(path, sizeBytes, bytes.length);
  const md5 = createHash('md5').update(bytes).digest();
  const digest = combineParts([md5], hashed);
  if (certain !== undefined && schemeOf(certain) !== undefined && digest !== certain)
    throw mismatch(path, certain, digest);
  onBytes?.(sizeBytes);
  const content = { bytes, modifiedMs: timeForDisk(modifiedMs), mode, onTaken: onArrived };
  const { stage, stat } = await makeStage(context, lease.directory, content);
  const isProved = digest === (certain ?? source.parts?.digest) && hashed.partSizeBytes !== undefined;
  const parts = isProved ? { partSizeBytes: rangeBytes, md5s: [md5.toString('hex')] } : undefined;
  return stagedFile(lease, stage, { stat, digest, parts });
}

/** A stage with all of its content, durable. */
interface MadeStage {
  readonly stage: Stage;
  readonly stat: FileStat;
}

async function makeStage(context: LocalContext, directory: DirectoryHandle, content: NewFile): Promise<MadeStage> {
  return (await makeWithOthers(context, directory, content)) ?? (await makeAlone(context, directory, content));
}

async function makeWithOthers(
  context: LocalContext,
  directory: DirectoryHandle,
  content: NewFile,
): Promise<MadeStage | undefined> {
  const name = passingStageName(context);
  try {
    const made = await directory.makeFile?.(name, content);
    return made && { stage: passingStage(directory, name, made.file), stat: made.stat };
  } catch (error) {
    // Of no use to anybody: what cannot be taken away now is when the next run cleans up.
    await directory.unlink(name).catch(() => {});
    throw error;
  }
}

async function makeAlone(context: LocalContext, directory: DirectoryHandle, content: NewFile): Promise<MadeStage> {
  const stage = await openPassingStage(context, directory);
  try {
    return { stage, stat: await fillNewFile(stage.file, content) };
  } catch (error) {
    // After a failed sync the pages may be gone though the file looks well: it is thrown away with the error.
    await stage.discard();
    throw error;
  }
}
