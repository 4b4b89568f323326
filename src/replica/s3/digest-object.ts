import type { Digest, DigestScheme } from '../../core/digest.js';
import type { FileEntry } from '../../core/entry.js';
import { StaleError } from '../../errors.js';
import { mayBeMd5 } from './dialect.js';
import { digestOfState } from './object-state.js';
import { holds, mayBeDigest, readState, type S3Context } from './s3-context.js';

/**
 * The digest that the store knows of an object: HEAD, no transfer. An ETag of parts counts for a part size when the number
 * of parts and their sizes can be those.
 *
 * @throws StaleError when another version stands there.
 */
export async function digestOf(
  context: S3Context,
  entry: FileEntry,
  { partSizeBytes }: DigestScheme,
  signal: AbortSignal | undefined,
): Promise<Digest | undefined> {
  const state = await readState(context, entry.path, signal);
  if (state === null || !holds(state, { fingerprint: entry.fingerprint, entry })) {
    throw new StaleError(`"${entry.path}" in the bucket is not the version any more that was looked at.`);
  }
  if (partSizeBytes === undefined) {
    return state.md5 === undefined && !mayBeDigest(context, state.sizeBytes) ? undefined : digestOfState(state);
  }
  const match = /^([0-9a-f]{32})-(\d{1,5})$/.exec(state.etag);
  if (match === null || state.isEtagOpaque || !mayBeMd5(context.dialect)) return undefined;
  const count = Math.max(1, Math.ceil(entry.sizeBytes / partSizeBytes));
  return Number(match[2]) === count ? `md5-${partSizeBytes}:${state.etag}` : undefined;
}
