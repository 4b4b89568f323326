import { errnoOf } from './file-system.js';
import type { LocalContext } from './local-context.js';

/** Removes the folders above a path as long as they are empty. What cannot be removed stays: it harms nobody. */
export async function pruneEmptyParents(context: LocalContext, path: string): Promise<void> {
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
