import { createHmac, hash, timingSafeEqual } from 'node:crypto';
import { ServiceError } from './service-error.js';

/** A pair of keys the server knows. */
export interface ServerCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

/** What of an HTTP request is signed. */
export interface SignedRequest {
  readonly method: string;
  /** Decoded path, with its leading `/`. */
  readonly path: string;
  /** Decoded names and values, in the order they came. */
  readonly query: readonly (readonly [string, string])[];
  /** Lower-case names; repeated headers joined with `,`. */
  readonly headers: Readonly<Record<string, string>>;
}

/** A request whose signature is right, and what is needed to check its body. */
export interface Authenticated {
  /** `x-amz-content-sha256`, or what stands for it. */
  readonly payload: string;
  /** Whether it came as a presigned URL. */
  readonly presigned: boolean;
  /** Signs one chunk of a body, or its trailer, in the chain that begins with the request's own signature. */
  readonly signChunk: (
    kind: 'AWS4-HMAC-SHA256-PAYLOAD' | 'AWS4-HMAC-SHA256-TRAILER',
    previous: string,
    digests: string,
  ) => string;
  readonly signature: string;
}

/** 15 minutes, as AWS allows. */
const MOST_SKEW_MS = 15 * 60_000;
const ALGORITHM = 'AWS4-HMAC-SHA256';
const EMPTY_SHA256 = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';

/** Checks Signature Version 4, in headers or in the URL. Throws what AWS answers when it is not right. */
export function authenticate(
  request: SignedRequest,
  credentials: readonly ServerCredentials[],
  nowMs: number,
): Authenticated {
  const { headers } = request;
  const query = new Map(request.query);
  const claim =
    headers['authorization'] === undefined
      ? claimOfUrl(query, nowMs)
      : claimOfHeader(headers['authorization'], headers, nowMs);
  const known = credentials.find((each) => each.accessKeyId === claim.accessKeyId);
  if (known === undefined)
    throw new ServiceError('InvalidAccessKeyId', { fields: { AWSAccessKeyId: claim.accessKeyId } });
  const signed = claim.signedHeaders.split(';');
  if (!signed.includes('host'))
    throw new ServiceError('AccessDenied', {
      message: 'There were headers present in the request which were not signed: host',
    });
  for (const name in headers)
    if (name.startsWith('x-amz-') && !signed.includes(name))
      throw new ServiceError('AccessDenied', {
        message: 'There were headers present in the request which were not signed',
        fields: { HeadersNotSigned: name },
      });
  const canonical = [
    request.method,
    encodePath(request.path),
    canonicalQuery(request.query),
    ...signed.map((name) => `${name}:${(headers[name] ?? '').trim().replace(/ +/g, ' ')}`),
    '',
    claim.signedHeaders,
    claim.payload,
  ].join('\n');
  const key = signingKey(known.secretAccessKey, claim.scope);
  const sign = (text: string): string => createHmac('sha256', key).update(text).digest('hex');
  const toSign = (encoding: 'utf8' | 'latin1'): string =>
    `${ALGORITHM}\n${claim.date}\n${claim.scope}\n${hash('sha256', Buffer.from(canonical, encoding), 'hex')}`;
  // Header values arrive as Latin-1: some clients signed those characters, others the bytes they stand for.
  const isRight =
    isEqual(sign(toSign('utf8')), claim.signature) ||
    (/[\u0080-\u00ff]/.test(canonical) && isEqual(sign(toSign('latin1')), claim.signature));
  if (!isRight)
    throw new ServiceError('SignatureDoesNotMatch', {
      fields: { AWSAccessKeyId: claim.accessKeyId, SignatureProvided: claim.signature, CanonicalRequest: canonical },
    });
  return {
    payload: claim.payload,
    presigned: claim.presigned,
    signature: claim.signature,
    signChunk: (kind, previous, digests) => sign(`${kind}\n${claim.date}\n${claim.scope}\n${previous}\n${digests}`),
  };
}

/** The SHA-256 of nothing, which stands in the string to sign of every chunk. */
export const SHA256_OF_NOTHING: string = EMPTY_SHA256;

/** Compares two signatures in a time that does not tell where they differ. */
export function isEqual(a: string, b: string): boolean {
  const x = Buffer.from(a);
  const y = Buffer.from(b);
  return x.length === y.length && timingSafeEqual(x, y);
}

interface Claim {
  readonly accessKeyId: string;
  readonly scope: string;
  readonly date: string;
  readonly signedHeaders: string;
  readonly signature: string;
  readonly payload: string;
  readonly presigned: boolean;
}

function claimOfHeader(authorization: string, headers: Readonly<Record<string, string>>, nowMs: number): Claim {
  if (!authorization.startsWith(`${ALGORITHM} `))
    throw new ServiceError('InvalidRequest', {
      message: 'The authorization mechanism you have provided is not supported. Please use AWS4-HMAC-SHA256.',
    });
  const field = (name: string): string => new RegExp(`(?:^|[ ,])${name}=([^, ]+)`).exec(authorization)?.[1] ?? '';
  const date = headers['x-amz-date'] ?? compactDate(headers['date']);
  const payload = headers['x-amz-content-sha256'];
  if (payload === undefined)
    throw new ServiceError('InvalidRequest', {
      message: 'Missing required header for this request: x-amz-content-sha256',
    });
  const claim = {
    ...scopeOf(field('Credential'), date),
    date,
    signedHeaders: field('SignedHeaders'),
    signature: field('Signature'),
    payload,
    presigned: false,
  };
  const skew = parseDate(date) - nowMs;
  if (!(Math.abs(skew) <= MOST_SKEW_MS))
    throw new ServiceError('RequestTimeTooSkewed', {
      fields: {
        RequestTime: date,
        ServerTime: new Date(nowMs).toISOString(),
        MaxAllowedSkewMilliseconds: String(MOST_SKEW_MS),
      },
    });
  return claim;
}

function claimOfUrl(query: ReadonlyMap<string, string>, nowMs: number): Claim {
  if (query.get('X-Amz-Algorithm') === undefined) throw new ServiceError('AccessDenied');
  const date = query.get('X-Amz-Date') ?? '';
  const expires = Number(query.get('X-Amz-Expires') ?? NaN);
  if (query.get('X-Amz-Algorithm') !== ALGORITHM || !(expires >= 1 && expires <= 604_800))
    throw new ServiceError('AuthorizationQueryParametersError');
  const begins = parseDate(date);
  if (!(begins - nowMs <= MOST_SKEW_MS))
    throw new ServiceError('AccessDenied', { message: 'Request is not yet valid' });
  if (nowMs > begins + expires * 1000)
    throw new ServiceError('AccessDenied', {
      message: 'Request has expired',
      fields: { Expires: new Date(begins + expires * 1000).toISOString() },
    });
  return {
    ...scopeOf(query.get('X-Amz-Credential') ?? '', date),
    date,
    signedHeaders: query.get('X-Amz-SignedHeaders') ?? '',
    signature: query.get('X-Amz-Signature') ?? '',
    payload: query.get('X-Amz-Content-Sha256') ?? 'UNSIGNED-PAYLOAD',
    presigned: true,
  };
}

function scopeOf(credential: string, date: string): { readonly accessKeyId: string; readonly scope: string } {
  const match = /^(.+)\/((\d{8})\/[^/]+\/s3\/aws4_request)$/.exec(credential);
  if (match === null || match[3] !== date.slice(0, 8)) throw new ServiceError('AuthorizationHeaderMalformed');
  return { accessKeyId: match[1] ?? '', scope: match[2] ?? '' };
}

function parseDate(compact: string): number {
  const match = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(compact);
  return match === null ? NaN : Date.parse(`${match[1]}-${match[2]}-${match[3]}T${match[4]}:${match[5]}:${match[6]}Z`);
}

function compactDate(http: string | undefined): string {
  const ms = http === undefined ? NaN : Date.parse(http);
  return Number.isNaN(ms) ? '' : new Date(ms).toISOString().replace(/[-:]|\.\d+/g, '');
}

const keys = new Map<string, Buffer>();

/** Derives the key of a scope; kept, because a client uses one for a whole day. */
function signingKey(secret: string, scope: string): Buffer {
  const name = `${hash('sha256', secret)}/${scope}`;
  const known = keys.get(name);
  if (known !== undefined) return known;
  let key: Buffer = Buffer.from(`AWS4${secret}`);
  for (const part of scope.split('/')) key = createHmac('sha256', key).update(part).digest();
  if (keys.size > 100) keys.clear();
  keys.set(name, key);
  return key;
}

function canonicalQuery(query: SignedRequest['query']): string {
  return query
    .filter(([name]) => name !== 'X-Amz-Signature')
    .map(([name, value]) => `${encode(name)}=${encode(value)}`)
    .sort((a, b) => (a < b ? -1 : a > b ? 1 : 0))
    .join('&');
}

function encode(text: string): string {
  return encodeURIComponent(text).replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`);
}

function encodePath(path: string): string {
  return path.split('/').map(encode).join('/');
}
