import { errnoOf } from './file-system.js';
import type { LocalContext } from './local-context.js';
import { pathErrorOf } from './local-error.js';
import type { LocalTrash } from './local-trash.js';

/** Removes what interrupted runs staged, and descriptions of versions that never reached the trash. */
export async function cleanUpLocal(context: LocalContext, trash: LocalTrash): Promise<void> {
  const directory = await context.folder.privateFolder('tmp');
  try {
    const own = `${context.runId}-`;
    for (const { name, type } of await directory.list()) {
      if (type === 'directory' || name.startsWith(own)) continue;
      try {
        await directory.unlink(name);
      } catch (error) {
        if (errnoOf(error) !== 'ENOENT') throw pathErrorOf(error, `.filecloudsync/tmp/${name}`, 'remove');
      }
    }
  } finally {
    await directory.close();
  }
  await trash.cleanUp();
}
