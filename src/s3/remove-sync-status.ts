import type { S3Client } from '@aws-sdk/client-s3';
import { withDefaults } from './default-options.js';
import { checkPairCall, openRealPair, type OpenPair } from './open-port.js';
import type { SyncOptions } from './sync-options.js';

/**
 * Forgets all that is known about a folder and a bucket; touches no file. The next {@link sync} compares both sides
 * again and deletes nothing.
 *
 * @throws UsageError `ERR_USAGE` for wrong arguments.
 * @throws LockedError `ERR_LOCKED` when another process works on the same folder and bucket.
 *
 * @example
 * ```ts
 * import { s3 } from 'filecloudsync';
 * const client = await s3.connect();
 * await s3.removeSyncStatus(client, 'pictures', 'photos');
 * ```
 */
export async function removeSyncStatus(
  client: S3Client,
  bucket: string,
  folder: string,
  options: Pick<SyncOptions, 'prefix' | 'stateDir'> = {},
  open: OpenPair = openRealPair,
): Promise<void> {
  checkPairCall('sync', client, bucket, folder, options);
  const pair = await open(
    client,
    bucket,
    folder,
    withDefaults({ ...options, probe: false, readonly: true, allowOverlap: true }),
  );
  try {
    await pair.forget();
  } finally {
    await pair.close();
  }
}
