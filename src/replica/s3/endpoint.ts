import { S3ConnectionError } from '../../errors.js';
import type { ConfiguredClient, EndpointAnswer } from './client-config.js';

/** Where the requests of one bucket go. */
export interface BucketEndpoint {
  /** Scheme, host and port, without a path. */
  readonly origin: string;
  /** Value of the `host` header. */
  readonly host: string;
  readonly secure: boolean;
  /** Path of the bucket, without a slash at the end: `''` when its name is part of the host. */
  readonly basePath: string;
  /** Region to sign for. */
  readonly region: string;
}

/**
 * With an empty `bucket`, the service itself, for requests that are about no bucket.
 *
 * Asks the SDK client's own configuration where a bucket is: endpoint or AWS default, region, dual stack, path style or host style.
 *
 * @throws S3ConnectionError `ERR_S3_REGION_MISSING`, or `ERR_S3_ENDPOINT` when there is no address for such a bucket.
 */
export async function resolveBucketEndpoint(client: ConfiguredClient, bucket: string): Promise<BucketEndpoint> {
  const { config } = client;
  const region = await config.region().catch((cause: unknown) => {
    throw new S3ConnectionError(
      'ERR_S3_REGION_MISSING',
      'No region is configured for the S3 client. Give `region` (for other stores than AWS any name does, such as us-east-1).',
      { cause },
    );
  });
  const custom = config.endpoint === undefined ? undefined : await config.endpoint();
  const asked = {
    ...(bucket !== '' && { Bucket: bucket }),
    Region: region,
    UseDualStack: await config.useDualstackEndpoint(),
    UseFIPS: await config.useFipsEndpoint(),
    ForcePathStyle: config.forcePathStyle,
    Accelerate: config.useAccelerateEndpoint,
    ...(custom !== undefined && {
      Endpoint: `${custom.protocol}//${custom.hostname}${custom.port === undefined ? '' : `:${custom.port}`}${custom.path}`,
    }),
  };
  let found: EndpointAnswer;
  try {
    found = config.endpointProvider(asked);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : 'unknown reason';
    throw new S3ConnectionError(
      'ERR_S3_ENDPOINT',
      `There is no address for the bucket "${bucket}": ${reason}. Check its name, the region and the endpoint.`,
      {
        cause,
      },
    );
  }
  const scheme = found.properties?.['authSchemes'];
  const first: unknown = Array.isArray(scheme) ? scheme[0] : undefined;
  const name = field(first, 'name') ?? 'sigv4';
  if (name !== 'sigv4') {
    throw new S3ConnectionError(
      'ERR_S3_ENDPOINT',
      `The bucket "${bucket}" wants the signature ${name}, expected sigv4. Directory buckets and multi-region access points list or sign differently and are not supported; use a general purpose bucket.`,
    );
  }
  return {
    origin: found.url.origin,
    host: found.url.host,
    secure: found.url.protocol === 'https:',
    basePath: found.url.pathname.replace(/\/+$/, ''),
    region: field(first, 'signingRegion') ?? region,
  };
}

function field(value: unknown, name: string): string | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const found: unknown = (value as Readonly<Record<string, unknown>>)[name];
  return typeof found === 'string' ? found : undefined;
}
