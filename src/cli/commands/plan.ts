import { type CommandContext, listener, withPair } from '../context.js';
import { changeText, heldText, problemText } from '../event-text.js';
import { displayPath, escapeText } from '../escape-text.js';
import { EXIT, type ExitCode } from '../exit-code.js';
import { formatBytes, formatCount } from '../format.js';
import type { Plan, PlanTotals } from '../../session/result.js';
import type { Style } from '../style.js';

/** `plan`: shows what `sync` would do. */
export async function runPlan(context: CommandContext): Promise<ExitCode> {
  const { reporter, stops, style, flags } = context;
  return withPair(context, async (pair) => {
    // The plan tells all of it; the events would tell it twice.
    const scanOnly = listener(context);
    const plan = await pair.plan({
      signal: stops.hard,
      onEvent: (event) => {
        if (event.type === 'begin' || event.type === 'scan' || event.type === 'remark') scanOnly(event);
      },
    });
    tell(plan, context, flags['verbose'] === true);
    const { halt } = plan;
    if (halt !== undefined) {
      reporter.result(
        { type: 'halt', ...halt },
        () => `${style.bad('sync would halt:')} ${escapeText(halt.message)} [${halt.code}]`,
      );
      return EXIT.halted;
    }
    return plan.problems.some((problem) => problem.severity === 'error') ? EXIT.problems : EXIT.done;
  });
}

function tell(plan: Plan, context: CommandContext, verbose: boolean): void {
  const { reporter, style } = context;
  for (const change of plan.changes) {
    // The old path of a rename stands with the new one.
    const told = change.to === undefined;
    reporter.result({ type: 'change', change }, () => (told ? changeText(change, undefined, style) : ''));
  }
  for (const path of plan.compares) {
    reporter.result(
      { type: 'compare', path },
      () => `${style.warning('?')} ${displayPath(path)}  ${style.faint('on both sides: contents are compared first')}`,
    );
  }
  for (const problem of plan.problems) {
    const shown = problem.severity === 'error' || verbose;
    reporter.result({ type: 'problem', problem }, () => (shown ? problemText(problem, style) : ''));
  }
  for (const { path, rule, reason } of plan.held) {
    reporter.result({ type: 'held', path, rule, reason }, () => (verbose ? heldText(path, rule, reason, style) : ''));
  }
  reporter.result({ type: 'plan', totals: plan.totals }, () => totalsText(plan.totals, style));
}

function totalsText(totals: PlanTotals, style: Style): string {
  const parts = [
    totals.uploads > 0 ? `${formatCount(totals.uploads, 'file')} up (${formatBytes(totals.uploadBytes)})` : '',
    totals.downloads > 0 ? `${formatCount(totals.downloads, 'file')} down (${formatBytes(totals.downloadBytes)})` : '',
    totals.compares > 0 ? `${formatCount(totals.compares, 'file')} to compare` : '',
    totals.localMoves > 0 ? `${formatCount(totals.localMoves, 'rename')} here` : '',
    totals.remoteMoves > 0 ? `${formatCount(totals.remoteMoves, 'rename')} in the bucket` : '',
    totals.localDeletes > 0 ? `${formatCount(totals.localDeletes, 'deletion')} here` : '',
    totals.remoteDeletes > 0 ? `${formatCount(totals.remoteDeletes, 'deletion')} in the bucket` : '',
    totals.held > 0 ? `${formatCount(totals.held, 'path')} left alone` : '',
  ].filter((part) => part !== '');
  const empty = parts.length === 0;
  return style.strong(
    empty ? 'sync would do nothing: both sides are the same.' : `sync would carry: ${parts.join(', ')}.`,
  );
}
