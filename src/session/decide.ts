import type { Decision } from '../core/decision.js';
import { settleKinds } from '../core/kinds.js';
import type { Triple } from '../core/triple.js';
import type { Problem } from '../core/problem.js';
import { reconcile } from '../core/reconcile.js';
import type { BaselineRow } from '../core/baseline.js';
import type { PathFilter } from '../replica/replica.js';
import { clarify, type ClarifyContext } from './clarify.js';
import type { Tally } from './tally.js';

/** What {@link decide} needs besides the triples. */
export interface DecideContext extends ClarifyContext {
  readonly filter: PathFilter;
  /** Only these paths; `undefined`: all. */
  readonly files: ReadonlySet<string> | undefined;
  readonly readonly: boolean;
  /** What a true conflict of kinds (R15) gets. */
  readonly kindConflicts: 'set-aside' | 'hold';
  readonly tally: Tally;
  readonly onProblem: (problem: Problem) => void;
  /** Takes rows that hashing proved to be still true. Not given when nothing may be touched. */
  readonly refresh?: (rows: readonly BaselineRow[]) => Promise<void>;
}

/**
 * Turns triples into decisions, in the same order, without those that ask for nothing.
 *
 * Does no IO but the hashing of doubtful files.
 */
export async function* decide(
  context: DecideContext,
  pages: AsyncIterable<readonly Triple[]>,
): AsyncGenerator<readonly Decision[]> {
  for await (const page of settleKinds(decideEach(context, pages), {
    kindConflicts: context.kindConflicts,
    readonly: context.readonly,
    onProblem: context.onProblem,
  })) {
    const kept: Decision[] = [];
    for (const decision of page) {
      if (decision.action === 'nothing') continue;
      context.tally.decide(decision);
      kept.push(decision);
    }
    if (kept.length > 0) yield kept;
  }
}

async function* decideEach(
  context: DecideContext,
  pages: AsyncIterable<readonly Triple[]>,
): AsyncGenerator<readonly Decision[]> {
  for await (const page of pages) {
    const inScope = context.files === undefined ? page : page.filter(({ path }) => context.files?.has(path));
    const { triples, refreshed } = await clarify(context, inScope);
    if (refreshed.length > 0) await context.refresh?.(refreshed);
    const decisions: Decision[] = [];
    for (const triple of triples) {
      const decision = decideOne(context, triple);
      if (decision !== undefined) decisions.push(decision);
    }
    yield decisions;
  }
}

function decideOne(context: DecideContext, triple: Triple): Decision | undefined {
  if (triple.subtree === true) {
    // A whole directory: what lies below it inherits from it, path by path; here only the reason is told.
    tellProblems(context, triple);
    return undefined;
  }
  if (!context.filter.includesFile(triple.path)) {
    // R17 for what the filter leaves out: it may still exist on both sides, or on one, and is nobody's deletion.
    if (triple.baseline === undefined) return undefined;
    return { path: triple.path, rule: 'R17', action: 'forget', local: null, remote: null, baseline: triple.baseline };
  }
  context.tally.see(triple);
  tellProblems(context, triple);
  return reconcile(triple, { readonly: context.readonly });
}

function tellProblems(context: DecideContext, { local, remote }: Triple): void {
  if (local?.kind === 'problematic') context.onProblem(local.problem);
  if (remote?.kind === 'problematic') context.onProblem(remote.problem);
}
