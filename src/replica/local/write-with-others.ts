import { throwIfAborted } from '../../errors.js';
import type { Source, WriteOptions, Written } from '../replica.js';
import { contentInMemory } from './content-in-memory.js';
import { errnoOf } from './file-system.js';
import { fileEntryOf } from './fingerprint.js';
import type { LocalContext } from './local-context.js';
import { pathErrorOf } from './local-error.js';
import { passingStageName } from './open-stage.js';
import type { SharedPlace } from './shared-place.js';

/** What is written with others. */
export interface WritingWithOthers {
  readonly context: LocalContext;
  readonly path: string;
  readonly source: Source;
  readonly options: WriteOptions;
  readonly shared: SharedPlace | undefined;
}

/**
 * Makes a small new file whose content is in memory and puts it into place, together with others, where the disk takes many at a
 * time. The steps and their order are those of a file that is written alone.
 *
 * Answers `undefined` when nothing was begun, and `not-placed` when its bytes were told but it has no place: it is to be written
 * alone, which finds out why.
 */
export async function writeWithOthers({
  context,
  path,
  source,
  options: { signal, onBytes, onArrived },
  shared,
}: WritingWithOthers): Promise<Written | 'not-placed' | undefined> {
  const bytes = source.content?.();
  if (shared === undefined || bytes === undefined || !shared.announceFile()) return undefined;
  try {
    const content = contentInMemory(context, path, source, bytes);
    if (content === undefined) return undefined;
    onBytes?.(content.file.bytes.length);
    await source.verify(signal);
    throwIfAborted(signal);
    const lease = await context.staging.take();
    try {
      // Earlier than the file can be seen in its place: it is taken for racy rather too often.
      const observedAtMs = context.diskNowMs();
      const stat = await shared.placeFile(lease.directory, passingStageName(context), content.file, onArrived);
      if (stat === undefined) return 'not-placed';
      return { entry: fileEntryOf(path, stat, observedAtMs), digest: content.digest, parts: content.parts };
    } finally {
      await lease.release();
    }
  } catch (error) {
    // Somebody took a directory away that is held open: it is made again.
    if (errnoOf(error) === 'ENOENT') return 'not-placed';
    throw pathErrorOf(error, path, 'write');
  }
}
