import path from 'node:path';
import type { S3Client } from '@aws-sdk/client-s3';
import { problemOfPath } from '../core/path.js';
import { PathError } from '../errors.js';
import { addressErrors } from './address.js';
import { throwUsageErrors } from './check-options.js';
import { carryFile, fileReplicas, nameRules } from './file-replicas.js';
import { shown } from './option-checks.js';
import { clientErrors } from './with-bucket.js';

/**
 * Downloads one object into a folder, at the path that its key says, with the time that was recorded with it. The
 * content is staged and verified first, and then appears at once; a file that stood there goes to the trash of the
 * folder (`.filecloudsync/trash`). Nothing outside the folder is ever written, whatever the key is.
 *
 * @returns the path of the file.
 * @throws PathError `ERR_OBJECT_NOT_FOUND`, `ERR_KEY_…` and `ERR_NAME_…` for a key that this disk cannot hold,
 * `ERR_S3_FORBIDDEN`, `ERR_STILL_CHANGING`; UsageError `ERR_FOLDER_MISSING`, `ERR_USAGE`; S3ConnectionError when the
 * bucket or the service cannot be used.
 *
 * @example
 * ```ts
 * import { s3 } from 'filecloudsync';
 * const client = await s3.connect();
 * const file = await s3.downloadFile(client, 'pictures', '2026/a.jpg', 'photos');
 * console.log(file); // photos/2026/a.jpg
 * ```
 */
export async function downloadFile(client: S3Client, bucket: string, key: string, folder: string): Promise<string> {
  throwUsageErrors('downloadFile', [
    ...clientErrors(client),
    ...addressErrors(bucket),
    ...(typeof key === 'string' && key !== '' ? [] : [`the key must be a text that is not empty, not ${shown(key)}`]),
    ...(typeof folder === 'string' && folder !== '' ? [] : [`the folder must be a path, not ${shown(folder)}`]),
  ]);
  const problem = problemOfPath(key, nameRules);
  if (problem !== undefined) throw new PathError(problem.code, problem.message, { data: { key } });
  const { local, remote } = fileReplicas(client, bucket, path.resolve(folder));
  try {
    await remote.prepare({ readonly: true });
    await local.prepare({ readonly: false });
    await carryFile(remote, key, local, key);
    return path.join(folder, ...key.split('/'));
  } finally {
    await remote.close();
    await local.close();
  }
}
