import type { S3Client } from '@aws-sdk/client-s3';
import { compareByteOrder } from '../core/byte-order.js';
import { S3ConnectionError } from '../errors.js';
import { failureError } from '../replica/s3/service-error.js';
import { decodeListedKey } from '../replica/s3/url-decode.js';
import { shown } from './option-checks.js';
import { throwUsageErrors } from './check-options.js';
import { withBucket, type BucketTools } from './with-bucket.js';

/** What a listing says of one object. */
export interface BucketKey {
  readonly sizeBytes: number;
  /** When the service received it. */
  readonly lastModified: Date;
  /** Without quotes. */
  readonly etag: string;
}

/** Options of {@link getBucketKeys}. */
export interface BucketKeysOptions {
  /** Only keys that begin with this text. Default: all. Taken as it is: no `/` is added, and the keys are answered whole. */
  readonly prefix?: string;
}

/**
 * Lists the objects of a bucket, all pages of them, by their keys, in UTF-8 byte order.
 *
 * Costs one request for 1,000 objects, and the memory of the whole list.
 *
 * @throws S3ConnectionError when the bucket cannot be listed, or `ERR_S3_BAD_ANSWER` when the listing contradicts
 * itself: an answer is whole or there is none.
 *
 * @example
 * ```ts
 * import { s3 } from 'filecloudsync';
 * const client = await s3.connect();
 * for (const [key, { sizeBytes }] of await s3.getBucketKeys(client, 'pictures', { prefix: '2026/' })) {
 *   console.log(key, sizeBytes);
 * }
 * ```
 */
export async function getBucketKeys(
  client: S3Client,
  bucket: string,
  options: BucketKeysOptions = {},
): Promise<Map<string, BucketKey>> {
  const { prefix = '' } = options;
  throwUsageErrors(
    'getBucketKeys',
    typeof prefix === 'string' ? [] : [`"prefix" must be a text, not ${shown(prefix)}`],
  );
  return withBucket('getBucketKeys', client, bucket, [], (tools) => listAll(tools, prefix));
}

async function listAll({ api }: BucketTools, prefix: string): Promise<Map<string, BucketKey>> {
  const keys = new Map<string, BucketKey>();
  const tokens = new Set<string>();
  let last: string | undefined;
  for (let token: string | undefined; ;) {
    const answer = await api.list({ prefix, token, maxKeys: 1000 });
    if (!answer.ok)
      throw failureError(answer.failure, {
        action: `listing the bucket "${api.bucket}"`,
        bucket: api.bucket,
        path: undefined,
      });
    const page = answer.value;
    for (const { key: written, sizeBytes, etag, lastModified } of page.objects) {
      const key = page.urlEncoded ? decodeListedKey(written) : written;
      if (key === undefined) throw contradiction(api.bucket, 'a key that is no UTF-8');
      if (!key.startsWith(prefix)) throw contradiction(api.bucket, 'a key outside the prefix');
      if (last !== undefined && compareByteOrder(last, key) >= 0) throw contradiction(api.bucket, 'keys out of order');
      last = key;
      keys.set(key, { sizeBytes, lastModified: new Date(lastModified), etag });
    }
    if (!page.isTruncated) return keys;
    token = page.nextToken;
    if (token === undefined || token === '')
      throw contradiction(api.bucket, 'a page that is not the last and does not say how to go on');
    if (tokens.has(token)) throw contradiction(api.bucket, 'the same page again');
    tokens.add(token);
  }
}

function contradiction(bucket: string, what: string): S3ConnectionError {
  return new S3ConnectionError(
    'ERR_S3_BAD_ANSWER',
    `Listing the bucket "${bucket}" failed: the service answered ${what}. A list with holes is worse than none; run again.`,
    { retryable: true, data: { bucket } },
  );
}
