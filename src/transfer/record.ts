import type { Digest } from '../core/digest.js';
import type { PartDigests } from '../core/part-digests.js';
import type { FileEntry, Fingerprint } from '../core/entry.js';
import type { TransferContext } from './context.js';

/** With fewer parts than this, the parts that differ are most of the file. */
const LEAST_PARTS = 3;

/**
 * Writes into the baseline that both sides of a path now agree.
 *
 * @param parts what the remote version consists of, where it is known.
 */
export async function recordAgreement(
  context: TransferContext,
  local: FileEntry,
  remote: FileEntry,
  digest: Digest | undefined,
  parts?: PartDigests,
): Promise<void> {
  if (parts !== undefined && parts.md5s.length >= LEAST_PARTS)
    await context.parts.put(local.path, remote.fingerprint, parts);
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
