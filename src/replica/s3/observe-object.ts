import type { Entry } from '../../core/entry.js';
import { hasKeyWith } from './has-key.js';
import { readState, toEntry, type S3Context } from './s3-context.js';

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
  // By way of a path, as whoever asks may not be allowed to list all of the bucket.
  const lookAtBucket = (): Promise<unknown> =>
    hasKeyWith(context, context.keys.keyOf(path), `looking whether "${path}" is gone`, signal);
  await context.bucketLooks(signal, lookAtBucket);
  return null;
}
