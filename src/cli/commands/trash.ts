import { UsageError } from '../../errors.js';
import type { Pair } from '../../s3/pair.js';
import { confirm } from '../confirm.js';
import { type CommandContext, withPair } from '../context.js';
import { displayPath } from '../escape-text.js';
import { EXIT, type ExitCode } from '../exit-code.js';
import { formatBytes, formatCount, formatTime } from '../format.js';

type TrashItem = Awaited<ReturnType<Pair['trash']>>[number];

/** `trash`: lists kept versions, or deletes old ones for good. */
export async function runTrash(context: CommandContext): Promise<ExitCode> {
  const age = context.flags['purgeOlderThan'];
  if (age === undefined && context.flags['yes'] === true) {
    throw new UsageError('ERR_USAGE', '--yes belongs to --purge-older-than: alone, trash only lists.');
  }
  return withPair(context, async (pair) => {
    const items = await context.stops.race(pair.trash());
    return typeof age === 'number' ? purge(context, pair, items, age) : list(context, items);
  });
}

function list(context: CommandContext, items: readonly TrashItem[]): ExitCode {
  const { reporter, style } = context;
  for (const item of items) {
    reporter.result({ type: 'trash', item }, () => {
      const why = style.faint(
        `${REASONS[item.reason]}, from ${item.origin === 'local' ? 'this folder' : 'the bucket'}`,
      );
      return `${item.id}  ${formatTime(item.trashedAtMs)}  ${formatBytes(item.sizeBytes).padStart(8)}  ${displayPath(item.path)}  ${why}`;
    });
  }
  reporter.say(items.length === 0 ? 'The trash is empty.' : totalText(items));
  return EXIT.done;
}

const REASONS: Readonly<Record<TrashItem['reason'], string>> = {
  replaced: 'replaced by a newer version',
  deleted: 'deleted',
  'lost-conflict': 'lost a conflict',
  unexpected: 'stood where nothing was expected',
  resolved: 'settled by you',
  removed: 'removed at the end of a watch',
};

async function purge(
  context: CommandContext,
  pair: Pair,
  items: readonly TrashItem[],
  ageMs: number,
): Promise<ExitCode> {
  const { reporter, stops, dependencies } = context;
  const before = dependencies.clock.nowMs() - ageMs;
  // Decided by the list that was shown: what arrives while the question stands is not deleted.
  const old = new Set(items.filter((item) => item.trashedAtMs <= before).map((item) => item.id));
  if (old.size === 0) {
    reporter.result({ type: 'purged', count: 0 }, () => 'Nothing in the trash is that old.');
    return EXIT.done;
  }
  const chosen = items.filter((item) => old.has(item.id));
  const question = `Delete ${totalText(chosen)} for good?`;
  if (!(await confirm(context, question))) return EXIT.failed;
  stops.beginWork();
  const count = await pair.purgeTrash((item) => old.has(item.id));
  reporter.result({ type: 'purged', count }, () => `${formatCount(count, 'version')} deleted for good.`);
  return EXIT.done;
}

function totalText(items: readonly TrashItem[]): string {
  return `${formatCount(items.length, 'version')}, ${formatBytes(items.reduce((sum, item) => sum + item.sizeBytes, 0))}`;
}
