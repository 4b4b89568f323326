import type { PathChange } from '../core/change.js';
import type { Decision } from '../core/decision.js';
import type { CycleContext } from './cycle-context.js';
import { makePlan } from './make-plan.js';
import { Report } from './report.js';
import type { Plan } from './result.js';

/** What a cycle would do, and whether its guard would let it. Touches neither side nor the memory. */
export async function dryPlan(context: CycleContext): Promise<Plan> {
  const report = new Report(context.onEvent);
  const compares: string[] = [];
  const { tally, verdict } = await makePlan(context, {
    report,
    dry: true,
    async onDecisions(decisions) {
      for (const decision of decisions) {
        const change = changeOf(decision);
        if (change !== undefined) report.change(change);
        if (decision.action === 'compare') compares.push(decision.path);
        if (decision.action === 'hold') report.hold(decision);
      }
    },
  });
  return {
    totals: tally.totals(),
    changes: report.changes,
    compares,
    problems: report.problems,
    held: report.held,
    halt: verdict.verdict === 'halt' ? { code: verdict.code, message: verdict.message } : undefined,
  };
}

function changeOf({ action, path, local, remote }: Decision): PathChange | undefined {
  switch (action) {
    case 'upload':
      return { path, operation: remote === null ? 'added' : 'modified', origin: 'local' };
    case 'download':
      return { path, operation: local === null ? 'added' : 'modified', origin: 'remote' };
    case 'delete-local':
      return { path, operation: 'deleted', origin: 'remote' };
    case 'delete-remote':
      return { path, operation: 'deleted', origin: 'local' };
    case 'compare':
    case 'forget':
    case 'hold':
    case 'nothing':
    case 'set-aside':
      return undefined;
    default:
      return action satisfies never;
  }
}
