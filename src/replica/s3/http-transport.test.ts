import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http';
import { createServer as createTcpServer, type AddressInfo } from 'node:net';
import { inspect } from 'node:util';
import { S3Client, type S3ClientConfig } from '@aws-sdk/client-s3';
import { afterEach, describe, expect, it } from 'vitest';
import { systemRuntime } from '../../testing/s3/system-runtime.js';
import { resolveBucketEndpoint } from './endpoint.js';
import { readBody } from './read-body.js';
import type { S3Request } from './transport.js';
import { WholeBody } from './whole-body.js';
import { createHttpTransport, type HttpTransport, type HttpTransportOptions } from './http-transport.js';

const SECRET = 'wJalrXUtnFEMISECRETSECRET';
const TOKEN = 'SESSIONTOKENTOKEN';
const clock = { nowMs: () => Date.now(), sleep: () => Promise.resolve() };
const opened: { close(): unknown }[] = [];

afterEach(async () => {
  for (const each of opened.splice(0)) await each.close();
});

async function listen(server: Server | ReturnType<typeof createTcpServer>): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  opened.push(server);
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const serve = (handler: RequestListener): Promise<string> => listen(createServer(handler));

function transportTo(
  endpoint: string,
  config: S3ClientConfig = {},
  options: Partial<HttpTransportOptions> = {},
): HttpTransport {
  const client = new S3Client({
    endpoint,
    region: 'us-east-1',
    forcePathStyle: true,
    credentials: { accessKeyId: 'AKID', secretAccessKey: SECRET, sessionToken: TOKEN },
    ...config,
  });
  const transport = createHttpTransport({ client, clock, ...options });
  opened.push(transport);
  return transport;
}

const get = (key: string, more: Partial<S3Request> = {}): S3Request => ({
  method: 'GET',
  bucket: 'b',
  key,
  query: {},
  headers: {},
  ...more,
});

describe('createHttpTransport', () => {
  it('gives the headers of an answer by their names, values of the same name joined', async () => {
    const transport = transportTo(
      await serve((_request, answer) => {
        answer.setHeader('X-Single', 'one');
        answer.setHeader('X-Several', ['1', '2']);
        answer.end();
      }),
    );
    const { headers } = await transport.send(get('a'));
    expect(headers).toMatchObject({ 'x-single': 'one', 'x-several': '1, 2' });
  });

  it.each([
    ['whole when it comes with its head', 4096, true],
    ['in pieces when it is long', 1024 * 1024, false],
  ])('gives a body %s', async (_, length, isWhole) => {
    const content = Buffer.alloc(length, 'content ');
    const transport = transportTo(await serve((_request, answer) => answer.end(content)));
    const answer = await transport.send(get('a'));
    expect(answer.body instanceof WholeBody).toBe(isWhole);
    expect(Buffer.from(await readBody(answer, length)).equals(content)).toBe(true);
  });

  it('goes on with the connection after HEAD', async () => {
    const ports = new Set<number | undefined>();
    const transport = transportTo(
      await serve((request, answer) => {
        ports.add(request.socket.remotePort);
        answer.statusCode = request.url === '/b/gone' ? 404 : 200;
        answer.end();
      }),
    );
    for (let i = 0; i < 10; i++) await transport.send(get(i % 2 === 0 ? 'a' : 'gone', { method: 'HEAD' }));
    // The next may come before the one before it has given its connection back.
    expect(ports.size).toBeLessThanOrEqual(2);
  });

  it('is not disturbed by a body that comes together with the answer to a HEAD', async () => {
    let connections = 0;
    const transport = transportTo(
      await listen(
        createTcpServer((socket) => {
          connections++;
          socket.on('error', () => {});
          socket.on('data', () => socket.write('HTTP/1.1 404 Not Found\r\nContent-Length: 5\r\n\r\n<?xml'));
        }),
      ),
    );
    for (let i = 0; i < 5; i++) {
      expect((await transport.send(get('a', { method: 'HEAD' }))).status).toBe(404);
      expect((await readBody(await transport.send(get('a')), 5)).toString()).toBe('<?xml');
    }
    expect(connections).toBeGreaterThan(1);
  });

  it('sends nothing, and does not try again, where a header would end its line', async () => {
    let requests = 0;
    const transport = transportTo(await listen(createServer(() => requests++)));
    const failure = await transport
      .send(get('a', { headers: { 'x-amz-meta-a': 'b\r\nhost: c' } }))
      .catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: 'ERR_S3_CONNECTION_LOST', retryable: false });
    expect(failure).toHaveProperty('message', expect.stringContaining('was not sent (HTTP_REQUEST)'));
    expect(requests).toBe(0);
  });

  it('closes the connection after HEAD once a service sent a body after it all the same', async () => {
    const late = 'a body that nobody asked for';
    const heads: string[] = [];
    const transport = transportTo(
      await listen(
        createTcpServer((socket) => {
          socket.on('error', () => {});
          socket.on('data', (bytes) => {
            const [head = ''] = bytes.toString().split('\r\n\r\n');
            heads.push(head);
            // The body of the answer before comes when the next is expected.
            if (heads.length === 2) socket.write(late);
            else
              socket.write(
                `HTTP/1.1 200 OK\r\nContent-Length: ${late.length}\r\n\r\n${head.startsWith('GET') ? late : ''}`,
              );
          });
        }),
      ),
    );
    const head = get('a', { method: 'HEAD' });
    await transport.send(head);
    const failure = await transport.send(get('a')).catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: 'ERR_S3_CONNECTION_LOST', retryable: true });
    expect(failure).toHaveProperty('message', expect.stringContaining('no answer to what was asked (HTTP_ANSWER)'));
    await transport.send(head);
    expect((await readBody(await transport.send(get('a')), late.length)).toString()).toBe(late);
    expect(heads.map((text) => /^connection: (.*)$/im.exec(text)?.[1])).toEqual([
      'keep-alive',
      'keep-alive',
      'close',
      'keep-alive',
    ]);
  });

  it('puts every key on the wire as it is, encoded once', async () => {
    const seen: (string | undefined)[] = [];
    const transport = transportTo(
      await serve((request, answer) => {
        seen.push(request.url);
        answer.end();
      }),
    );
    for (const key of [
      '/lead',
      'a//b',
      '../up',
      'a/./b/..',
      'a+b',
      'a%2Fb',
      'ü \u{1F600}',
      "it's(!)*?x=1#y&z",
      'trail/',
    ]) {
      await readBody(await transport.send(get(key)), 10);
    }
    expect(seen).toEqual([
      '/b//lead',
      '/b/a//b',
      '/b/../up',
      '/b/a/./b/..',
      '/b/a%2Bb',
      '/b/a%252Fb',
      '/b/%C3%BC%20%F0%9F%98%80',
      '/b/it%27s%28%21%29%2A%3Fx%3D1%23y%26z',
      '/b/trail/',
    ]);
  });

  it('follows no redirect, and sends nothing to where it leads', async () => {
    let strangers = 0;
    const elsewhere = await serve((_request, answer) => {
      strangers++;
      answer.end();
    });
    const transport = transportTo(
      await serve((_request, answer) =>
        answer.writeHead(301, { location: elsewhere, 'x-amz-bucket-region': 'eu-west-1' }).end(),
      ),
    );
    expect(await transport.send(get('k'))).toMatchObject({
      status: 301,
      headers: { 'x-amz-bucket-region': 'eu-west-1' },
    });
    expect(strangers).toBe(0);
  });

  it('signs the hash of the body over http, and the session token', async () => {
    const seen: IncomingMessage['headers'][] = [];
    const transport = transportTo(
      await serve((request, answer) => {
        seen.push(request.headers);
        request.resume().on('end', () => answer.end());
      }),
    );
    await readBody(await transport.send(get('k', { method: 'PUT', body: Buffer.from('abc') })), 10);
    expect(seen[0]).toMatchObject({
      'content-length': '3',
      'x-amz-content-sha256': 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad',
      'x-amz-security-token': TOKEN,
      authorization: expect.stringContaining('SignedHeaders=host;x-amz-content-sha256;x-amz-date;x-amz-security-token'),
    });
  });

  it('signs again with the time of the service when its own clock is refused', async () => {
    const serverMs = Date.now() + 3_600_000;
    const dates: unknown[] = [];
    const transport = transportTo(
      await serve((request, answer) => {
        dates.push(request.headers['x-amz-date']);
        answer.sendDate = false;
        answer.setHeader('date', new Date(serverMs).toUTCString());
        const day = new Date(serverMs).toISOString().slice(0, 13).replaceAll('-', '');
        answer.statusCode = String(request.headers['x-amz-date']).startsWith(day) ? 200 : 403;
        answer.end();
      }),
    );
    let resent = 0;
    expect((await transport.send(get('k', { onResend: () => void resent++ }))).status).toBe(200);
    expect([dates.length, resent]).toEqual([2, 1]);
    expect(Math.abs(transport.clockOffsetMs - 3_600_000)).toBeLessThan(5_000);
    expect((await transport.send(get('k'))).status).toBe(200);
    expect(dates.length).toBe(3);
  });

  it('sends a refused request once when the clock is not to blame', async () => {
    let count = 0;
    const transport = transportTo(
      await serve((_request, answer) => {
        count++;
        answer.writeHead(403).end();
      }),
    );
    expect((await transport.send(get('k'))).status).toBe(403);
    expect(count).toBe(1);
  });

  it.each<[string, () => Promise<string>, string]>([
    ['nobody listens', async () => 'http://127.0.0.1:1', 'ERR_S3_UNREACHABLE'],
    ['the host has no address', async () => 'http://no-such-host.invalid', 'ERR_S3_DNS'],
    [
      'the service speaks no TLS',
      async () => (await serve((_request, answer) => answer.end())).replace('http', 'https'),
      'ERR_S3_TLS',
    ],
    [
      'what answers speaks no HTTP',
      () => listen(createTcpServer((socket) => socket.end('SSH-2.0-OpenSSH_9\r\n'))),
      'ERR_S3_NOT_HTTP',
    ],
    [
      'the connection is closed without an answer',
      () => listen(createTcpServer((socket) => socket.once('data', () => socket.destroy()))),
      'ERR_S3_CONNECTION_LOST',
    ],
    ['no answer comes', () => serve(() => {}), 'ERR_S3_TIMEOUT'],
  ])('says what happened when %s', async (_what, endpoint, code) => {
    const transport = transportTo(await endpoint(), {}, { headersTimeoutMs: 50, connectTimeoutMs: 500 });
    await expect(transport.send(get('k'))).rejects.toMatchObject({ name: 'S3ConnectionError', code });
  });

  it.each<[string, RequestListener, string]>([
    [
      'is short',
      (request, answer) => {
        answer.writeHead(200, { 'content-length': '10' }).write('12345');
        setImmediate(() => request.socket.destroy());
      },
      'ERR_S3_CONNECTION_LOST',
    ],
    [
      'stops',
      (_request, answer) => void answer.writeHead(200, { 'content-length': '10' }).write('12345'),
      'ERR_S3_TIMEOUT',
    ],
  ])('throws when a body %s', async (_what, handler, code) => {
    const transport = transportTo(await serve(handler), {}, { bodyTimeoutMs: 50 });
    const answer = await transport.send(get('k'));
    await expect(readBody(answer, 100)).rejects.toMatchObject({ code });
  });

  it('sends a body piece by piece, each when its pace lets it', async () => {
    const received: Buffer[] = [];
    const lengths: (string | undefined)[] = [];
    const transport = transportTo(
      await serve((request, answer) => {
        lengths.push(request.headers['content-length']);
        request.on('data', (chunk: Buffer) => received.push(chunk));
        request.on('end', () => answer.end());
      }),
      {},
      // Waiting for the line is no silence of the service, however long it takes.
      { clock: systemRuntime().clock, headersTimeoutMs: 80 },
    );
    const body = Buffer.from(Array.from({ length: 10_000 }, (_, i) => i % 251));
    const waited: number[] = [];
    const wait = async (bytes: number): Promise<void> => {
      waited.push(bytes);
      await systemRuntime().clock.sleep(50);
    };
    const answer = await transport.send(get('k', { method: 'PUT', body, pace: { pieceBytes: 3000, wait } }));
    expect([answer.status, waited, lengths]).toEqual([200, [3000, 3000, 3000, 1000], ['10000']]);
    expect(Buffer.concat(received).equals(body)).toBe(true);
  });

  it('gives up a paced body that the service does not answer, and one that is not to be sent any more', async () => {
    const transport = transportTo(await serve(() => {}), {}, { clock: systemRuntime().clock, headersTimeoutMs: 50 });
    const body = new Uint8Array(10);
    const sent = transport.send(get('k', { method: 'PUT', body, pace: { pieceBytes: 3, wait: async () => {} } }));
    await expect(sent).rejects.toMatchObject({ code: 'ERR_S3_TIMEOUT' });
    const stop = new AbortController();
    const wait = async (): Promise<void> => {
      stop.abort();
      stop.signal.throwIfAborted();
    };
    const stopped = transport.send(
      get('k', { method: 'PUT', body, pace: { pieceBytes: 3, wait }, signal: stop.signal }),
    );
    await expect(stopped).rejects.toMatchObject({ name: 'AbortError' });
  });

  it('stops when it is told to', async () => {
    const transport = transportTo(await serve(() => {}));
    const controller = new AbortController();
    const sent = transport.send(get('k', { signal: controller.signal }));
    setImmediate(() => controller.abort());
    await expect(sent).rejects.toMatchObject({ name: 'AbortError' });
  });

  it('lets go of a body that nobody reads', async () => {
    const transport = transportTo(
      await serve((_request, answer) => {
        answer.write('x'.repeat(1000));
      }),
    );
    const answer = await transport.send(get('k'));
    await answer.body[Symbol.asyncIterator]().return?.();
  });

  it('shows no secret in any error', async () => {
    const errors: unknown[] = [];
    for (const endpoint of ['http://127.0.0.1:1', 'http://no-such-host.invalid', 'not a url']) {
      const transport = transportTo(endpoint);
      errors.push(await transport.send(get('k')).catch((error: unknown) => error));
    }
    const failing = transportTo('http://127.0.0.1:1', {
      credentials: () => Promise.reject(new Error('no credentials')),
    });
    const failure = await failing.send(get('k')).catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: 'ERR_S3_CREDENTIALS' });
    for (const error of [...errors, failure]) {
      expect(error).toBeInstanceOf(Error);
      const shown = `${inspect(error, { depth: 20, showHidden: true })} ${JSON.stringify(error)}`;
      for (const secret of [SECRET, TOKEN]) expect(shown).not.toContain(secret);
    }
  });
});

describe('resolveBucketEndpoint', () => {
  it.each<[S3ClientConfig, string, string]>([
    [{ region: 'eu-west-1' }, 'https://my-bucket.s3.eu-west-1.amazonaws.com', ''],
    [{ region: 'eu-west-1', forcePathStyle: true }, 'https://s3.eu-west-1.amazonaws.com', '/my-bucket'],
    [{ region: 'eu-west-1', useDualstackEndpoint: true }, 'https://my-bucket.s3.dualstack.eu-west-1.amazonaws.com', ''],
    [{ region: 'cn-north-1' }, 'https://my-bucket.s3.cn-north-1.amazonaws.com.cn', ''],
    [{ region: 'us-east-1', endpoint: 'https://s3.example.com' }, 'https://my-bucket.s3.example.com', ''],
    [
      { region: 'us-east-1', endpoint: 'https://s3.example.com/base/', forcePathStyle: true },
      'https://s3.example.com',
      '/base/my-bucket',
    ],
    [{ region: 'us-east-1', endpoint: 'http://[::1]:9000', forcePathStyle: true }, 'http://[::1]:9000', '/my-bucket'],
  ])('goes where the client goes (%o)', async (config, origin, basePath) => {
    const client = new S3Client({ credentials: { accessKeyId: 'a', secretAccessKey: 'b' }, ...config });
    expect(await resolveBucketEndpoint(client, 'my-bucket')).toMatchObject({ origin, basePath, region: config.region });
  });

  it('refuses what it cannot sign for', async () => {
    const client = new S3Client({ region: 'us-east-1', credentials: { accessKeyId: 'a', secretAccessKey: 'b' } });
    await expect(resolveBucketEndpoint(client, 'data--use1-az4--x-s3')).rejects.toMatchObject({
      code: 'ERR_S3_ENDPOINT',
    });
  });
});
