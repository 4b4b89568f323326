import { createHmac, hash } from 'node:crypto';
import { copyWith } from '../../core/copy-with.js';
import { rememberLast } from '../../core/remember-last.js';
import { createKeyedHash } from './keyed-hash.js';

/** Keys to sign with. */
export interface SigningCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string | undefined;
}

/** What is signed. */
export interface SigningInput {
  readonly method: string;
  readonly host: string;
  /** Encoded, exactly as it goes on the wire. */
  readonly path: string;
  /** Encoded and sorted, as `encodeQuery` gives it. */
  readonly query: string;
  /** Lower-case names. All of them are signed. */
  readonly headers: Readonly<Record<string, string>>;
  /** SHA-256 of the body in hex, or `UNSIGNED-PAYLOAD`. */
  readonly payloadHash: string;
  /** The time of the service, in milliseconds since 1970. */
  readonly atMs: number;
  readonly region: string;
  readonly credentials: SigningCredentials;
}

/** SHA-256 of nothing. */
const EMPTY_HASH = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';

/** The hash of a body for {@link SigningInput.payloadHash}. */
export function hashPayload(body: Uint8Array | undefined): string {
  return body === undefined || body.length === 0 ? EMPTY_HASH : hash('sha256', body);
}

/**
 * Makes a signer for S3 (AWS Signature Version 4, "Authenticating Requests: Using the Authorization Header").
 *
 * It keeps the derived key of the day, which `@smithy/signature-v4` derives through promises each time; a test holds
 * the two to the same signatures.
 *
 * @returns a function that answers the headers to send: those given, the date, the payload hash, the token and the signature.
 */
export function createRequestSigner(): (input: SigningInput) => Record<string, string> {
  let cached: SigningScope | undefined;
  // Many requests are signed within one second, and many of one kind, with the same headers, follow one another.
  const stampOfSecond = rememberLast((second: number) => stampOf(second * 1000));
  const orderOfNames = rememberLast(orderOf);
  return (input) => {
    const { credentials, region } = input;
    const stamp = stampOfSecond(Math.floor(input.atMs / 1000));
    const headers: Record<string, string> = copyWith(input.headers, {
      host: input.host,
      'x-amz-content-sha256': input.payloadHash,
      'x-amz-date': stamp,
    });
    if (credentials.sessionToken !== undefined) headers['x-amz-security-token'] = credentials.sessionToken;

    // No name holds a comma.
    const { names, signedHeaders } = orderOfNames(Object.keys(headers).join());
    let canonical = `${input.method}\n${input.path}\n${input.query}\n`;
    for (const name of names) canonical += `${name}:${inOneLine(headers[name] ?? '')}\n`;
    canonical += `\n${signedHeaders}\n${input.payloadHash}`;

    const day = stamp.slice(0, 8);
    if (cached === undefined || !isOf(cached, day, region, credentials)) cached = scopeOf(day, region, credentials);
    const toSign = `AWS4-HMAC-SHA256\n${stamp}\n${cached.name}\n${hash('sha256', canonical)}`;
    const signature = cached.sign(toSign);
    headers['authorization'] =
      `AWS4-HMAC-SHA256 Credential=${credentials.accessKeyId}/${cached.name}, SignedHeaders=${signedHeaders}, Signature=${signature}`;
    return headers;
  };
}

/** What is signed for, and with which derived key. */
interface SigningScope {
  readonly day: string;
  readonly region: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly name: string;
  readonly sign: (text: string) => string;
}

function scopeOf(day: string, region: string, { accessKeyId, secretAccessKey }: SigningCredentials): SigningScope {
  const sign = createKeyedHash(deriveKey(secretAccessKey, day, region));
  return { day, region, accessKeyId, secretAccessKey, name: `${day}/${region}/s3/aws4_request`, sign };
}

function isOf(scope: SigningScope, day: string, region: string, credentials: SigningCredentials): boolean {
  return (
    scope.day === day &&
    scope.region === region &&
    scope.accessKeyId === credentials.accessKeyId &&
    scope.secretAccessKey === credentials.secretAccessKey
  );
}

/** The names of headers as they are signed. */
interface HeaderOrder {
  readonly names: readonly string[];
  readonly signedHeaders: string;
}

function orderOf(given: string): HeaderOrder {
  const names = given.split(',').sort();
  return { names, signedHeaders: names.join(';') };
}

/** `20260102T030405Z`. */
function stampOf(atMs: number): string {
  const text = new Date(atMs).toISOString();
  return `${text.slice(0, 4)}${text.slice(5, 7)}${text.slice(8, 13)}${text.slice(14, 16)}${text.slice(17, 19)}Z`;
}

/** A value as it is signed: without spaces around it, and with single ones in it. */
function inOneLine(value: string): string {
  return SPACED.test(value) ? value.trim().replaceAll(/\s+/g, ' ') : value;
}

const SPACED = /^\s|\s$|\s\s|[^\S ]/;

function deriveKey(secret: string, day: string, region: string): Buffer {
  return [day, region, 's3', 'aws4_request'].reduce<Buffer>(
    (key, part) => createHmac('sha256', key).update(part).digest(),
    Buffer.from(`AWS4${secret}`),
  );
}
