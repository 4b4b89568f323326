import type { Decision } from '../core/decision.js';
import { HaltError } from '../errors.js';
import type { CarryState } from './carry-out.js';
import { decideContext } from './decide-context.js';
import { decide } from './decide.js';
import { judge, type PlanVerdict } from './make-plan.js';
import { observePaths } from './scope.js';

/**
 * Observes paths again and decides for them as in a plan.
 *
 * @param plan the cycle's plan; deletions found now are added to its counts, and the guard looks at the sum.
 * @throws HaltError when the deletions of the cycle become too many.
 */
export async function decideAgain(
  state: CarryState,
  plan: PlanVerdict,
  paths: readonly string[],
): Promise<readonly Decision[]> {
  const { context, report } = state;
  const { ports, signal } = context;
  const decisions: Decision[] = [];
  const looked = observePaths(
    paths,
    { local: ports.local, remote: ports.remote, baseline: ports.store.baseline },
    signal,
  );
  for await (const page of decide({ ...decideContext(context, report, false), files: undefined }, looked)) {
    for (const decision of page) {
      if (decision.action === 'delete-remote') plan.tally.counts.local.deletionsCaused++;
      if (decision.action === 'delete-local') plan.tally.counts.remote.deletionsCaused++;
      if (decision.action !== 'nothing') decisions.push(decision);
    }
  }
  haltIfJudgedSo(judge(context, plan.tally, plan.rootChanged));
  return decisions;
}

/** Throws what the guard said, when it said halt. */
export function haltIfJudgedSo(verdict: PlanVerdict['verdict']): void {
  if (verdict.verdict === 'halt') throw new HaltError(verdict.code, verdict.message, { data: { side: verdict.side } });
}
