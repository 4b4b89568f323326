import type { PairStatus } from '../../session/result.js';
import { type CommandContext, withPair } from '../context.js';
import { escapeText } from '../escape-text.js';
import { EXIT, type ExitCode } from '../exit-code.js';
import { formatBytes, formatCount, formatDuration, formatTime } from '../format.js';

/** `status`: says what is remembered about the pair. */
export async function runStatus(context: CommandContext): Promise<ExitCode> {
  const { reporter, stops, dependencies } = context;
  return withPair(context, async (pair) => {
    const status = await stops.race(pair.status());
    reporter.result({ type: 'status', ...status }, () => statusText(status, dependencies.clock.nowMs()));
    return EXIT.done;
  });
}

function statusText(status: PairStatus, nowMs: number): string {
  const rows: readonly (readonly [string, string])[] = [
    ['Folder', escapeText(status.folder)],
    ['Bucket', `${escapeText(status.address)} at ${escapeText(status.endpoint)}`],
    ['Known files', formatCount(status.knownFiles, 'file')],
    ['Last run', lastRunText(status.lastCycle, nowMs)],
    [
      'Waiting',
      status.waitingConflicts === 0
        ? 'no conflicts'
        : `${formatCount(status.waitingConflicts, 'conflict')}: see filecloudsync conflicts`,
    ],
    [
      'Trash',
      status.trashItems === 0
        ? 'empty'
        : `${formatCount(status.trashItems, 'version')}, ${formatBytes(status.trashBytes)}`,
    ],
  ];
  return rows.map(([name, value]) => `${name.padEnd(12)} ${value}`).join('\n');
}

function lastRunText(last: PairStatus['lastCycle'], nowMs: number): string {
  if (last === undefined) return 'never: run filecloudsync sync';
  const when = `${formatTime(last.endedAtMs)} (${formatDuration(nowMs - last.endedAtMs)} ago)`;
  if (last.error !== undefined) return `${when}, failed: ${escapeText(last.error.message)} [${last.error.code}]`;
  const counts = [
    formatCount(last.changes, 'change'),
    last.conflicts > 0 ? formatCount(last.conflicts, 'conflict') : '',
    last.problems > 0 ? formatCount(last.problems, 'problem') : '',
    last.held > 0 ? `${formatCount(last.held, 'path')} left alone` : '',
  ];
  return `${when}, ${counts.filter((part) => part !== '').join(', ')}`;
}
