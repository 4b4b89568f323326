import type { S3Client } from '@aws-sdk/client-s3';
import { failureError } from '../replica/s3/service-error.js';
import { isAbsent, objectError } from './read-object.js';
import { withBucket } from './with-bucket.js';

/**
 * Whether all these objects exist; without keys, whether the bucket does.
 *
 * `false` only for what is absent: when the service forbids the look or cannot be reached, the call rejects. Without
 * the right to list the bucket, services answer "forbidden" for absent objects too.
 *
 * @throws PathError `ERR_S3_FORBIDDEN`; S3ConnectionError. Costs one request for each key.
 *
 * @example
 * ```ts
 * import { s3 } from 'filecloudsync';
 * const client = await s3.connect();
 * if (await s3.exists(client, 'pictures', 'a.jpg', 'b.jpg')) console.log('both are there');
 * ```
 */
export async function exists(client: S3Client, bucket: string, ...keys: readonly string[]): Promise<boolean> {
  return withBucket('exists', client, bucket, keys, async ({ api }) => {
    if (keys.length === 0) {
      const answer = await api.list({ prefix: '', token: undefined, maxKeys: 1 });
      if (answer.ok) return true;
      if (answer.failure.status === 404 && answer.failure.code === 'NoSuchBucket') return false;
      throw failureError(answer.failure, { action: `looking into the bucket "${bucket}"`, bucket, path: undefined });
    }
    for (const key of keys) {
      const answer = await api.head(key);
      if (answer.ok) continue;
      if (isAbsent(answer.failure)) return false;
      throw objectError(answer.failure, 'looking at', bucket, key);
    }
    return true;
  });
}
