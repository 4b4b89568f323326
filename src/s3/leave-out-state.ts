import path from 'node:path';
import { UsageError } from '../errors.js';
import { resolveRoot } from '../replica/local/resolve-root.js';
import type { PathFilter } from '../replica/replica.js';

/**
 * Refuses a folder that is the state directory, or lies in it, before anything is written there.
 *
 * @param root - real path of the folder.
 * @throws UsageError `ERR_STATE_IS_FOLDER`.
 */
export async function refuseFolderOfState(root: string, stateDirectory: string): Promise<void> {
  // A state directory that is not there yet holds no folder.
  const state = await resolveRoot(stateDirectory).catch(() => undefined);
  if (state === undefined || !isBelow(state, root)) return;
  throw new UsageError(
    'ERR_STATE_IS_FOLDER',
    `The folder ${root} is where the state is kept (${state}), which must not travel. Choose another folder, or another place for the state (stateDir).`,
    { data: { folder: root, stateDirectory: state } },
  );
}

/**
 * Answers the path, relative to the folder, of a state directory that lies inside it, as it does when a home directory is
 * synchronised; `undefined` when it lies elsewhere. The directory has to be there.
 *
 * @param root - real path of the folder.
 */
export async function stateInside(root: string, stateDirectory: string): Promise<string | undefined> {
  const state = await resolveRoot(stateDirectory);
  return isBelow(root, state) ? path.relative(root, state).split(path.sep).join('/') : undefined;
}

/** The same filter, without a path and all that lies below it: what a run writes about itself never travels. */
export function leaveOut(filter: PathFilter, out: string | undefined): PathFilter {
  if (out === undefined) return filter;
  const isOut = (at: string): boolean => at === out || at.startsWith(`${out}/`);
  return {
    includesFile: (at) => !isOut(at) && filter.includesFile(at),
    mayContain: (at) => !isOut(at) && filter.mayContain(at),
  };
}

/** Whether `to` is `from`, or lies in it. */
function isBelow(from: string, to: string): boolean {
  const way = path.relative(from, to);
  return way !== '..' && !way.startsWith(`..${path.sep}`) && !path.isAbsolute(way);
}
