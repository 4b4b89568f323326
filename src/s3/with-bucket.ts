import type { S3Client } from '@aws-sdk/client-s3';
import { createBackoff, type Backoff } from '../replica/wrap/backoff.js';
import { withRetry } from '../replica/s3/wrap/retry.js';
import { createS3Api, type S3Api } from '../replica/s3/s3-api.js';
import { createHttpTransport } from '../replica/s3/http-transport.js';
import { addressErrors } from './address.js';
import { throwUsageErrors } from './check-options.js';
import { shown } from './option-checks.js';
import { systemRuntime } from './system-runtime.js';

/** What {@link withBucket} lends. */
export interface BucketTools {
  readonly api: S3Api;
  readonly backoff: Backoff;
}

/**
 * Lends the calls about one bucket for the time of `use`; the connections are closed at its end.
 *
 * @throws UsageError `ERR_USAGE` for what is no bucket, no key (`keys`) or no client.
 */
export async function withBucket<T>(
  call: string,
  client: S3Client,
  bucket: string,
  keys: readonly string[],
  use: (tools: BucketTools) => Promise<T>,
): Promise<T> {
  throwUsageErrors(call, [
    ...clientErrors(client),
    ...addressErrors(bucket),
    ...plainNameErrors(bucket),
    ...keys.flatMap(keyErrors),
  ]);
  const transport = createHttpTransport({ client, clock: systemRuntime.clock });
  const backoff = createBackoff(systemRuntime);
  try {
    return await use({ api: createS3Api(withRetry(transport, backoff), bucket, backoff), backoff });
  } finally {
    await transport.close();
  }
}

/** Everything that is wrong with what should be a client of the SDK, one sentence each. */
export function clientErrors(client: unknown): string[] {
  const isClient = typeof client === 'object' && client !== null && 'send' in client && 'config' in client;
  return isClient
    ? []
    : [`the client must be a client of the AWS SDK, version 3, such as connect() answers, not ${shown(client)}`];
}

function plainNameErrors(bucket: unknown): string[] {
  return typeof bucket === 'string' && /^s3:\/\//i.test(bucket)
    ? ['the bucket must be a name here, because the key is given apart']
    : [];
}

function keyErrors(key: unknown): string[] {
  if (typeof key !== 'string' || key === '') return [`a key must be a text that is not empty, not ${shown(key)}`];
  return !/\p{Surrogate}/u.test(key) ? [] : ['a key must be text that can be written as UTF-8'];
}
