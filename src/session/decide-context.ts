import type { CycleContext } from './cycle-context.js';
import type { DecideContext } from './decide.js';
import type { Report } from './report.js';

/**
 * What deciding needs in this cycle.
 *
 * @param dry nothing is touched, not even the baseline.
 */
export function decideContext({ ports, options, signal }: CycleContext, report: Report, dry: boolean): DecideContext {
  return {
    local: ports.local,
    filter: options.filter,
    files: options.files === undefined ? undefined : new Set(options.files),
    readonly: options.readonly,
    kindConflicts: options.conflict === 'manual' ? 'hold' : 'set-aside',
    nowMs: () => ports.runtime.clock.nowMs(),
    onHash: () => report.hashed(),
    onProblem: (problem) => report.problem(problem),
    ...(dry ? {} : { refresh: (rows) => ports.store.baseline.put(rows) }),
    ...(signal === undefined ? {} : { signal }),
  };
}
