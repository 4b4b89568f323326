import { createHash, createHmac } from 'node:crypto';
import { SignatureV4 } from '@smithy/signature-v4';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createRequestSigner, hashPayload, type SigningInput } from './request-signer.js';
import { encodeKey, encodeQuery } from './uri.js';

/** The hash that the other signer wants to be given. */
class NodeSha256 {
  readonly #hash;
  constructor(secret?: string | ArrayBuffer | ArrayBufferView) {
    this.#hash =
      secret === undefined
        ? createHash('sha256')
        : createHmac('sha256', typeof secret === 'string' ? secret : Buffer.from(secret as Uint8Array));
  }
  update(data: string | Uint8Array): void {
    this.#hash.update(data);
  }
  async digest(): Promise<Uint8Array> {
    return this.#hash.digest();
  }
  reset(): void {}
}

async function referenceSignature(input: SigningInput, query: Readonly<Record<string, string>>): Promise<string> {
  const signer = new SignatureV4({
    credentials: { ...input.credentials },
    region: input.region,
    service: 's3',
    sha256: NodeSha256,
    uriEscapePath: false,
    applyChecksum: true,
  });
  const signed = await signer.sign(
    {
      method: input.method,
      protocol: 'https:',
      hostname: input.host,
      path: input.path,
      query: { ...query },
      headers: { ...input.headers, host: input.host, 'x-amz-content-sha256': input.payloadHash },
    },
    { signingDate: new Date(input.atMs) },
  );
  return signed.headers['authorization'] ?? '';
}

const credentials = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY' };

const HOSTILE = [
  'plain',
  'a b',
  'a+b',
  'a%20b',
  'a%2Fb',
  '%',
  '%%',
  'a//b',
  '/lead',
  '//',
  'a/../b',
  '..',
  './x',
  'x/.',
  "it's(!)*",
  'q?x=1&y#z',
  'ü',
  '日本語',
  '\u{1F600}',
  'cafe\u0301',
  'a\tb',
  'line\nbreak',
  'nul\0',
  '~-._',
  'a=b;c:d@e,f$g',
  '[brackets]{braces}|pipe\\^`"<>',
  ' lead and trail ',
  'a'.repeat(1024),
];

describe('createRequestSigner', () => {
  const sign = createRequestSigner();

  const expectSame = async (
    key: string,
    query: Readonly<Record<string, string>>,
    headers: Readonly<Record<string, string>>,
    token?: string,
  ): Promise<void> => {
    const input: SigningInput = {
      method: 'PUT',
      host: 'bucket.s3.eu-west-1.amazonaws.com',
      path: `/${encodeKey(key)}`,
      query: encodeQuery(query),
      headers,
      payloadHash: hashPayload(Buffer.from('body')),
      atMs: Date.UTC(2026, 1, 3, 4, 5, 6, 789),
      region: 'eu-west-1',
      credentials: token === undefined ? credentials : { ...credentials, sessionToken: token },
    };
    expect(sign(input)['authorization']).toBe(await referenceSignature(input, query));
  };

  it('signs hostile keys as @smithy/signature-v4 does', async () => {
    for (const key of HOSTILE) await expectSame(key, {}, {});
  });

  it('signs hostile queries as @smithy/signature-v4 does', async () => {
    for (const value of HOSTILE)
      await expectSame('k', { prefix: value, 'list-type': '2', uploads: '', 'X-upper': 'b', x: 'a' }, {});
  });

  it('signs headers with odd spaces, and a session token', async () => {
    await expectSame(
      'k',
      {},
      { 'x-amz-meta-mtime': '  12   34 ', 'if-none-match': '*', 'content-md5': 'a==' },
      'token/with+chars=',
    );
  });

  it('signs any key, query and header as @smithy/signature-v4 does', async () => {
    const text = fc.string({ unit: 'grapheme', maxLength: 40 });
    const ascii = fc.string({ unit: fc.constantFrom(...'abcXYZ019 -_./"*=:;'), maxLength: 20 });
    await fc.assert(
      fc.asyncProperty(
        text,
        fc.dictionary(
          text.filter((name) => name !== '' && name !== '__proto__'),
          text,
          { maxKeys: 4 },
        ),
        ascii,
        (key, query, value) => expectSame(key, { ...query }, { 'x-amz-meta-a': value }),
      ),
      { numRuns: 300 },
    );
  });

  it('takes new credentials, another region and another day into account', () => {
    const base: SigningInput = {
      method: 'GET',
      host: 'h',
      path: '/',
      query: '',
      headers: {},
      payloadHash: 'UNSIGNED-PAYLOAD',
      atMs: 0,
      region: 'r',
      credentials,
    };
    const signatures = [
      base,
      { ...base, credentials: { ...credentials, secretAccessKey: 'other' } },
      { ...base, region: 's' },
      { ...base, atMs: 86_400_000 },
      base,
    ].map((input) => /Signature=(.*)$/.exec(sign(input)['authorization'] ?? '')?.[1]);
    expect(new Set(signatures).size).toBe(4);
    expect(signatures[4]).toBe(signatures[0]);
  });
});

describe('encodeKey', () => {
  it('keeps slashes and dots as they are and encodes everything else once', () => {
    expect(encodeKey('/a//../b %2F+ü')).toBe('/a//../b%20%252F%2B%C3%BC');
    expect(encodeKey("'()*!~")).toBe('%27%28%29%2A%21~');
  });

  it('refuses half of a surrogate pair', () => {
    expect(() => encodeKey('a\uD800')).toThrow(expect.objectContaining({ code: 'ERR_KEY_NOT_UNICODE' }));
  });
});
