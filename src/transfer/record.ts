import type { Digest } from '../core/digest.js';
import type { PartDigests } from '../core/part-digests.js';
import type { FileEntry } from '../core/entry.js';
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
      // A racy file may have been changed in the same tick after it was read: that it shows later changes says nothing of this one.
      local: local.racy === true ? null : local.fingerprint,
      remote: remote.fingerprint,
      digest,
      recordedAtMs: context.runtime.clock.nowMs(),
    },
  ]);
}
