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
  const {
    uploads,
    downloads,
    deletions,
    renames,
    settledConflicts: settled,
    waitingConflicts: waiting,
    errors,
    notices,
  } = result.counts;
  const took = formatDuration(result.endedAtMs - result.startedAtMs);
  const parts = [
    uploads > 0 ? `${formatCount(uploads, 'file')} up (${formatBytes(result.uploadedBytes)})` : '',
    downloads > 0 ? `${formatCount(downloads, 'file')} down (${formatBytes(result.downloadedBytes)})` : '',
    renames > 0 ? `${formatCount(renames, 'file')} renamed` : '',
    deletions > 0 ? `${formatCount(deletions, 'deletion')} carried over` : '',
    settled > 0 ? `${formatCount(settled, 'conflict')} settled` : '',
    waiting > 0 ? style.warning(`${formatCount(waiting, 'conflict')} ${waiting === 1 ? 'waits' : 'wait'} for you`) : '',
    errors > 0 ? style.bad(formatCount(errors, 'problem')) : '',
    notices > 0 ? formatCount(notices, 'notice') : '',
    result.heldCount > 0 ? `${formatCount(result.heldCount, 'path')} left alone` : '',
  ].filter((part) => part !== '');
  const files = formatCount(Math.max(result.localFiles, result.remoteFiles), 'file');
  const quiet = parts.length === 0;
  const what = quiet ? `Nothing to do: ${files}, the same on both sides` : `Done: ${parts.join(', ')}; ${files} in all`;
  return `${what}; ${took}.${result.rebuilt ? ' What was remembered was lost and has been rebuilt; nothing was deleted.' : ''}`;
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
