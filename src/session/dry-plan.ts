import type { PathChange } from '../core/change.js';
import type { Decision } from '../core/decision.js';
import { detachedText } from '../core/detached-text.js';
import { hasRows } from './stamped-store.js';
import type { CycleContext } from './cycle-context.js';
import { makePlan } from './make-plan.js';
import { Report } from './report.js';
import type { Plan } from './result.js';
import { SortedTables } from './sorted-tables.js';

/**
 * What a cycle would do, and whether its guard would let it. Touches neither side nor the memory.
 *
 * Each change is told by an event: at once, or when something is known of the folder only after all were found, because two
 * of them may be a rename. Memory: what is listed, and then the changes that may be half of a rename.
 */
export async function dryPlan(context: CycleContext): Promise<Plan> {
  const { listed = Infinity } = context;
  const report = new Report(context.onEvent, listed);
  const compares: string[] = [];
  const waiting = new Map<string, PathChange>();
  const candidates: Decision[] = [];
  // Nothing that is not known can be gone, and without what is gone there is no rename.
  const mayRename = await hasRows(context.ports.store.baseline);
  const { tally, verdict } = await makePlan(context, {
    report,
    dry: true,
    async onDecisions(decisions) {
      for (const decision of decisions) {
        const change = changeOf(decision);
        if (change !== undefined && mayRename) waiting.set(decision.path, change);
        else if (change !== undefined) report.planned(change);
        if (mayRename && (change !== undefined || decision.action === 'compare')) candidates.push(decision);
        if (decision.action === 'compare') {
          if (compares.length < listed) compares.push(detachedText(decision.path));
          report.tell({ type: 'compare', path: decision.path });
        }
        if (decision.action === 'hold') report.hold(decision);
      }
    },
    renames: {
      tables: new SortedTables(),
      async *decisions() {
        yield candidates;
      },
      async onRenames(renames) {
        for (const rename of renames) noteRename(waiting, rename);
      },
    },
  });
  for (const change of waiting.values()) report.planned(change);
  return {
    totals: tally.totals(),
    changes: report.changes,
    compares,
    problems: report.problems,
    errors: report.counts.errors,
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
