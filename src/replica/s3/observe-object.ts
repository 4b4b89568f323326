import type { Entry } from '../../core/entry.js';
import { readState, toEntry, type S3Context } from './s3-context.js';
import { failureError } from './service-error.js';

/**
 * What stands at a path: HEAD, and when nothing does, a look at the bucket, whose loss reads like that of each object: one look
 * for all objects that were found to be gone before it began.
 */
export async function observeObject(
  context: S3Context,
  path: string,
  signal: AbortSignal | undefined,
): Promise<Entry | null> {
  const state = await readState(context, path, signal);
  if (state !== null) return toEntry(context, path, state);
  await context.bucketLooks(signal, () => lookAtBucket(context, path, signal));
  return null;
}

/** By way of a path, as whoever asks may not be allowed to list all of the bucket. */
async function lookAtBucket({ api, keys }: S3Context, path: string, signal: AbortSignal | undefined): Promise<void> {
  const listed = await api.list({ prefix: keys.keyOf(path), token: undefined, maxKeys: 1 }, signal);
  if (listed.ok) return;
  throw failureError(listed.failure, {
    action: `looking whether "${path}" is gone`,
    bucket: api.bucket,
    path: undefined,
  });
}
