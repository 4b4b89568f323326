import type { S3Client } from '@aws-sdk/client-s3';
import type { ConnectOptions } from './connect-options.js';
import { openConnection } from './open-connection.js';
import { createClient } from './sdk.js';
import { processSurroundings, type Surroundings } from './surroundings.js';

/**
 * Connects to an S3 service: finds the keys (see {@link getCredentials}), makes a client of the AWS SDK (version 3) and
 * checks that the service answers and accepts the keys. Costs one request.
 *
 * Needs no right to list buckets: when the service says that this right is missing, it has answered and knows the keys.
 * With `bucket` the bucket is asked instead, and has to be there and to be readable.
 *
 * @returns the client; the caller destroys it when it is done.
 * @throws UsageError `ERR_USAGE` for wrong options.
 * @throws S3ConnectionError that says what was looked for and where: `ERR_NO_CREDENTIALS`, `ERR_CREDENTIALS_FILE`,
 * `ERR_S3_CREDENTIALS` (wrong or ended), `ERR_S3_CLOCK`, `ERR_S3_FORBIDDEN`, `ERR_S3_BUCKET_NOT_FOUND`,
 * `ERR_S3_WRONG_REGION`, `ERR_S3_REDIRECT`, `ERR_S3_UNREACHABLE`, `ERR_S3_DNS`, `ERR_S3_TIMEOUT`, `ERR_S3_TLS`,
 * `ERR_S3_NOT_HTTP`, `ERR_S3_NOT_S3`, `ERR_S3_CONNECTION_LOST`, `ERR_S3_UNAVAILABLE`, `ERR_S3_REFUSED`.
 *
 * @example
 * ```ts
 * import { s3 } from 'filecloudsync';
 * const client = await s3.connect({ endpoint: 'https://storage.example.com' });
 * await s3.sync(client, 'pictures', 'photos');
 * client.destroy();
 * ```
 */
export async function connect(
  options: ConnectOptions = {},
  surroundings: Surroundings = processSurroundings(),
): Promise<S3Client> {
  return openConnection(options, surroundings, ({ config }) => createClient(config));
}
