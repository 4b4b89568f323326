import { assertKnownFolder } from './assert-known-folder.js';
import type { CycleContext } from './cycle-context.js';
import { runCycle } from './cycle.js';
import type { Report } from './report.js';
import type { CycleResult } from './result.js';
import { WholeLookNeeded } from './whole-look-needed.js';

/**
 * Runs one cycle over what was done on the remote side. The folder is believed to be as it was agreed, and is not walked; where
 * something is to be carried, it is looked at first.
 *
 * @throws WholeLookNeeded when a look at everything is needed to judge what was found; nothing was changed.
 */
export async function runPoll(context: CycleContext, report: Report): Promise<CycleResult> {
  if (context.options.files !== undefined) throw new WholeLookNeeded('exact paths');
  await assertKnownFolder(context);
  return runCycle({ ...context, poll: true }, report);
}
