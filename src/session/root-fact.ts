import type { StateStore } from '../store/state-store.js';
import { hasRows } from './stamped-store.js';

/** The name of the fact under which the folder's identity is remembered. */
export const ROOT_FACT = 'root-identity';

/**
 * Tells whether a memory that knows any file says to which folder they belong, which is noted before the first of them. If it does
 * not, a part of it was lost, and the rest would be believed of any folder.
 *
 * @param notedRoot what the memory says.
 */
export async function isRootNoted(
  notedRoot: string | undefined,
  { baseline }: Pick<StateStore, 'baseline'>,
): Promise<boolean> {
  return notedRoot !== undefined || !(await hasRows(baseline));
}
