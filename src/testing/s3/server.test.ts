import { createHash, createHmac } from 'node:crypto';
import { request as httpRequest, type IncomingHttpHeaders } from 'node:http';
import { connect } from 'node:net';
import { once } from 'node:events';
import { GetObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type S3Server, startS3Server } from './server.js';

const credentials = { accessKeyId: 'TESTKEY', secretAccessKey: 'a-secret-of-the-tests' };
const lines: string[] = [];
let server: S3Server;

beforeAll(async () => {
  server = await startS3Server({ credentials, log: (line) => lines.push(line) });
  server.core.createBucket('bkt');
});
afterAll(() => server.close());

const sha256 = (data: string | Uint8Array): string => createHash('sha256').update(data).digest('hex');
const hmac = (key: string | Buffer, data: string): Buffer => createHmac('sha256', key).update(data).digest();

interface Raw {
  readonly path: string;
  readonly method?: string;
  readonly payload?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly host?: string;
}

/** Signs a request by hand: the tests must not trust the code under test. */
function sign(raw: Raw): {
  readonly headers: Record<string, string>;
  readonly signature: string;
  readonly chain: (text: string) => string;
  readonly head: string;
} {
  const date = new Date().toISOString().replace(/[-:]|\.\d+/g, '');
  const scope = `${date.slice(0, 8)}/us-east-1/s3/aws4_request`;
  const headers: Record<string, string> = {
    host: raw.host ?? `127.0.0.1:${server.port}`,
    'x-amz-date': date,
    'x-amz-content-sha256': raw.payload ?? sha256(''),
    ...raw.headers,
  };
  const names = Object.keys(headers).sort();
  const canonical = [
    raw.method ?? 'GET',
    raw.path,
    '',
    ...names.map((name) => `${name}:${headers[name]}`),
    '',
    names.join(';'),
    raw.payload ?? sha256(''),
  ].join('\n');
  const key = scope
    .split('/')
    .reduce<string | Buffer>((previous, part) => hmac(previous, part), `AWS4${credentials.secretAccessKey}`);
  const chain = (text: string): string => hmac(key, text).toString('hex');
  const signature = chain(`AWS4-HMAC-SHA256\n${date}\n${scope}\n${sha256(canonical)}`);
  headers['authorization'] =
    `AWS4-HMAC-SHA256 Credential=${credentials.accessKeyId}/${scope}, SignedHeaders=${names.join(';')}, Signature=${signature}`;
  return { headers, signature, chain, head: `${date}\n${scope}` };
}

function exchange(
  raw: Raw,
  headers: Record<string, string>,
  body?: string,
): Promise<{ status: number; text: string; headers: IncomingHttpHeaders }> {
  return new Promise((resolve, reject) => {
    const message = httpRequest(
      { host: '127.0.0.1', port: server.port, method: raw.method ?? 'GET', path: raw.path, headers },
      (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
        response.on('end', () => resolve({ status: response.statusCode ?? 0, text, headers: response.headers }));
      },
    );
    message.on('error', reject);
    message.end(body);
  });
}

/** An upload in signed chunks with a signed trailer, as `tamper` left it. */
function signedChunks(
  path: string,
  parts: readonly string[],
  tamper: (wire: string) => string,
  hasTrailer = true,
): { readonly raw: Raw; readonly headers: Record<string, string>; readonly wire: string } {
  const whole = parts.join('');
  const raw: Raw = {
    path,
    method: 'PUT',
    payload: `STREAMING-AWS4-HMAC-SHA256-PAYLOAD${hasTrailer ? '-TRAILER' : ''}`,
    headers: {
      'content-encoding': 'aws-chunked',
      'x-amz-decoded-content-length': String(whole.length),
      ...(hasTrailer ? { 'x-amz-trailer': 'x-amz-checksum-sha256' } : {}),
    },
  };
  const { headers, signature, chain, head } = sign(raw);
  let previous = signature;
  let wire = '';
  for (const part of [...parts, '']) {
    previous = chain(`AWS4-HMAC-SHA256-PAYLOAD\n${head}\n${previous}\n${sha256('')}\n${sha256(part)}`);
    wire += `${part.length.toString(16)};chunk-signature=${previous}\r\n${part === '' ? '' : `${part}\r\n`}`;
  }
  const trailer = `x-amz-checksum-sha256:${createHash('sha256').update(whole).digest('base64')}`;
  if (!hasTrailer) wire += '\r\n';
  else
    wire += `${trailer}\r\nx-amz-trailer-signature:${chain(`AWS4-HMAC-SHA256-TRAILER\n${head}\n${previous}\n${sha256(`${trailer}\n`)}`)}\r\n\r\n`;
  wire = tamper(wire);
  return { raw, headers: { ...headers, 'content-length': String(Buffer.byteLength(wire)) }, wire };
}

const stored = async (key: string): Promise<string | undefined> => {
  const found = await server.core.peek('bkt', key);
  return found === undefined ? undefined : Buffer.from(found.bytes).toString();
};

describe('startS3Server', () => {
  it('takes signed chunks with a signed trailer, and keeps the checksum', async () => {
    const { raw, headers, wire } = signedChunks('/bkt/chunks', ['hello ', 'chunked ', 'world'], (same) => same);
    expect((await exchange(raw, headers, wire)).status).toBe(200);
    expect(await stored('chunks')).toBe('hello chunked world');
    expect((await server.core.peek('bkt', 'chunks'))?.checksum).toMatchObject({
      algorithm: 'SHA256',
      type: 'FULL_OBJECT',
    });
    expect((await server.core.peek('bkt', 'chunks'))?.headers['content-encoding']).toBeUndefined();
  });

  it.each([
    ['a changed byte', (wire: string) => wire.replace('world', 'w0rld'), 403, 'SignatureDoesNotMatch'],
    [
      'chunks in another order',
      (wire: string) => wire.replace(/^(6;.*?\r\n.*?\r\n)(8;.*?\r\n.*?\r\n)/s, '$2$1'),
      403,
      'SignatureDoesNotMatch',
    ],
    ['a chunk left out', (wire: string) => wire.replace(/8;.*?\r\n.*?\r\n/s, ''), 403, 'SignatureDoesNotMatch'],
    ['a changed trailer', (wire: string) => wire.replace(/(sha256:)./, '$1_'), 403, 'SignatureDoesNotMatch'],
    ['nonsense', () => 'zz\r\n', 400, 'InvalidRequest'],
    ['an end that is missing', (wire: string) => wire.slice(0, wire.indexOf('world') + 2), 400, 'IncompleteBody'],
  ] as const)('refuses %s in signed chunks, and stores nothing', async (_, tamper, status, code) => {
    const { raw, headers, wire } = signedChunks('/bkt/tampered', ['hello ', 'chunked ', 'world'], tamper);
    const answer = await exchange(raw, headers, wire);
    expect([answer.status, answer.text]).toEqual([status, expect.stringContaining(`<Code>${code}</Code>`)]);
    expect(await stored('tampered')).toBeUndefined();
  });

  it('refuses a changed byte in signed chunks without a trailer, and takes them unchanged', async () => {
    const good = signedChunks('/bkt/plain-chunks', ['hello ', 'world'], (same) => same, false);
    expect((await exchange(good.raw, good.headers, good.wire)).status).toBe(200);
    expect(await stored('plain-chunks')).toBe('hello world');
    const bad = signedChunks('/bkt/tampered', ['hello ', 'world'], (wire) => wire.replace('world', 'w0rld'), false);
    expect((await exchange(bad.raw, bad.headers, bad.wire)).status).toBe(403);
    expect(await stored('tampered')).toBeUndefined();
  });

  it('gives the go-ahead to a signed client that waits for it', async () => {
    const raw: Raw = { path: '/bkt/waited', method: 'PUT', payload: sha256('body') };
    const socket = connect(server.port, '127.0.0.1');
    const head = Object.entries(sign(raw).headers).map(([name, value]) => `${name}: ${value}\r\n`);
    socket.write(`PUT /bkt/waited HTTP/1.1\r\n${head.join('')}expect: 100-continue\r\ncontent-length: 4\r\n\r\n`);
    expect(String((await once(socket, 'data'))[0])).toMatch(/^HTTP\/1\.1 100 /);
    socket.write('body');
    expect(String((await once(socket, 'data'))[0])).toMatch(/^HTTP\/1\.1 200 /);
    expect(await stored('waited')).toBe('body');
    socket.destroy();
  });

  it('serves a bucket under its own host name', async () => {
    await server.core.put('bkt', 'dir/virtual', 'by host');
    const raw = { path: '/dir/virtual', host: `bkt.localhost:${server.port}` };
    expect((await exchange(raw, sign(raw).headers)).text).toBe('by host');
  });

  it('takes dots in a path for a key', async () => {
    await server.core.put('bkt', '../up', 'a key like any other');
    const raw = { path: '/bkt/../up' };
    expect((await exchange(raw, sign(raw).headers)).text).toBe('a key like any other');
  });

  it('refuses before the body is sent when the client waits for a go-ahead', async () => {
    const socket = connect(server.port, '127.0.0.1');
    socket.write(
      'PUT /bkt/wait HTTP/1.1\r\nHost: 127.0.0.1\r\nExpect: 100-continue\r\nContent-Length: 1000000\r\n\r\n',
    );
    const [first] = (await once(socket, 'data')) as [Buffer];
    expect(first.toString()).toMatch(/^HTTP\/1\.1 403 /);
    socket.destroy();
  });

  it('stores nothing of an upload whose sender goes away', async () => {
    const body = 'x'.repeat(1000);
    const raw: Raw = { path: '/bkt/gone', method: 'PUT', payload: sha256(body) };
    const { headers } = sign(raw);
    const message = httpRequest({
      host: '127.0.0.1',
      port: server.port,
      method: 'PUT',
      path: raw.path,
      headers: { ...headers, 'content-length': '1000' },
    });
    message.on('error', () => undefined);
    message.write(body.slice(0, 500));
    await once(message, 'socket');
    const before = lines.length;
    message.destroy();
    // Another request on a new connection is served after the broken one was noticed or not: in both cases nothing may be there.
    const list = { path: '/bkt/gone' };
    expect((await exchange(list, sign(list).headers)).status).toBe(404);
    expect(lines.slice(before).some((line) => line.includes('200 PUT'))).toBe(false);
  });

  it('refuses a body that is not the one that was signed', async () => {
    const raw: Raw = { path: '/bkt/other', method: 'PUT', payload: sha256('signed') };
    const answer = await exchange(raw, { ...sign(raw).headers, 'content-length': '5' }, 'other');
    expect([answer.status, answer.text]).toEqual([400, expect.stringContaining('XAmzContentSHA256Mismatch')]);
    expect(await stored('other')).toBeUndefined();
  });

  it('refuses a body that was signed with what is no digest', async () => {
    const raw: Raw = { path: '/bkt/nonsense', method: 'PUT', payload: 'nonsense' };
    const answer = await exchange(raw, { ...sign(raw).headers, 'content-length': '5' }, 'other');
    expect([answer.status, answer.text]).toEqual([400, expect.stringContaining('XAmzContentSHA256Mismatch')]);
    expect(await stored('nonsense')).toBeUndefined();
  });

  it('refuses an amz header that was not signed', async () => {
    const raw: Raw = { path: '/bkt/unsigned', method: 'PUT', payload: sha256('x') };
    const answer = await exchange(
      raw,
      { ...sign(raw).headers, 'content-length': '1', 'x-amz-meta-added': 'later' },
      'x',
    );
    expect([answer.status, await stored('unsigned')]).toEqual([403, undefined]);
  });

  it('works with the AWS SDK, streams and presigned metadata included, and says what it is', async () => {
    const client = new S3Client({ endpoint: server.endpoint, region: 'us-east-1', forcePathStyle: true, credentials });
    const big = Buffer.alloc(3 << 20, 'big ');
    await client.send(new PutObjectCommand({ Bucket: 'bkt', Key: 'sdk', Body: big }));
    const got = await client.send(new GetObjectCommand({ Bucket: 'bkt', Key: 'sdk', Range: 'bytes=1048570-1048585' }));
    expect(await got.Body?.transformToString()).toBe(big.subarray(1_048_570, 1_048_586).toString());
    const url = await getSignedUrl(
      client,
      new PutObjectCommand({ Bucket: 'bkt', Key: 'presigned', Metadata: { from: 'url' } }),
    );
    const answer = await fetch(url, { method: 'PUT', body: 'by url' });
    expect([answer.status, answer.headers.get('server'), answer.headers.get('x-amz-request-id')]).toEqual([
      200,
      expect.stringContaining('for trying out and for tests'),
      expect.stringMatching(/^\w{8,}$/),
    ]);
    expect((await server.core.peek('bkt', 'presigned'))?.headers['x-amz-meta-from']).toBe('url');
    client.destroy();
  });

  it('never logs a secret or a signature', () => {
    expect(lines.length).toBeGreaterThan(10);
    expect(
      lines.filter((line) => /secret|signature|credential/i.test(line) || line.includes(credentials.secretAccessKey)),
    ).toEqual([]);
  });

  it('breaks the connection where the plan says so', async () => {
    await using faulty = await startS3Server({
      credentials,
      faults: {
        rules: [
          { fault: 'reset-after', operation: 'PutObject' },
          { fault: 'short-body', operation: 'GetObject' },
        ],
      },
    });
    faulty.core.createBucket('bkt');
    const client = new S3Client({
      endpoint: faulty.endpoint,
      region: 'us-east-1',
      forcePathStyle: true,
      credentials,
      maxAttempts: 1,
    });
    await expect(client.send(new PutObjectCommand({ Bucket: 'bkt', Key: 'k', Body: 'acted' }))).rejects.toMatchObject({
      code: 'ECONNRESET',
    });
    expect(faulty.core.keys('bkt')).toEqual(['k']);
    await expect(
      client.send(new GetObjectCommand({ Bucket: 'bkt', Key: 'k' })).then((got) => got.Body?.transformToString()),
    ).rejects.toThrow();
    client.destroy();
  });

  it('asks for the keys that a caller in JavaScript forgot', async () => {
    await expect(startS3Server({} as never)).rejects.toMatchObject({ code: 'ERR_OPTION' });
  });

  it('names a port that is taken', async () => {
    await expect(startS3Server({ credentials, port: server.port })).rejects.toMatchObject({
      code: 'ERR_S3_SERVER_PORT',
    });
  });
});
