import type { RuleId } from '../core/decision.js';
import type { FileEntry } from '../core/entry.js';
import type { Outcome, TrashReason, Written } from '../replica/replica.js';
import type { TransferContext } from './context.js';
import { expectingOrNothing } from './expecting.js';
import type { PathOutcome } from './path-outcome.js';
import { recordAgreement } from './record.js';

/** Carries a remote file into the folder; the local version that was seen there, if any, goes to the trash. */
export async function download(
  context: TransferContext,
  rule: RuleId,
  local: FileEntry | null,
  remote: FileEntry,
  reason: TrashReason = 'replaced',
): Promise<PathOutcome> {
  const source = await context.remote.open(remote, context.signal);
  let result: Outcome<Written>;
  try {
    result = await context.local.write(remote.path, source, expectingOrNothing(local), {
      signal: context.signal,
      reason,
      onArrived: context.onArrived,
      onBytes: (count) => context.onBytes(remote.path, 'down', count),
    });
  } finally {
    const closed = source.close();
    if (closed !== undefined) await closed;
  }
  if (result.outcome === 'stale') return { type: 'again', paths: [remote.path], message: result.message };
  await recordAgreement(context, result.entry, source.entry, result.digest, result.parts);
  return {
    type: 'done',
    rule,
    change: { path: remote.path, operation: local === null ? 'added' : 'modified', origin: 'remote' },
  };
}
