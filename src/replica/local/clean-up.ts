import { decodeByteName } from './byte-name.js';
import { errnoOf } from './file-system.js';
import type { LocalContext } from './local-context.js';
import { pathErrorOf } from './local-error.js';
import type { LocalTrash } from './local-trash.js';

const TMP_PATH = '.filecloudsync/tmp';

/** Removes what interrupted runs staged, and descriptions of versions that never reached the trash. */
export async function cleanUpLocal(context: LocalContext, trash: LocalTrash): Promise<void> {
  const directory = await context.folder.privateFolder('tmp').catch((error: unknown) => {
    throw pathErrorOf(error, TMP_PATH, 'open');
  });
  try {
    const own = `${context.runId}-`;
    const items = await directory.list().catch((error: unknown) => {
      throw pathErrorOf(error, TMP_PATH, 'list');
    });
    for (const item of items) {
      const name = decodeByteName(item.name);
      // A name that is no UTF-8 was not given by us.
      if (name === undefined || item.type === 'directory' || name.startsWith(own)) continue;
      try {
        await directory.unlink(name);
      } catch (error) {
        if (errnoOf(error) !== 'ENOENT') throw pathErrorOf(error, `${TMP_PATH}/${name}`, 'remove');
      }
    }
  } finally {
    await directory.close();
  }
  await trash.cleanUp();
}
