import { createHash } from 'node:crypto';

/** The two places that are kept the same, as the state knows them. */
export interface PairIdentity {
  /** Address of the service, or an agreed name for the default one. */
  readonly endpoint: string;
  readonly bucket: string;
  /** Empty, or the beginning of every key. */
  readonly prefix: string;
  /** Real path of the folder, links resolved. */
  readonly folder: string;
}

/** Makes one identity of the ways to write it: no user, password, query or final slash in the endpoint, case of the host ignored. */
export function normalizeIdentity(identity: PairIdentity): PairIdentity {
  const { bucket, prefix, folder } = identity;
  return { endpoint: normalizeEndpoint(identity.endpoint), bucket, prefix, folder };
}

/** The stable id of a pair: 32 hexadecimal digits. Two different pairs never share one. */
export function pairIdOf(identity: PairIdentity): string {
  const { endpoint, bucket, prefix, folder } = normalizeIdentity(identity);
  // A JSON array cannot be read in two ways, whatever the parts hold.
  return createHash('sha256')
    .update(JSON.stringify([endpoint, bucket, prefix, folder]))
    .digest('hex')
    .slice(0, 32);
}

/** Reads an identity from a value that was stored; `undefined` when it is not one. */
export function parseIdentity(value: unknown): PairIdentity | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const { endpoint, bucket, prefix, folder } = value as Record<string, unknown>;
  if (typeof endpoint !== 'string' || typeof bucket !== 'string') return undefined;
  if (typeof prefix !== 'string' || typeof folder !== 'string') return undefined;
  return { endpoint, bucket, prefix, folder };
}

/** Names a pair for people. */
export function describePair(identity: PairIdentity): string {
  return `${identity.folder} with s3://${identity.bucket}/${identity.prefix} at ${identity.endpoint}`;
}

function normalizeEndpoint(endpoint: string): string {
  if (!URL.canParse(endpoint)) return endpoint;
  const url = new URL(endpoint);
  // Whatever is secret in an address stands in the parts that are left out here.
  if (url.host === '') return `${url.protocol}${url.pathname}`;
  return `${url.protocol}//${url.host}${url.pathname}`.replace(/\/+$/, '');
}
