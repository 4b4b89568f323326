import { decodeByteName } from './byte-name.js';
import { errnoOf } from './file-system.js';
import type { DirectoryHandle } from './file-system.js';
import type { LocalContext } from './local-context.js';
import { pathErrorOf } from './local-error.js';
import type { LocalTrash } from './local-trash.js';
import { lastingStageOf, ownStages, recordNameOf } from './open-stage.js';

const TMP_PATH = '.filecloudsync/tmp';

/** A stage that nobody went on with for so long is of a version that is gone, or of a folder that is not synced as a whole. */
const STAGE_DAYS = 7;
const DAY_MS = 86_400_000;

/** Removes what interrupted runs staged and nobody can go on with, and descriptions of versions that never reached the trash. */
export async function cleanUpLocal(context: LocalContext, trash: LocalTrash): Promise<void> {
  const own = `${context.runId}-`;
  await removeNames(context, async (name, directory, names) => {
    return !name.startsWith(own) && !(await canBeGoneOnWith(context, directory, names, name));
  });
  await trash.cleanUp();
}

/** Removes the stages that a cycle which saw every path did not work on: their versions are not wanted any more. */
export async function dropUnusedStages(context: LocalContext): Promise<void> {
  if (!context.keepsStages) return;
  const own = ownStages(context);
  await removeNames(context, async (name) => {
    const stage = lastingStageOf(name);
    return stage?.startsWith(own) === true && !context.stages.has(stage);
  });
  context.stages.clear();
}

async function removeNames(
  { folder }: LocalContext,
  isUseless: (name: string, directory: DirectoryHandle, names: ReadonlySet<string>) => Promise<boolean>,
): Promise<void> {
  const directory = await folder.privateFolder('tmp').catch((error: unknown) => {
    throw pathErrorOf(error, TMP_PATH, 'open');
  });
  try {
    const names = await namesIn(directory);
    for (const name of names) {
      if (!(await isUseless(name, directory, names))) continue;
      try {
        await directory.unlink(name);
      } catch (error) {
        if (errnoOf(error) !== 'ENOENT') throw pathErrorOf(error, `${TMP_PATH}/${name}`, 'remove');
      }
    }
  } finally {
    await directory.close();
  }
}

/** The names in `tmp` that were given by us. */
async function namesIn(directory: DirectoryHandle): Promise<ReadonlySet<string>> {
  const items = await directory.list().catch((error: unknown) => {
    throw pathErrorOf(error, TMP_PATH, 'list');
  });
  const names = new Set<string>();
  for (const item of items) {
    const name = item.type === 'directory' ? undefined : decodeByteName(item.name);
    // A name that is no UTF-8 was not given by us.
    if (name !== undefined) names.add(name);
  }
  return names;
}

async function canBeGoneOnWith(
  { keepsStages, diskNowMs }: LocalContext,
  directory: DirectoryHandle,
  names: ReadonlySet<string>,
  name: string,
): Promise<boolean> {
  const stage = lastingStageOf(name);
  if (!keepsStages || stage === undefined) return false;
  const record = recordNameOf(stage);
  if (!names.has(stage) || !names.has(record)) return false;
  try {
    // That of the record changes with each range that arrives.
    const stat = await directory.lstat(record);
    return stat !== null && Number(stat.mtimeNs) / 1e6 > diskNowMs() - STAGE_DAYS * DAY_MS;
  } catch (error) {
    throw pathErrorOf(error, `${TMP_PATH}/${record}`, 'look at');
  }
}
