import { type CommandContext, withPair } from '../context.js';
import { displayPath } from '../escape-text.js';
import { EXIT, type ExitCode } from '../exit-code.js';
import { formatCount } from '../format.js';

/** `conflicts`: lists the conflicts that wait for a person. */
export async function runConflicts(context: CommandContext): Promise<ExitCode> {
  const { reporter, stops } = context;
  return withPair(context, async (pair) => {
    const conflicts = await stops.race(pair.conflicts());
    for (const conflict of conflicts) {
      reporter.result({ type: 'conflict', conflict }, () => {
        const kind = conflict.type === 'kind' ? 'a file on one side, a folder on the other' : 'changed on both sides';
        return `${displayPath(conflict.path)}  ${kind}`;
      });
    }
    if (conflicts.length === 0) {
      reporter.say('No conflicts wait.');
      return EXIT.done;
    }
    const verb = conflicts.length === 1 ? 'waits' : 'wait';
    reporter.say(
      `${formatCount(conflicts.length, 'conflict')} ${verb}. Settle each: filecloudsync resolve <folder> <s3://bucket/prefix> <path> --use local|bucket|keep-both`,
    );
    return EXIT.conflicts;
  });
}
