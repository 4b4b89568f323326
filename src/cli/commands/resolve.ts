import { UsageError } from '../../errors.js';
import { type CommandContext, listener, withPair } from '../context.js';
import { lineOfResult } from '../event-line.js';
import { summaryText } from '../event-text.js';
import { EXIT, type ExitCode, exitCodeOfCycle } from '../exit-code.js';

/** `resolve`: settles one waiting conflict. */
export async function runResolve(context: CommandContext): Promise<ExitCode> {
  const { reporter, stops, style } = context;
  const path = context.arguments['path'];
  if (typeof path !== 'string')
    throw new UsageError('ERR_USAGE', 'Which conflict? Name its path, as filecloudsync conflicts shows it.');
  const answer = toAnswer(context.flags['use']);
  return withPair(context, async (pair) => {
    stops.beginWork();
    const result = await pair.resolve(path, answer, {
      signal: stops.hard,
      softSignal: stops.soft,
      onEvent: listener(context),
    });
    reporter.result(lineOfResult(result), () => summaryText(result, style));
    if (stops.stopped) return EXIT.stopped;
    const waits = result.conflicts.some((one) => one.path === path && one.resolution === 'manual');
    return exitCodeOfCycle({ counts: { ...result.counts, waitingConflicts: waits ? 1 : 0 } });
  });
}

function toAnswer(use: unknown): 'local' | 'bucket' | 'keep-both' {
  if (use === 'local' || use === 'bucket' || use === 'keep-both') return use;
  throw new UsageError(
    'ERR_USAGE',
    'Which version counts? Add --use local (this folder), --use bucket, or --use keep-both (keeps the other beside it).',
  );
}
