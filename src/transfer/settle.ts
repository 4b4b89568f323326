import type { Conflict, ConflictAnswer } from '../core/conflict.js';
import type { RuleId } from '../core/decision.js';
import type { FileEntry } from '../core/entry.js';
import { resolveConflict } from '../core/resolve.js';
import { StaleError, UsageError } from '../errors.js';
import type { TransferContext } from './context.js';
import { download } from './download.js';
import type { PathOutcome } from './path-outcome.js';
import { setAside } from './set-aside.js';
import { upload } from './upload.js';

/** Settles two different versions of one file by the policy. The version that loses is kept in the trash before anything is replaced. */
export async function settle(
  context: TransferContext,
  rule: RuleId,
  local: FileEntry,
  seenRemote: FileEntry,
): Promise<PathOutcome> {
  const path = local.path;
  const remote = await withRecordedTime(context, seenRemote);
  const resolution = await ask(context, { path, local, remote });
  switch (resolution) {
    case 'manual':
      return { type: 'waiting', conflict: { path, type: 'content', resolution }, local, remote: seenRemote };
    case 'bucket': {
      const outcome = await download(context, rule, local, remote, 'lost-conflict');
      return outcome.type === 'done'
        ? { ...outcome, conflict: { path, type: 'content', resolution, trashed: 'local' } }
        : outcome;
    }
    case 'local': {
      await keepRemote(context, remote);
      const outcome = await upload(context, rule, local, remote);
      return outcome.type === 'done'
        ? { ...outcome, conflict: { path, type: 'content', resolution, trashed: 'remote' } }
        : outcome;
    }
    case 'keep-both': {
      const aside = await setAside(context, 'local', local);
      if (aside.outcome === 'stale') return { type: 'again', paths: [path], message: aside.message };
      const conflict: Conflict = { path, type: 'content', resolution, copyPath: aside.copyPath };
      return { type: 'again', paths: [path, aside.copyPath], conflict, message: `${path} was kept twice.` };
    }
    default:
      return resolution satisfies never;
  }
}

/** A listing knows the time of upload only; the object's own time is with its metadata. */
async function withRecordedTime(context: TransferContext, remote: FileEntry): Promise<FileEntry> {
  if (remote.modifiedSource === 'mtime') return remote;
  const observed = await context.remote.observe(remote.path, context.signal);
  if (observed?.kind !== 'file' || observed.fingerprint !== remote.fingerprint) {
    throw new StaleError(`${remote.path} changed in the bucket while its conflict was being settled.`);
  }
  return observed;
}

async function ask(
  context: TransferContext,
  question: { readonly path: string; readonly local: FileEntry; readonly remote: FileEntry },
): Promise<ConflictAnswer> {
  if (context.readonly) return 'bucket';
  const { conflict } = context;
  if (typeof conflict !== 'function') return resolveConflict(conflict, question, { readonly: false });
  const answer = await conflict(question);
  if (answer === 'local' || answer === 'bucket' || answer === 'keep-both' || answer === 'manual') return answer;
  throw new UsageError(
    'ERR_CONFLICT_ANSWER',
    `The conflict function answered ${JSON.stringify(answer)} for ${question.path}; expected 'local', 'bucket', 'keep-both' or 'manual'. Nothing was changed at this path.`,
  );
}

async function keepRemote(context: TransferContext, remote: FileEntry): Promise<void> {
  const source = await context.remote.open(remote, context.signal);
  try {
    await context.local.trash.keep(remote.path, source, { reason: 'lost-conflict', signal: context.signal });
  } finally {
    await source.close();
  }
}
