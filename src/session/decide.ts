import type { BaselineRow } from '../core/baseline.js';
import type { Decision } from '../core/decision.js';
import { KindWalk } from '../core/kinds.js';
import type { Problem } from '../core/problem.js';
import { reconcile } from '../core/reconcile.js';
import type { Triple } from '../core/triple.js';
import type { PathFilter } from '../replica/replica.js';
import { clarify, type ClarifyContext } from './clarify.js';

/** What {@link decide} needs besides the triples. */
export interface DecideContext extends ClarifyContext {
  readonly filter: PathFilter;
  /** Only these paths; `undefined`: all. */
  readonly files: ReadonlySet<string> | undefined;
  readonly readonly: boolean;
  /** What a true conflict of kinds (R15) gets. */
  readonly kindConflicts: 'set-aside' | 'hold';
  readonly onProblem: (problem: Problem) => void;
  /** Takes rows that hashing proved to be still true. Not given when nothing may be touched. */
  readonly refresh?: (rows: readonly BaselineRow[]) => Promise<void>;
}

/**
 * Turns triples into decisions, those that ask for nothing included. A path may come after paths below it.
 *
 * Does no IO but the hashing of doubtful files.
 */
export async function* decide(
  context: DecideContext,
  pages: AsyncIterable<readonly Triple[]>,
): AsyncGenerator<readonly Decision[]> {
  const walk = new KindWalk({ readonly: context.readonly, kindConflicts: context.kindConflicts });
  for await (const page of pages) {
    const inScope: Triple[] = [];
    const forgotten: Decision[] = [];
    for (const triple of page) {
      if (takesPart(context, triple)) inScope.push(triple);
      else if (isLeftOut(context, triple)) forgotten.push(forget(triple));
    }
    const { triples, refreshed } = await clarify(context, inScope);
    if (refreshed.length > 0) await context.refresh?.(refreshed);
    for (const triple of triples) {
      tellProblems(context, triple);
      walk.enter(triple, reconcile(triple, context));
    }
    yield [...forgotten, ...taken(context, walk)];
  }
  walk.end();
  yield taken(context, walk);
}

function taken(context: DecideContext, walk: KindWalk): readonly Decision[] {
  const { decisions, problems } = walk.take();
  for (const problem of problems) context.onProblem(problem);
  return decisions.filter((decision) => !isOnlyOurs(decision));
}

/** A link or a pipe that has no counterpart and never had one: it was told of when it was met, and there is nothing to hold. */
function isOnlyOurs({ hold, local, remote, baseline }: Decision): boolean {
  return hold === 'untracked' && local === null && remote === null && baseline === undefined;
}

/** Whole directories that were not looked into take part: they bar what would be written in their place. */
function takesPart({ files, filter }: DecideContext, { path, subtree }: Triple): boolean {
  if (subtree === true) return true;
  return (files === undefined || files.has(path)) && filter.includesFile(path);
}

/** R17: the filter leaves it out, on both sides alike. What was known of it is forgotten, and nothing is deleted. */
function isLeftOut({ files, filter }: DecideContext, { path, subtree, baseline }: Triple): boolean {
  if (subtree === true || baseline === undefined) return false;
  return (files === undefined || files.has(path)) && !filter.includesFile(path);
}

function forget({ path, baseline }: Triple): Decision {
  return { path, rule: 'R17', action: 'forget', local: null, remote: null, baseline };
}

function tellProblems({ onProblem }: DecideContext, { local, remote }: Triple): void {
  if (local?.kind === 'problematic') onProblem(local.problem);
  if (remote?.kind === 'problematic') onProblem(remote.problem);
}
