import type { S3Context } from './s3-context.js';
import { failureError } from './service-error.js';

/** Whether any object stands below a path: a LIST of one key. A marker `path/` counts as well. */
export async function hasObjectBelow(
  context: S3Context,
  path: string,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  const { bucket } = context.api;
  const prefix = `${context.keys.keyOf(path)}/`;
  const listed = await context.api.list({ prefix, token: undefined, maxKeys: 1 }, signal);
  if (!listed.ok)
    throw failureError(listed.failure, { action: `looking below "${path}" in the bucket`, bucket, path: undefined });
  return listed.value.objects.length > 0;
}
