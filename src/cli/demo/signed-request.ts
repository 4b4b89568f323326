import { createHash, createHmac } from 'node:crypto';

/** What a signature is made of. */
export interface SigningInput {
  readonly method: string;
  readonly url: URL;
  readonly body: Uint8Array;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly region: string;
  readonly timeMs: number;
}

/** The headers that sign a request for S3. Source: AWS, "Signature Version 4 signing process". */
export function signedHeaders(input: SigningInput): Record<string, string> {
  const stamp = new Date(input.timeMs).toISOString().replaceAll(/[-:]|\.\d+/g, '');
  const scope = `${stamp.slice(0, 8)}/${input.region}/s3/aws4_request`;
  const headers: Record<string, string> = {
    host: input.url.host,
    'x-amz-content-sha256': sha256(input.body),
    'x-amz-date': stamp,
  };
  const names = Object.keys(headers).join(';');
  const canonical = [
    input.method,
    input.url.pathname,
    [...input.url.searchParams]
      .map(([name, value]) => `${encode(name)}=${encode(value)}`)
      .sort()
      .join('&'),
    ...Object.entries(headers).map(([name, value]) => `${name}:${value}`),
    '',
    names,
    headers['x-amz-content-sha256'],
  ].join('\n');
  const toSign = ['AWS4-HMAC-SHA256', stamp, scope, sha256(canonical)].join('\n');
  const key = [stamp.slice(0, 8), input.region, 's3', 'aws4_request'].reduce<string | Buffer>(
    (secret, part) => createHmac('sha256', secret).update(part).digest(),
    `AWS4${input.secretAccessKey}`,
  );
  const signature = createHmac('sha256', key).update(toSign).digest('hex');
  headers['authorization'] =
    `AWS4-HMAC-SHA256 Credential=${input.accessKeyId}/${scope}, SignedHeaders=${names}, Signature=${signature}`;
  return headers;
}

/** Encodes a text as the signature wants it: all but letters, digits, `-`, `.`, `_` and `~`. */
export function encode(text: string): string {
  return encodeURIComponent(text).replaceAll(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);
}

function sha256(content: string | Uint8Array): string {
  return createHash('sha256').update(content).digest('hex');
}
