import type { Entry } from '../../core/entry.js';
import { readState, toEntry, type S3Context } from './s3-context.js';
import { failureError } from './service-error.js';

/** What stands at a path: HEAD, and when nothing does, a look at the bucket, whose loss reads like that of each object. */
export async function observeObject(
  context: S3Context,
  path: string,
  signal: AbortSignal | undefined,
): Promise<Entry | null> {
  const state = await readState(context, path, signal);
  if (state !== null) return toEntry(context, path, state);
  const { bucket } = context.api;
  const listed = await context.api.list({ prefix: context.keys.keyOf(path), token: undefined, maxKeys: 1 }, signal);
  if (!listed.ok)
    throw failureError(listed.failure, { action: `looking whether "${path}" is gone`, bucket, path: undefined });
  return null;
}
