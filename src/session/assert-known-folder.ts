import type { CycleContext } from './cycle-context.js';
import { WholeLookNeeded } from './whole-look-needed.js';

/**
 * Makes sure that what was agreed belongs to this very folder, and is to be believed; else nothing is concluded from a part of it.
 *
 * @throws WholeLookNeeded when it does not, or is not.
 */
export async function assertKnownFolder({ ports, notedRoot, folderLostStamp }: CycleContext): Promise<void> {
  const { store, local } = ports;
  const identity = await local.rootIdentity();
  if (store.rebuilt || folderLostStamp === true || notedRoot !== identity) throw new WholeLookNeeded('another folder');
}
