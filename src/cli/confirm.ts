import { UsageError } from '../errors.js';
import type { CommandContext } from './context.js';
import { escapeText } from './escape-text.js';

/**
 * Asks a person for a yes, unless `--yes` was given. Anything but `y` or `yes` is a no.
 *
 * @throws UsageError `ERR_NOT_CONFIRMED` where nobody can be asked.
 */
export async function confirm(context: CommandContext, question: string): Promise<boolean> {
  if (context.flags['yes'] === true) return true;
  const { isTTY } = context.dependencies;
  if (!isTTY.stdin || !isTTY.stderr || context.flags['json'] === true) {
    throw new UsageError(
      'ERR_NOT_CONFIRMED',
      `${question} Nobody can be asked here: add --yes to agree. Nothing was touched.`,
    );
  }
  const answer = await context.stops.race(
    context.dependencies.ask(`${escapeText(question)} [y/N] `, context.stops.hard),
  );
  const agreed = /^\s*y(es)?\s*$/i.test(answer ?? '');
  if (!agreed) context.reporter.say('Nothing was touched.');
  return agreed;
}
