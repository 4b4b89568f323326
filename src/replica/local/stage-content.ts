import { throwIfAborted } from '../../errors.js';
import type { Source, WriteOptions } from '../replica.js';
import { contentInMemory } from './content-in-memory.js';
import { fillNewFile } from './fill-new-file.js';
import type { LocalContext } from './local-context.js';
import { openPassingStage } from './open-stage.js';
import type { DirectoryLease } from './shared-directory.js';
import { stagedFile, type StagedFile } from './staged-file.js';

/** Options of {@link stageContent}. */
export interface StageContentOptions extends WriteOptions {
  readonly path: string;
  readonly mode?: number | undefined;
}

/** Stages a source whose content is in memory; `undefined` when it is not. Nothing is left behind by a failure. */
export async function stageContent(
  context: LocalContext,
  lease: DirectoryLease,
  source: Source,
  { path, mode, signal, onBytes }: StageContentOptions,
): Promise<StagedFile | undefined> {
  const bytes = source.content?.();
  const content = bytes && contentInMemory(context, path, source, bytes);
  if (content === undefined) return undefined;
  throwIfAborted(signal);
  onBytes?.(content.file.bytes.length);
  const stage = await openPassingStage(context, lease.value);
  try {
    const stat = await fillNewFile(stage.file, content.file, mode);
    return stagedFile(lease, stage, { stat, digest: content.digest, parts: content.parts });
  } catch (error) {
    // After a failed sync the pages may be gone though the file looks well: it is thrown away with the error.
    await stage.discard();
    throw error;
  }
}
