import { confirm } from '../confirm.js';
import { type CommandContext, withPair } from '../context.js';
import { displayPath } from '../escape-text.js';
import { EXIT, type ExitCode } from '../exit-code.js';

/** `forget`: drops what is remembered about the pair. */
export async function runForget(context: CommandContext): Promise<ExitCode> {
  const { reporter } = context;
  const names = context.pairNames();
  const pairText = `${displayPath(names.folder)} and ${displayPath(names.address)}`;
  const agreed = await confirm(
    context,
    `Forget what is remembered about ${pairText}? No file is touched; the next sync compares both sides anew.`,
  );
  if (!agreed) return EXIT.failed;
  return withPair(context, async (pair) => {
    await pair.forget();
    reporter.result(
      { type: 'forgotten', folder: names.folder, bucket: names.address },
      () => `Forgotten: ${pairText}. No file was touched.`,
    );
    return EXIT.done;
  });
}
