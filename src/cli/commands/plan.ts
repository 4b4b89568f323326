import { type CommandContext, listener, withPair } from '../context.js';
import { changeText, heldText, problemText } from '../event-text.js';
import { displayPath, escapeText } from '../escape-text.js';
import { EXIT, type ExitCode } from '../exit-code.js';
import { formatBytes, formatCount } from '../format.js';
import type { SessionListener } from '../../session/event.js';
import type { PlanTotals } from '../../session/result.js';
import type { Style } from '../style.js';

/** `plan`: shows what `sync` would do. Each line is told as it is found, so that memory does not grow with the plan. */
export async function runPlan(context: CommandContext): Promise<ExitCode> {
  const { reporter, stops, style, flags } = context;
  return withPair(context, async (pair) => {
    const plan = await pair.plan({
      signal: stops.hard,
      onEvent: teller(context, flags['verbose'] === true),
      listed: 0,
    });
    reporter.result({ type: 'plan', totals: plan.totals }, () => totalsText(plan.totals, style));
    const { halt } = plan;
    if (halt !== undefined) {
      reporter.result(
        { type: 'halt', ...halt },
        () => `${style.bad('sync would halt:')} ${escapeText(halt.message)} [${halt.code}]`,
      );
      return EXIT.halted;
    }
    return plan.errors > 0 ? EXIT.problems : EXIT.done;
  });
}

function teller(context: CommandContext, verbose: boolean): SessionListener {
  const { reporter, style } = context;
  const tell = listener(context);
  return (event) => {
    switch (event.type) {
      case 'begin':
      case 'scan':
      case 'remark':
        return tell(event);
      case 'change': {
        const { change } = event;
        // The old path of a rename stands with the new one.
        return reporter.result(event, () => (change.to === undefined ? changeText(change, undefined, style) : ''));
      }
      case 'compare':
        return reporter.result(event, () => compareText(event.path, style));
      case 'problem': {
        const { problem } = event;
        const shown = problem.severity === 'error' || verbose;
        return reporter.result(event, () => (shown ? problemText(problem, style) : ''));
      }
      case 'held': {
        const { path, rule, reason } = event;
        return reporter.result(event, () => (verbose ? heldText(path, rule, reason, style) : ''));
      }
      default:
    }
  };
}

function compareText(path: string, style: Style): string {
  return `${style.warning('?')} ${displayPath(path)}  ${style.faint('on both sides: contents are compared first')}`;
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
