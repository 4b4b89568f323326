import { assertKnownFolder } from './assert-known-folder.js';
import type { CycleContext } from './cycle-context.js';
import { runCycle } from './cycle.js';
import type { LastPoll } from './last-poll.js';
import type { Report } from './report.js';
import type { CycleResult } from './result.js';
import { WholeLookNeeded } from './whole-look-needed.js';

/**
 * Runs one cycle over what was done on the remote side. The folder is believed to be as it was agreed, and is not walked; where
 * something is to be carried, it is looked at first.
 *
 * Where the last poll found nothing to do, and neither the remote side nor the memory has changed since, nothing is compared.
 *
 * @param generation - of the memory, another one after each change of it; `undefined` when it has none.
 * @throws WholeLookNeeded when a look at everything is needed to judge what was found; nothing was changed.
 */
export async function runPoll(
  context: CycleContext,
  report: Report,
  last: LastPoll,
  generation: string | undefined,
): Promise<CycleResult> {
  if (context.options.files !== undefined) throw new WholeLookNeeded('exact paths');
  await assertKnownFolder(context);
  const { filter } = context.options;
  const course = generation === undefined ? {} : await last.courseOfNext({ generation, filter }, context.signal);
  return runCycle({ ...context, poll: true, ...course }, report);
}
