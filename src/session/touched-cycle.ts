import type { CycleContext } from './cycle-context.js';
import { runCycle } from './cycle.js';
import { lookAtTouched } from './look-at-touched.js';
import type { Report } from './report.js';
import type { CycleResult } from './result.js';
import { Tally } from './tally.js';

/**
 * Runs one cycle over the paths of the folder at which something may have changed. Where the folder is as it was agreed at all
 * of them, nothing is asked and nothing is told: our own downloads are heard of as well.
 *
 * @throws WholeLookNeeded when a look at everything is needed to judge them; nothing was changed.
 */
export async function runTouchedCycle(
  context: CycleContext,
  report: Report,
  paths: readonly string[],
): Promise<CycleResult> {
  const { found, left } = await lookAtTouched(context, paths, context.deletedBefore ?? 0);
  const leftPaths = left > 0 ? { leftPaths: left } : {};
  if (found.length > 0) return { ...(await runCycle({ ...context, touched: found }, report)), ...leftPaths };
  const atMs = context.ports.runtime.clock.nowMs();
  const result = report.result({
    runId: context.ports.runId,
    touchedPaths: 0,
    tally: new Tally(),
    rebuilt: context.ports.store.rebuilt,
    startedAtMs: atMs,
    endedAtMs: atMs,
  });
  return { ...result, ...leftPaths };
}
