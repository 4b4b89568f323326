import type { RuleId } from '../core/decision.js';
import type { FileEntry } from '../core/entry.js';
import type { TransferContext } from './context.js';
import { expecting } from './expecting.js';
import type { PathOutcome } from './path-outcome.js';

/** Carries a remote deletion into the folder: the file goes to the trash. */
export async function deleteLocal(context: TransferContext, rule: RuleId, local: FileEntry): Promise<PathOutcome> {
  // A listing that was cut short, or damaged on its way, can look whole: the store is asked about this very object.
  const standing = await context.remote.observe(local.path, context.signal);
  if (standing?.kind === 'file') {
    return {
      type: 'again',
      paths: [local.path],
      message: `${local.path} is in the bucket, though its list did not say so.`,
    };
  }
  // RACE: an object created at this path since that look is not seen here; the next cycle downloads it.
  const result = await context.local.remove(local.path, expecting(local), {
    signal: context.signal,
    reason: 'deleted',
  });
  if (result.outcome === 'stale') return { type: 'again', paths: [local.path], message: result.message };
  await context.baseline.delete([local.path]);
  return { type: 'done', rule, change: { path: local.path, operation: 'deleted', origin: 'remote' } };
}

/** Carries a local deletion to the remote side, if the local file is still absent. */
export async function deleteRemote(context: TransferContext, rule: RuleId, remote: FileEntry): Promise<PathOutcome> {
  const standing = await context.local.observe(remote.path, context.signal);
  // A directory is no file: the file that stood here is as deleted as before.
  if (standing !== null && standing.kind !== 'directory') {
    return { type: 'again', paths: [remote.path], message: `${remote.path} exists again in the folder.` };
  }
  const result = await context.remote.remove(remote.path, expecting(remote), {
    signal: context.signal,
    reason: 'deleted',
  });
  if (result.outcome === 'stale') return { type: 'again', paths: [remote.path], message: result.message };
  await context.baseline.delete([remote.path]);
  return { type: 'done', rule, change: { path: remote.path, operation: 'deleted', origin: 'local' } };
}
