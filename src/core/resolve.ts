import type { ConflictAnswer, ConflictPolicyName } from './conflict.js';
import type { FileEntry } from './entry.js';

/**
 * Times closer than this say nothing about which version is newer, in milliseconds: FAT keeps modification times to two
 * seconds, and S3's LastModified and `Date`, from which the server's clock is corrected, are whole seconds each.
 */
export const TIME_TIE_MS = 2000;

/** The two versions of a conflict, with the best times that are known. */
export interface ConflictVersions {
  readonly local: FileEntry;
  readonly remote: FileEntry;
}

/**
 * Settles a conflict by a named policy. Pure; the loser goes to the trash, which is the caller's task.
 *
 * Under `readonly` the bucket wins whatever the policy says. `newest`: the later `modifiedMs` wins; a tie
 * (within {@link TIME_TIE_MS}) or an unknown time keeps both.
 */
export function resolveConflict(
  policy: ConflictPolicyName,
  versions: ConflictVersions,
  options: { readonly readonly: boolean },
): ConflictAnswer {
  if (options.readonly) return 'bucket';
  return policy === 'newest' ? newest(versions) : policy;
}

function newest({ local, remote }: ConflictVersions): ConflictAnswer {
  const lead = (local.modifiedMs ?? Number.NaN) - (remote.modifiedMs ?? Number.NaN);
  // A time that is no number is as good as unknown.
  if (!Number.isFinite(lead) || Math.abs(lead) <= TIME_TIE_MS) return 'keep-both';
  return lead > 0 ? 'local' : 'bucket';
}
