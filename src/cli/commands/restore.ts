import { UsageError } from '../../errors.js';
import type { Pair } from '../../s3/pair.js';
import { type CommandContext, listener, withPair } from '../context.js';
import { displayPath } from '../escape-text.js';
import { EXIT, type ExitCode } from '../exit-code.js';
import { formatTime } from '../format.js';

/** `restore`: brings versions back from the trash. */
export async function runRestore(context: CommandContext): Promise<ExitCode> {
  const { reporter, stops } = context;
  const wanted = readWanted(context);
  return withPair(context, async (pair) => {
    const selections = await select(pair, wanted);
    stops.beginWork();
    for (const selection of selections) {
      const restored = await pair.restore(selection, {
        signal: stops.hard,
        softSignal: stops.soft,
        onEvent: listener(context),
      });
      for (const { item, path } of restored) {
        reporter.result({ type: 'restored', item, path }, () => {
          const aside = path === item.path ? '' : ` as ${displayPath(path)}, because something else stands there`;
          return `↩ ${displayPath(item.path)}  version of ${formatTime(item.trashedAtMs)}${aside}`;
        });
      }
      if (restored.length === 0) reporter.warn('Nothing was restored: the trash holds nothing of that.');
      if (restored.length === 0 && !stops.stopped) return EXIT.failed;
    }
    return stops.stopped ? EXIT.stopped : EXIT.done;
  });
}

type Wanted = { readonly runId: string } | { readonly words: readonly string[] };

function readWanted(context: CommandContext): Wanted {
  const runId = context.flags['run'];
  const what = context.arguments['what'];
  const words = Array.isArray(what) ? what.map(String) : [];
  if (typeof runId === 'string' && words.length > 0) {
    throw new UsageError('ERR_USAGE', 'Give ids and paths, or --run, not both: --run restores everything of one run.');
  }
  if (typeof runId === 'string') return { runId };
  if (words.length === 0) {
    throw new UsageError(
      'ERR_USAGE',
      'Restore what? Name ids or paths, as filecloudsync trash shows them, or --run <id>.',
    );
  }
  return { words };
}

/** An id is what the trash calls an id; every other word is a path. */
async function select(pair: Pair, wanted: Wanted): Promise<Parameters<Pair['restore']>[0][]> {
  if ('runId' in wanted) return [{ runId: wanted.runId }];
  const known = new Set((await pair.trash()).map((item) => item.id));
  const ids = wanted.words.filter((word) => known.has(word));
  const paths = wanted.words.filter((word) => !known.has(word));
  return [...(ids.length > 0 ? [{ ids }] : []), ...(paths.length > 0 ? [{ paths }] : [])];
}
