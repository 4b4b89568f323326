import { type CommandContext, listener, withPair } from '../context.js';
import { problemText } from '../event-text.js';
import { displayPath, escapeText } from '../escape-text.js';
import { EXIT, type ExitCode } from '../exit-code.js';
import { formatCount, formatNumber } from '../format.js';

/** `verify`: compares both sides by content. */
export async function runVerify(context: CommandContext): Promise<ExitCode> {
  const { reporter, stops, style, flags } = context;
  const sample = flags['sample'];
  return withPair(context, async (pair) => {
    const tell = listener(context);
    const found = await pair.verify({
      signal: stops.hard,
      // The problems are told below, with the answer.
      onEvent: (event) => (event.type === 'problem' ? undefined : tell(event)),
      ...(typeof sample === 'number' ? { sample } : {}),
    });
    for (const divergence of found.divergences) {
      reporter.result({ type: 'divergence', divergence }, () => {
        return `${style.bad('≠')} ${displayPath(divergence.path)}  ${escapeText(divergence.message)} ${style.faint(`[${divergence.type}]`)}`;
      });
    }
    const errors = found.problems.filter((problem) => problem.severity === 'error');
    for (const problem of found.problems) {
      reporter.result({ type: 'problem', problem }, () =>
        errors.includes(problem) ? problemText(problem, style) : '',
      );
    }
    const bad = found.divergences.length + errors.length;
    reporter.result(
      {
        type: 'verification',
        checkedFiles: found.checkedFiles,
        comparedFiles: found.comparedFiles,
        divergences: found.divergences.length,
        problems: found.problems.length,
      },
      () => {
        const looked = `${formatCount(found.checkedFiles, 'file')} checked, ${formatNumber(found.comparedFiles)} of them by content`;
        return bad === 0
          ? `${looked}: all the same.`
          : `${looked}: ${formatCount(bad, 'difference')}. A sync carries or reports them.`;
      },
    );
    return bad === 0 ? EXIT.done : EXIT.problems;
  });
}
