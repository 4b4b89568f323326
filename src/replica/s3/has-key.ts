import type { S3Context } from './s3-context.js';
import { failureError } from './service-error.js';

/**
 * Whether the key of any object begins so: a LIST of one key.
 *
 * @param action - what it is for, for the message of a failure, as `looking below "photos" in the bucket`.
 */
export async function hasKeyWith(
  { api }: S3Context,
  prefix: string,
  action: string,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  const listed = await api.list({ prefix, token: undefined, maxKeys: 1 }, signal);
  if (!listed.ok) throw failureError(listed.failure, { action, bucket: api.bucket, path: undefined });
  return listed.value.objects.length > 0;
}
