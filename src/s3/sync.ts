import type { S3Client } from '@aws-sdk/client-s3';
import { callOptions, checkPairCall, openOptions, openRealPair, type OpenPair } from './open-port.js';
import type { SyncOptions } from './sync-options.js';
import { toSyncResult, type SyncResult } from './sync-result.js';

/**
 * Makes a folder and a bucket (or a prefix of it, `s3://bucket/prefix`) the same, once, in both directions.
 *
 * What one file does wrong never stops the others and never makes the call reject: it is in `problems` of the answer,
 * and the file is tried again by the next call. Conflicts are settled as `conflict` says and are in `conflicts`.
 *
 * @returns the changes that were carried over, with `problems`, `conflicts` and `held` beside them.
 * @throws UsageError `ERR_USAGE` for wrong arguments, before anything is looked at.
 * @throws HaltError when what was seen cannot be trusted, or too much would be deleted; nothing was changed.
 * @throws LockedError `ERR_LOCKED` when another process works on the same folder and bucket.
 * @throws S3ConnectionError when the service or the bucket cannot be used.
 *
 * @example
 * ```ts
 * import { s3 } from 'filecloudsync';
 * const client = await s3.connect();
 * const changes = await s3.sync(client, 's3://pictures/2026', 'photos');
 * for (const { key, operation, location } of changes) console.log(location, operation, key);
 * for (const { path, message } of changes.problems) console.error(path, message);
 * ```
 */
export async function sync(
  client: S3Client,
  bucket: string,
  folder: string,
  options: SyncOptions = {},
  open: OpenPair = openRealPair,
): Promise<SyncResult> {
  checkPairCall('sync', client, bucket, folder, options);
  options.signal?.throwIfAborted();
  const pair = await open(client, bucket, folder, openOptions(options));
  try {
    return toSyncResult(await pair.sync(callOptions(options.signal, options.onProgress)));
  } finally {
    await pair.close();
  }
}
