import { showPath } from '../../core/path.js';
import type { ChangeOptions, Outcome, Precondition } from '../replica.js';
import { errnoOf } from './file-system.js';
import type { LocalContext } from './local-context.js';
import { pathErrorOf } from './local-error.js';
import type { LocalTrash } from './local-trash.js';
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
      await found.parent.sync();
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

/** Removes the folders above a path as long as they are empty. What cannot be removed stays: it harms nobody. */
async function pruneEmptyParents(context: LocalContext, path: string): Promise<void> {
  for (let at = path.lastIndexOf('/'); at > 0; at = path.lastIndexOf('/', at - 1)) {
    try {
      const found = await context.folder.place(path.slice(0, at));
      if (found === undefined) continue;
      try {
        await found.parent.removeDirectory(found.name);
      } finally {
        await found.parent.close();
      }
    } catch (error) {
      if (errnoOf(error) === 'ENOENT') continue;
      return;
    }
  }
}
