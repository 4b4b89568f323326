import type { FileEntry } from '../core/entry.js';
import type { PartDigests } from '../core/part-digests.js';
import type { RuleId } from '../core/decision.js';
import type { Outcome, Written } from '../replica/replica.js';
import type { TransferContext } from './context.js';
import { expectingOrNothing } from './expecting.js';
import type { PathOutcome } from './path-outcome.js';
import { recordAgreement } from './record.js';
import { sameContentByDigest } from './same-content.js';

/** Carries a local file to the remote side, replacing exactly the version that was seen there. */
export async function upload(
  context: TransferContext,
  rule: RuleId,
  local: FileEntry,
  remote: FileEntry | null,
): Promise<PathOutcome> {
  if (remote !== null) {
    const comparison = await sameContentByDigest(context, local, remote);
    if (comparison.verdict === 'same') {
      await recordAgreement(context, local, remote, comparison.digest);
      return { type: 'done', rule };
    }
  }
  const source = await context.local.open(local, context.signal);
  let result: Outcome<Written>;
  try {
    const parts = partsOf(context, remote);
    result = await context.remote.write(local.path, source, expectingOrNothing(remote), {
      signal: context.signal,
      replacedParts: parts instanceof Promise ? await parts : parts,
      onBytes: (count) => context.onBytes(local.path, 'up', count),
    });
  } finally {
    const closing = source.close();
    if (closing !== undefined) await closing;
  }
  if (result.outcome === 'stale') return { type: 'again', paths: [local.path], message: result.message };
  await recordAgreement(context, source.entry, result.entry, result.digest, result.parts);
  return {
    type: 'done',
    rule,
    change: { path: local.path, operation: remote === null ? 'added' : 'modified', origin: 'local' },
  };
}

/** What is known of the parts of the version that is replaced. Small files have none: not worth a look. */
function partsOf(
  context: TransferContext,
  remote: FileEntry | null,
): Promise<PartDigests | undefined> | PartDigests | undefined {
  if (remote === null || context.remote.schemeFor(remote.sizeBytes).partSizeBytes === undefined) return undefined;
  return context.parts.get(remote.path, remote.fingerprint);
}
