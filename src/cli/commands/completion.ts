import { UsageError } from '../../errors.js';
import type { CommandContext } from '../context.js';
import { completionScript } from '../completion-script.js';
import { EXIT, type ExitCode } from '../exit-code.js';
import { buildProgram } from '../program.js';

/** `completion`: prints a completion script. */
export async function runCompletion(context: CommandContext): Promise<ExitCode> {
  const { shell } = context.arguments;
  if (shell !== 'bash' && shell !== 'zsh' && shell !== 'fish') {
    throw new UsageError('ERR_USAGE', 'Which shell? bash, zsh or fish.');
  }
  const nothing = (): void => undefined;
  const program = buildProgram({
    version: '',
    columns: 80,
    out: nothing,
    err: nothing,
    onCommand: async () => undefined,
  });
  context.dependencies.stdout.write(completionScript(shell, program));
  return EXIT.done;
}
