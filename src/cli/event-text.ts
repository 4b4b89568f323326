import type { PathChange } from '../core/change.js';
import type { Conflict } from '../core/conflict.js';
import type { HoldReason, RuleId } from '../core/decision.js';
import type { Problem } from '../core/problem.js';
import type { CycleResult } from '../session/result.js';
import { displayPath, escapeText } from './escape-text.js';
import { formatBytes, formatCount, formatDuration } from './format.js';
import type { Style } from './style.js';

/** One change in one line: `↑ photos/a.jpg  2.3 MiB`, `→ a.jpg → b.jpg`. `sizeBytes` is left out when it is not known. */
export function changeText(change: PathChange, sizeBytes: number | undefined, style: Style): string {
  const path = displayPath(change.path);
  if (change.from !== undefined) {
    const where = change.origin === 'local' ? 'renamed in the bucket' : 'renamed here';
    return `${style.good('→')} ${displayPath(change.from)} → ${path}  ${style.faint(where)}`;
  }
  if (change.operation === 'deleted') {
    const where = change.origin === 'local' ? 'deleted in the bucket' : 'deleted here, kept in the trash';
    return `${style.gone('✗')} ${path}  ${style.faint(where)}`;
  }
  const size = sizeBytes === undefined ? '' : `  ${style.faint(formatBytes(sizeBytes))}`;
  return change.origin === 'local' ? `${style.good('↑')} ${path}${size}` : `${style.arrived('↓')} ${path}${size}`;
}

/** One conflict in one line, with what became of both versions. */
export function conflictText(conflict: Conflict, style: Style): string {
  return `${style.warning('⚡')} ${displayPath(conflict.path)}  ${conflictFate(conflict)}`;
}

function conflictFate(conflict: Conflict): string {
  const what = conflict.type === 'kind' ? 'a file on one side, a folder on the other' : 'changed on both sides';
  if (conflict.resolution === 'manual') {
    return `${what}; waits for you: filecloudsync resolve … --use local|bucket|keep-both`;
  }
  if (conflict.resolution === 'keep-both') {
    return conflict.copyPath === undefined
      ? `${what}; both kept`
      : `${what}; both kept, the other as ${displayPath(conflict.copyPath)}`;
  }
  const winner = conflict.resolution === 'local' ? 'this folder' : 'the bucket';
  return `${what}; the version of ${winner} counts${conflict.trashed === undefined ? '' : ', the other is in the trash'}`;
}

/** One problem in one line: path, message, code. */
export function problemText(problem: Problem, style: Style): string {
  const mark = problem.severity === 'error' ? style.bad('!') : style.faint('·');
  const where = problem.side === 'local' ? 'here' : 'in the bucket';
  return `${mark} ${displayPath(problem.path)}  ${escapeText(problem.message)} ${style.faint(`[${problem.code}, ${where}]`)}`;
}

const HELD: Readonly<Record<HoldReason, string>> = {
  problem: 'left alone because of a problem',
  untracked: 'left alone: does not take part on one side',
  readonly: 'not uploaded: --readonly',
  'kind-conflict': 'left alone: a file on one side, a folder on the other',
  'kind-collision': 'left alone: a file and a folder of the same name',
};

/** A path that was left alone, and why. */
export function heldText(path: string, rule: RuleId, reason: HoldReason, style: Style): string {
  return `${style.faint('·')} ${displayPath(path)}  ${style.faint(`${HELD[reason]} [${rule}]`)}`;
}

/** The last line of a cycle: what was carried, how much, how long. */
export function summaryText(result: CycleResult, style: Style): string {
  const counts = countChanges(result.changes);
  const took = formatDuration(result.endedAtMs - result.startedAtMs);
  const waiting = result.conflicts.filter((conflict) => conflict.resolution === 'manual').length;
  const settled = result.conflicts.length - waiting;
  const errors = result.problems.filter((problem) => problem.severity === 'error').length;
  const notices = result.problems.length - errors;
  const parts = [
    counts.uploaded > 0 ? `${formatCount(counts.uploaded, 'file')} up (${formatBytes(result.uploadedBytes)})` : '',
    counts.downloaded > 0
      ? `${formatCount(counts.downloaded, 'file')} down (${formatBytes(result.downloadedBytes)})`
      : '',
    counts.renamed > 0 ? `${formatCount(counts.renamed, 'file')} renamed` : '',
    counts.deleted > 0 ? `${formatCount(counts.deleted, 'deletion')} carried over` : '',
    settled > 0 ? `${formatCount(settled, 'conflict')} settled` : '',
    waiting > 0 ? style.warning(`${formatCount(waiting, 'conflict')} ${waiting === 1 ? 'waits' : 'wait'} for you`) : '',
    errors > 0 ? style.bad(formatCount(errors, 'problem')) : '',
    notices > 0 ? formatCount(notices, 'notice') : '',
    result.heldCount > 0 ? `${formatCount(result.heldCount, 'path')} left alone` : '',
  ].filter((part) => part !== '');
  const files = formatCount(Math.max(result.localFiles, result.remoteFiles), 'file');
  const quiet = result.changes.length === 0 && parts.length === 0;
  const what = quiet ? `Nothing to do: ${files}, the same on both sides` : `Done: ${parts.join(', ')}; ${files} in all`;
  return `${what}; ${took}.${result.rebuilt ? ' What was remembered was lost and has been rebuilt; nothing was deleted.' : ''}`;
}

type Counted = 'uploaded' | 'downloaded' | 'deleted' | 'renamed';

/** A rename counts once, and is neither sent nor deleted. */
function countChanges(changes: readonly PathChange[]): Readonly<Record<Counted, number>> {
  const counts: Record<Counted, number> = { uploaded: 0, downloaded: 0, deleted: 0, renamed: 0 };
  for (const change of changes) {
    if (change.from !== undefined) counts.renamed += 1;
    else if (change.to !== undefined) continue;
    else if (change.operation === 'deleted') counts.deleted += 1;
    else if (change.origin === 'local') counts.uploaded += 1;
    else counts.downloaded += 1;
  }
  return counts;
}

/** A failure for people: the message, its code, and nothing of the stack. */
export function errorText(error: unknown, style: Style): string {
  const message = error instanceof Error ? error.message : String(error);
  const code = codeOfError(error);
  return `${style.bad('filecloudsync:')} ${escapeLinesOf(message)}${code === undefined ? '' : ` ${style.faint(`[${code}]`)}`}`;
}

function escapeLinesOf(message: string): string {
  return message
    .split('\n')
    .map((line) => escapeText(line))
    .join('\n');
}

/** The stable code of an error, when it has one. */
export function codeOfError(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}
