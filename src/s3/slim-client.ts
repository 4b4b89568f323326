import type { ClientConfig, ConfiguredClient, EndpointAnswer, EndpointQuestion } from '../replica/s3/client-config.js';
import type { SigningCredentials } from '../replica/s3/request-signer.js';

/** A client as far as folders and buckets need one: {@link createSlimClient}'s, or the AWS SDK's. */
export interface ServiceClient extends ConfiguredClient {
  /** Ends its connections, where it has any. */
  destroy(): void;
}

/** What is known of the service when the command connects. */
export interface SlimClientPlan {
  readonly endpoint: string | undefined;
  readonly region: string;
  readonly forcePathStyle: boolean;
  readonly bucket: string | undefined;
  /** `undefined` for keys that may end, which the SDK renews. */
  readonly fixedKeys: (() => Promise<SigningCredentials>) | undefined;
}

/** Lower case letters, digits, dots and hyphens: what stands for itself in an address. */
const PLAIN_BUCKET = /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/;

/**
 * Makes a client without the AWS SDK, whose loading takes longer than all else before the first request.
 *
 * Only where its configuration is no question: fixed keys, and a bucket with a plain name in the path of an address that was
 * given. There it answers what the SDK would; a test holds the two to the same addresses.
 *
 * @returns `undefined` for every other case: the SDK knows.
 */
export function createSlimClient(
  plan: SlimClientPlan,
  env: Readonly<Record<string, string | undefined>>,
): ServiceClient | undefined {
  const { endpoint, region, forcePathStyle, bucket, fixedKeys } = plan;
  if (endpoint === undefined || fixedKeys === undefined || !forcePathStyle) return undefined;
  if (bucket === undefined || !PLAIN_BUCKET.test(bucket)) return undefined;
  // The SDK has its own mind about these together with an address, and tells it.
  if (env['AWS_USE_FIPS_ENDPOINT'] !== undefined || env['AWS_USE_DUALSTACK_ENDPOINT'] !== undefined) return undefined;
  const { protocol, hostname, port, pathname, search, username } = new URL(endpoint);
  if (search !== '' || username !== '') return undefined;
  const config: ClientConfig = {
    region: () => Promise.resolve(region),
    endpoint: () => Promise.resolve({ protocol, hostname, ...(port !== '' && { port: Number(port) }), path: pathname }),
    useDualstackEndpoint: () => Promise.resolve(false),
    useFipsEndpoint: () => Promise.resolve(false),
    forcePathStyle,
    endpointProvider: pathStyleAddress,
    credentials: fixedKeys,
  };
  return { config, destroy: () => undefined };
}

function pathStyleAddress({ Bucket = '', Region, Endpoint = '' }: EndpointQuestion): EndpointAnswer {
  return {
    url: new URL(`${Endpoint.replace(/\/+$/, '')}/${Bucket}`),
    properties: { authSchemes: [{ name: 'sigv4', signingRegion: Region }] },
  };
}
