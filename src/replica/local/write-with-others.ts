import { throwIfAborted } from '../../errors.js';
import type { Outcome, Source, WriteOptions, Written } from '../replica.js';
import { contentInMemory } from './content-in-memory.js';
import { errnoOf } from './file-system.js';
import { fileEntryOf } from './fingerprint.js';
import type { LocalContext } from './local-context.js';
import { pathErrorOf } from './local-error.js';
import { passingStageName } from './open-stage.js';
import type { DirectoryLease } from './shared-directory.js';

/** The file is in its place. */
type DoneWithOthers = Extract<Outcome<Written>, { readonly outcome: 'done' }>;

/**
 * Makes a small new file whose content is in memory and puts it into place, together with others, where the disk takes many at a
 * time. The steps and their order are those of a file that is written alone.
 *
 * Answers `undefined` when nothing was begun, and `not-placed` when its bytes were told but it has no place: it is to be written
 * alone, which finds out why.
 */
export async function writeWithOthers(
  context: LocalContext,
  path: string,
  source: Source,
  { signal, onBytes, onArrived }: WriteOptions,
): Promise<DoneWithOthers | 'not-placed' | undefined> {
  const bytes = source.content?.();
  if (bytes === undefined || !context.folder.announceFile()) return undefined;
  try {
    const content = contentInMemory(context, path, source, bytes);
    if (content === undefined) return undefined;
    onBytes?.(content.file.bytes.length);
    const verified = source.verify(signal);
    if (verified !== undefined) await verified;
    throwIfAborted(signal);
    const found = context.places.tryTake(path, { make: true });
    const shared = found instanceof Promise ? await found : found;
    if (shared === undefined) return 'not-placed';
    let lease: DirectoryLease | undefined;
    try {
      const taken = context.staging.take();
      lease = taken instanceof Promise ? await taken : taken;
      // Earlier than the file can be seen in its place: it is taken for racy rather too often.
      const observedAtMs = context.diskNowMs();
      const stat = await shared.placeFile(lease.value, passingStageName(context), content.file, onArrived);
      if (stat === undefined) return 'not-placed';
      const { digest, parts } = content;
      return { outcome: 'done', entry: fileEntryOf(path, stat, observedAtMs), digest, parts };
    } finally {
      const left = lease?.release();
      if (left !== undefined) await left;
      const leftPlace = shared.release();
      if (leftPlace !== undefined) await leftPlace;
    }
  } catch (error) {
    // Somebody took a directory away that is held open: it is made again.
    if (errnoOf(error) === 'ENOENT') return 'not-placed';
    throw pathErrorOf(error, path, 'write');
  }
}
