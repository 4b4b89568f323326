import type { Digest } from '../core/digest.js';
import type { FileEntry, Fingerprint } from '../core/entry.js';
import type { TransferContext } from './context.js';

/** Writes into the baseline that both sides of a path now agree. */
export async function recordAgreement(
  context: TransferContext,
  local: FileEntry,
  remote: FileEntry,
  digest: Digest | undefined,
): Promise<void> {
  await context.baseline.put([
    {
      path: local.path,
      sizeBytes: remote.sizeBytes,
      local: await believableFingerprint(context, local),
      remote: remote.fingerprint,
      digest,
      recordedAtMs: context.runtime.clock.nowMs(),
    },
  ]);
}

/**
 * The fingerprint to record, or `null` when the file could have changed again without showing it.
 * A file that has visibly changed since keeps the old fingerprint: the next cycle then sees the change.
 */
async function believableFingerprint(context: TransferContext, local: FileEntry): Promise<Fingerprint | null> {
  // What was old enough when it was observed shows every change since: it need not be looked at again.
  if (local.racy !== true) return local.fingerprint;
  const now = await context.local.observe(local.path, context.signal);
  const settled = now?.kind === 'file' && now.fingerprint === local.fingerprint && now.racy !== true;
  return settled ? local.fingerprint : null;
}
