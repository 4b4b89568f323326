import { type CommandContext, LISTED, listener, withPair } from '../context.js';
import { lineOfResult } from '../event-line.js';
import { summaryText } from '../event-text.js';
import { EXIT, type ExitCode, exitCodeOfCycle } from '../exit-code.js';

/** `sync`: runs one cycle. */
export async function runSync(context: CommandContext): Promise<ExitCode> {
  const { reporter, stops, style } = context;
  return withPair(context, async (pair) => {
    stops.beginWork();
    const result = await pair.sync({
      signal: stops.hard,
      softSignal: stops.soft,
      onEvent: listener(context),
      listed: LISTED,
    });
    reporter.result(lineOfResult(result), () => summaryText(result, style));
    if (!stops.stopped) return exitCodeOfCycle(result);
    reporter.warn('Stopped before everything was carried. Run the same command again to go on.');
    return EXIT.stopped;
  });
}
