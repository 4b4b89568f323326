import type { BaselineRow } from '../core/baseline.js';
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
export function recordAgreement(
  context: TransferContext,
  local: FileEntry,
  remote: FileEntry,
  digest: Digest | undefined,
  parts?: PartDigests,
): Promise<void> {
  const putRow = (): Promise<void> => context.baseline.put([rowOf(context, local, remote, digest)]);
  if (parts === undefined || parts.md5s.length < LEAST_PARTS) return putRow();
  return context.parts.put(local.path, remote.fingerprint, parts).then(putRow);
}

function rowOf(
  { runtime }: TransferContext,
  local: FileEntry,
  remote: FileEntry,
  digest: Digest | undefined,
): BaselineRow {
  return {
    path: local.path,
    sizeBytes: remote.sizeBytes,
    // A racy file may have been changed in the same tick after it was read: that it shows later changes says nothing of this one.
    local: local.racy === true ? null : local.fingerprint,
    remote: remote.fingerprint,
    digest,
    recordedAtMs: runtime.clock.nowMs(),
  };
}
