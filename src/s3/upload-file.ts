import path from 'node:path';
import type { S3Client } from '@aws-sdk/client-s3';
import { addressErrors } from './address.js';
import { throwUsageErrors } from './check-options.js';
import { carryFile, fileReplicas } from './file-replicas.js';
import { shown } from './option-checks.js';
import { clientErrors } from './with-bucket.js';

/**
 * Uploads one file to one key, replacing the object that stands there. A large file goes in parts; the object appears
 * whole or not at all, with the file's own time as metadata `mtime`. The file is not touched.
 *
 * @throws PathError `ERR_FILE_NOT_FOUND`, `ERR_NOT_A_FILE` (links are not followed), `ERR_STILL_CHANGING`,
 * `ERR_S3_FORBIDDEN`; S3ConnectionError when the bucket or the service cannot be used; UsageError `ERR_USAGE`.
 *
 * @example
 * ```ts
 * import { s3 } from 'filecloudsync';
 * const client = await s3.connect();
 * await s3.uploadFile('photos/a.jpg', client, 'pictures', '2026/a.jpg');
 * ```
 */
export async function uploadFile(file: string, client: S3Client, bucket: string, key: string): Promise<void> {
  throwUsageErrors('uploadFile', [
    ...(typeof file === 'string' && file !== '' ? [] : [`the file must be a path, not ${shown(file)}`]),
    ...clientErrors(client),
    ...addressErrors(bucket),
    ...(typeof key === 'string' && key !== '' ? [] : [`the key must be a text that is not empty, not ${shown(key)}`]),
  ]);
  const absolute = path.resolve(file);
  const { local, remote } = fileReplicas(client, bucket, path.dirname(absolute));
  try {
    await local.prepare({ readonly: true });
    await remote.prepare({ readonly: false });
    await carryFile(local, path.basename(absolute), remote, key);
  } finally {
    await remote.close();
    await local.close();
  }
}
