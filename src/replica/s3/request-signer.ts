import { createHash, createHmac } from 'node:crypto';

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
  return body === undefined || body.length === 0 ? EMPTY_HASH : createHash('sha256').update(body).digest('hex');
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
  let cached: { readonly id: string; readonly key: Buffer } | undefined;
  return (input) => {
    const { credentials } = input;
    const stamp = new Date(input.atMs).toISOString().replaceAll(/[:-]|\.\d{3}/g, '');
    const day = stamp.slice(0, 8);
    const headers: Record<string, string> = {
      ...input.headers,
      host: input.host,
      'x-amz-content-sha256': input.payloadHash,
      'x-amz-date': stamp,
    };
    if (credentials.sessionToken !== undefined) headers['x-amz-security-token'] = credentials.sessionToken;

    const names = Object.keys(headers).toSorted();
    const signedHeaders = names.join(';');
    const canonical = [
      input.method,
      input.path,
      input.query,
      ...names.map((name) => `${name}:${(headers[name] ?? '').trim().replaceAll(/\s+/g, ' ')}`),
      '',
      signedHeaders,
      input.payloadHash,
    ].join('\n');
    const scope = `${day}/${input.region}/s3/aws4_request`;
    const toSign = `AWS4-HMAC-SHA256\n${stamp}\n${scope}\n${hashPayload(Buffer.from(canonical))}`;

    const id = `${day}\n${input.region}\n${credentials.accessKeyId}\n${credentials.secretAccessKey}`;
    if (cached?.id !== id) cached = { id, key: deriveKey(credentials.secretAccessKey, day, input.region) };
    const signature = createHmac('sha256', cached.key).update(toSign).digest('hex');
    headers['authorization'] =
      `AWS4-HMAC-SHA256 Credential=${credentials.accessKeyId}/${scope}, SignedHeaders=${signedHeaders}, Signature=${signature}`;
    return headers;
  };
}

function deriveKey(secret: string, day: string, region: string): Buffer {
  return [day, region, 's3', 'aws4_request'].reduce<Buffer>(
    (key, part) => createHmac('sha256', key).update(part).digest(),
    Buffer.from(`AWS4${secret}`),
  );
}
