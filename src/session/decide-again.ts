import type { Decision } from '../core/decision.js';
import { checkGuard } from '../core/guard.js';
import { HaltError } from '../errors.js';
import type { CarryState } from './carry-out.js';
import { decide } from './decide.js';
import { observePaths } from './scope.js';
import { Tally } from './tally.js';

/**
 * Observes paths again and decides for them as in a plan.
 *
 * @param planned the tally of the cycle's plan; deletions found now are added to it, and the guard looks at the sum.
 * @throws HaltError when the deletions of the cycle become too many.
 */
export async function decideAgain(state: CarryState, planned: Tally, paths: readonly string[]): Promise<readonly Decision[]> {
  const { context, report } = state;
  const { ports, options, signal } = context;
  const tally = new Tally();
  const pages = decide(
    {
      local: ports.local,
      filter: options.filter,
      files: undefined,
      readonly: options.readonly,
      kindConflicts: options.conflict === 'manual' ? 'hold' : 'set-aside',
      tally,
      nowMs: () => ports.runtime.clock.nowMs(),
      onHash: () => report.hashed(),
      onProblem: (problem) => report.problem(problem),
      refresh: (rows) => ports.store.baseline.put(rows),
      signal,
    },
    observePaths(paths, { local: ports.local, remote: ports.remote, baseline: ports.store.baseline }, signal),
  );
  const decisions: Decision[] = [];
  for await (const page of pages) {
    for (const decision of page) {
      if (decision.action === 'hold') report.hold(decision);
      else decisions.push(decision);
      if (decision.action === 'delete-local' || decision.action === 'delete-remote') planned.decide(decision);
    }
  }
  const guard = checkGuard({ ...planned.guardInput(), maxDelete: options.maxDelete });
  if (guard.halt) throw new HaltError(guard.code, guard.message, { data: guard.data });
  return decisions;
}
