import type { CycleContext } from './cycle-context.js';
import { ROOT_FACT } from './root-fact.js';
import { WholeLookNeeded } from './whole-look-needed.js';

/**
 * Makes sure that what was agreed belongs to this very folder, and is to be believed; else nothing is concluded from a part of it.
 *
 * @throws WholeLookNeeded when it does not, or is not.
 */
export async function assertKnownFolder({ ports, folderLostStamp }: CycleContext): Promise<void> {
  const { store, local } = ports;
  const identity = await local.rootIdentity();
  const remembered = await store.facts.get<string>(ROOT_FACT);
  if (store.rebuilt || folderLostStamp === true || remembered !== identity) throw new WholeLookNeeded('another folder');
}
