import type { Decision } from '../core/decision.js';
import { checkGuard, type GuardVerdict } from '../core/guard.js';
import type { CycleContext } from './cycle-context.js';
import { decide } from './decide.js';
import { hasAnyFile, observeSides } from './observe-sides.js';
import type { Report } from './report.js';
import { Tally } from './tally.js';

/** The name of the fact under which the folder's identity is remembered. */
export const ROOT_FACT = 'root-identity';

/** A finished plan in numbers, with the guard's verdict on it. */
export interface PlanVerdict {
  readonly tally: Tally;
  readonly guard: GuardVerdict;
  readonly rootIdentity: string;
}

/** What {@link makePlan} does besides answering. */
export interface MakePlanOptions {
  readonly report: Report;
  /** Takes each page of decisions, in order. */
  readonly onDecisions: (decisions: readonly Decision[]) => Promise<void>;
  /** Nothing is touched, not even the baseline. */
  readonly dry: boolean;
}

/** Observes both sides, decides for every path, and lets the guard look at the whole. Changes no file on either side. */
export async function makePlan(context: CycleContext, { report, onDecisions, dry }: MakePlanOptions): Promise<PlanVerdict> {
  const { ports, options, signal } = context;
  const tally = new Tally();
  const rootIdentity = await ports.local.rootIdentity();
  const decisions = decide(
    {
      local: ports.local,
      filter: options.filter,
      files: options.files === undefined ? undefined : new Set(options.files),
      readonly: options.readonly,
      kindConflicts: options.conflict === 'manual' ? 'hold' : 'set-aside',
      tally,
      nowMs: () => ports.runtime.clock.nowMs(),
      onHash: () => report.hashed(),
      onProblem: (problem) => report.problem(problem),
      ...(dry ? {} : { refresh: (rows) => ports.store.baseline.put(rows) }),
      signal,
    },
    observeSides(context, report, tally),
  );
  for await (const page of decisions) await onDecisions(page);
  return { tally, rootIdentity, guard: await judge(context, tally, rootIdentity) };
}

async function judge(context: CycleContext, tally: Tally, rootIdentity: string): Promise<GuardVerdict> {
  const { ports, options } = context;
  const counts = tally.guardCounts();
  const remembered = await ports.store.facts.get<string>(ROOT_FACT);
  const seen = { local: counts.local.files, remote: counts.remote.files };
  if (options.files !== undefined && counts.knownFiles > 0) {
    // Only the asked paths were looked at: whether a side has nothing at all is seen by walking until its first file.
    for (const side of ['local', 'remote'] as const) {
      if (seen[side] === 0 && (await hasAnyFile(ports[side], context))) seen[side] = 1;
    }
  }
  return checkGuard({
    knownFiles: counts.knownFiles,
    local: { ...counts.local, files: seen.local, rootChanged: remembered !== undefined && remembered !== rootIdentity },
    remote: { ...counts.remote, files: seen.remote, rootChanged: false },
    maxDelete: options.maxDelete,
  });
}
