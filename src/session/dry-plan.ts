import type { PathChange } from '../core/change.js';
import type { Decision } from '../core/decision.js';
import type { CycleContext } from './cycle-context.js';
import { makePlan } from './make-plan.js';
import { Report } from './report.js';
import type { Plan } from './result.js';
import { SortedTables } from './sorted-tables.js';

/** What a cycle would do, and whether its guard would let it. Touches neither side nor the memory. */
export async function dryPlan(context: CycleContext): Promise<Plan> {
  const report = new Report(context.onEvent);
  const compares: string[] = [];
  const changes = new Map<string, PathChange>();
  const candidates: Decision[] = [];
  const { tally, verdict } = await makePlan(context, {
    report,
    dry: true,
    async onDecisions(decisions) {
      for (const decision of decisions) {
        const change = changeOf(decision);
        if (change !== undefined) changes.set(decision.path, change);
        if (change !== undefined || decision.action === 'compare') candidates.push(decision);
        if (decision.action === 'compare') compares.push(decision.path);
        if (decision.action === 'hold') report.hold(decision);
      }
    },
    renames: {
      tables: new SortedTables(),
      async *decisions() {
        yield candidates;
      },
      async onRenames(renames) {
        for (const rename of renames) noteRename(changes, rename);
      },
    },
  });
  return {
    totals: tally.totals(),
    changes: Array.from(changes.values()),
    compares,
    problems: report.problems,
    held: report.held,
    halt: verdict.verdict === 'halt' ? { code: verdict.code, message: verdict.message } : undefined,
  };
}

/** The two changes of a rename name each other. */
function noteRename(changes: Map<string, PathChange>, { path, from }: Decision): void {
  const [added, deleted] = [changes.get(path), from && changes.get(from.path)];
  if (from === undefined || added === undefined || deleted === undefined) return;
  changes.set(path, { ...added, from: from.path });
  changes.set(from.path, { ...deleted, to: path });
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
    case 'move-local':
    case 'move-remote':
      return undefined;
    default:
      return action satisfies never;
  }
}
