import { showPath } from '../../core/path.js';
import type { ChangeOptions, Outcome, Precondition } from '../replica.js';
import type { LocalContext } from './local-context.js';
import { pathErrorOf } from './local-error.js';
import type { LocalTrash } from './local-trash.js';
import { pruneEmptyParents } from './prune-empty-parents.js';
import { whyStale } from './standing.js';

/** Moves a file to the trash, then removes the folders that this left empty; never the root. */
export async function removeFile(
  context: LocalContext,
  trash: LocalTrash,
  path: string,
  precondition: NonNullable<Precondition>,
  options: ChangeOptions,
): Promise<Outcome<object>> {
  const found = await context.folder.place(path);
  if (found === undefined) return { outcome: 'stale', message: `${showPath(path)} is gone.` };
  try {
    const message = whyStale(path, await found.parent.lstat(found.name), precondition);
    if (message !== undefined) return { outcome: 'stale', message };
    const taken = await trash.take(found, { path, entry: precondition.entry, reason: options.reason ?? 'deleted' });
    if (taken === undefined) return { outcome: 'stale', message: `${showPath(path)} was changed at the last moment.` };
    try {
      await context.syncDirectory(found.parent);
    } finally {
      await taken.close();
    }
  } catch (error) {
    throw pathErrorOf(error, path, 'remove');
  } finally {
    await found.parent.close();
  }
  await pruneEmptyParents(context, path);
  return { outcome: 'done' };
}
