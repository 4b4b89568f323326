import type { S3ClientConfig } from '@aws-sdk/client-s3';
import { setClientTimeout } from '../replica/s3/client-timeout.js';
import { addressErrors, toAddress } from './address.js';
import { checkConnection } from './check-connection.js';
import { checkOptions, throwUsageErrors } from './check-options.js';
import type { ConnectOptions } from './connect-options.js';
import { findIdentity } from './find-identity.js';
import { optionTable } from './option-table.js';
import type { ServiceClient, SlimClientPlan } from './slim-client.js';
import type { Surroundings } from './surroundings.js';

/** What a client is made of. */
export interface ClientPlan extends SlimClientPlan {
  /** The same, and all else, for the client of the AWS SDK. */
  readonly config: S3ClientConfig;
}

/**
 * Finds the keys, makes a client with `make`, and checks that the service answers and accepts the keys. Costs one request.
 *
 * @param onAsked - called when the service was asked, before it has answered.
 * @throws what {@link connect} throws.
 */
export async function openConnection<C extends ServiceClient>(
  options: ConnectOptions,
  surroundings: Surroundings,
  make: (plan: ClientPlan) => Promise<C>,
  onAsked?: () => void,
): Promise<C> {
  checkOptions('connect', options);
  if (options.bucket !== undefined) throwUsageErrors('connect', addressErrors(options.bucket));
  const identity = await findIdentity(options, surroundings);
  const timeoutMs = (options.timeoutSeconds ?? optionTable.timeoutSeconds.default) * 1000;
  const { endpoint } = identity;
  const region = identity.region ?? 'us-east-1';
  const forcePathStyle = options.forcePathStyle ?? (endpoint !== undefined && !isOfAws(endpoint));
  const client = await make({
    endpoint,
    region,
    forcePathStyle,
    bucket: options.bucket === undefined ? undefined : toAddress(options.bucket).bucket,
    fixedKeys: identity.isFixed ? identity.keys : undefined,
    config: {
      region,
      credentials: identity.keys,
      // What the environment says about AWS must not move keys that came from elsewhere to another host.
      ignoreConfiguredEndpointUrls: true,
      ...(endpoint !== undefined && { endpoint }),
      forcePathStyle,
      // Several services refuse the checksums that the SDK adds by itself.
      ...(endpoint === undefined || isOfAws(endpoint)
        ? {}
        : { requestChecksumCalculation: 'WHEN_REQUIRED', responseChecksumValidation: 'WHEN_REQUIRED' }),
      requestHandler: {
        connectionTimeout: Math.min(timeoutMs, 10_000),
        requestTimeout: timeoutMs,
        socketTimeout: timeoutMs,
        throwOnRequestTimeout: true,
      },
    },
  });
  // When nobody set it, a service that has shown itself to be one may be slower over a large file.
  if (options.timeoutSeconds !== undefined) setClientTimeout(client, timeoutMs);
  try {
    await checkConnection(client, { bucket: options.bucket, source: identity.source, timeoutMs, onAsked });
  } catch (error) {
    client.destroy();
    throw error;
  }
  return client;
}

/** Whether an address is one of AWS's own. */
function isOfAws(endpoint: string): boolean {
  return /(^|\.)amazonaws\.com(\.cn)?$/i.test(new URL(endpoint).hostname);
}
