import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { afterEach, describe, expect, it } from 'vitest';
import { SELF_SIGNED } from '../../../../test/fixtures/self-signed.js';
import { SeededRandom } from '../../../testing/simulation/seeded-random.js';
import { FlowingBody } from '../flowing-body.js';
import { createReceiveMemory } from '../receive-memory.js';
import { WholeBody } from '../whole-body.js';
import { createHttpClient, type HttpClient, type HttpClientOptions } from './http-client.js';
import type { HttpAnswer } from './http-exchange.js';
import type { HttpRequest } from './request-head.js';

const MIB = 1024 * 1024;
const LENGTH = 24 * MIB;
const memory = createReceiveMemory();
/** Bytes that differ from answer to answer and from place to place. */
function contentOf(seed: number, length = LENGTH): Buffer {
  const content = Buffer.allocUnsafe(length);
  for (let i = 0; i < length; i += 4) content.writeUInt32LE((i * 2_654_435_761 + seed) >>> 0, Math.min(i, length - 4));
  return content;
}
const headOf = (length: number, more = ''): string => `HTTP/1.1 200 OK\r\nContent-Length: ${length}\r\n${more}\r\n`;

const GET: HttpRequest = {
  method: 'GET',
  target: '/',
  headers: { host: 'h' },
  body: undefined,
  pieces: undefined,
  isLast: false,
};

describe('createHttpClient', () => {
  let server: Server | undefined;
  let client: HttpClient | undefined;
  let connections = 0;

  afterEach(() => {
    client?.destroy();
    server?.close();
  });

  /** A server that acts on each request; over TLS if wanted. */
  async function serve(
    act: (socket: Socket, request: string) => void,
    isSecure = false,
    options: Partial<HttpClientOptions> = {},
  ): Promise<string> {
    connections = 0;
    const onSocket = (socket: Socket): void => {
      connections++;
      socket.on('error', () => undefined);
      socket.on('data', (data) => act(socket, data.toString('latin1')));
    };
    server = isSecure ? createTlsServer(SELF_SIGNED, onSocket) : createServer(onSocket);
    await new Promise<void>((resolve) => server?.listen(0, '127.0.0.1', resolve));
    client = createHttpClient({
      maxConnections: 8,
      connectTimeoutMs: 5000,
      headersTimeoutMs: 5000,
      bodyTimeoutMs: 5000,
      memory,
      nowMs: () => performance.now(),
      rejectUnauthorized: false,
      ...options,
    });
    return `${isSecure ? 'https' : 'http'}://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  const answering = (answer: Buffer | string, end = true, options: Partial<HttpClientOptions> = {}) =>
    serve(
      (socket) => {
        socket.write(answer);
        if (end) socket.end();
      },
      false,
      options,
    );

  function send(origin: string, more: Partial<HttpRequest> = {}, signal?: AbortSignal): Promise<HttpAnswer> {
    if (client === undefined) throw new Error('no client');
    return client.request(origin, { ...GET, ...more }, signal);
  }

  async function read({ body }: HttpAnswer): Promise<Buffer> {
    const chunks: Buffer[] = [];
    if (body !== undefined) for await (const chunk of body) chunks.push(Buffer.from(chunk));
    return Buffer.concat(chunks);
  }

  it('gives no body where there is none, and a small one as a whole', async () => {
    const origin = await serve((socket, request) =>
      socket.write(request.startsWith('GET /none') ? headOf(0, 'ETag: "x"\r\n') : `${headOf(3)}abc`),
    );
    expect(await send(origin, { target: '/none' })).toEqual({
      status: 200,
      headers: { 'content-length': '0', etag: '"x"' },
      body: undefined,
    });
    const { body } = await send(origin);
    expect(body).toBeInstanceOf(WholeBody);
    expect([(body as WholeBody).take().toString(), connections]).toEqual(['abc', 1]);
  });

  it('gives small answers in memory of their own', async () => {
    const origin = await serve((socket, request) =>
      socket.write(`${headOf(3)}${/GET \/(\S+)/.exec(request)?.[1] ?? ''}`),
    );
    const first = await send(origin, { target: '/one' });
    const second = await send(origin, { target: '/two' });
    expect([(await read(first)).toString(), (await read(second)).toString()]).toEqual(['one', 'two']);
  });

  it.each([
    ['in the open', false],
    ['over TLS', true],
  ])('keeps many answers apart that come at once, %s', async (_, isSecure) => {
    const sizes = [100, 4096, 65_537, MIB - 1, 3 * MIB + 5];
    const origin = await serve((socket, request) => {
      const seed = Number(/GET \/(\d+)/.exec(request)?.[1]);
      const content = contentOf(seed, sizes[seed % sizes.length]);
      socket.write(headOf(content.length));
      // In two halves, so that answers come between each other.
      socket.write(content.subarray(0, content.length >> 1));
      setTimeout(() => socket.write(content.subarray(content.length >> 1)), 1);
    }, isSecure);
    const ends = await Promise.all(
      Array.from({ length: 40 }, async (_each, seed) => {
        return (await read(await send(origin, { target: `/${seed}` }))).equals(
          contentOf(seed, sizes[seed % sizes.length]),
        );
      }),
    );
    expect(ends.every(Boolean)).toBe(true);
  });

  it.each([
    ['in the open', false],
    ['over TLS', true],
  ])('holds back a server whose answer is not read, %s, and has all of it in the end', async (_, isSecure) => {
    let sent = 0;
    const content = contentOf(1);
    const origin = await serve((socket, request) => {
      if (request.startsWith('GET /small')) return void socket.write(`${headOf(2)}ok`);
      socket.write(headOf(LENGTH));
      const sendFrom = (at: number): void => {
        if (at >= LENGTH) return;
        socket.write(content.subarray(at, at + 65_536), () => {
          sent = Math.max(sent, at + 65_536);
          sendFrom(at + 65_536);
        });
      };
      sendFrom(0);
    }, isSecure);
    const answer = await send(origin);
    for (let before = -1; before < sent;) {
      before = sent;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    // What the kernel holds is its own affair.
    expect(sent).toBeLessThan(LENGTH - MIB);
    expect((await read(answer)).equals(content)).toBe(true);
    // The connection is good for more.
    expect((await read(await send(origin, { target: '/small' }))).toString()).toBe('ok');
    expect(connections).toBe(1);
  });

  it('survives a server that closes while nobody reads, and gives the whole body afterwards', async () => {
    const content = contentOf(2);
    const origin = await answering(Buffer.concat([Buffer.from(headOf(LENGTH, 'Connection: close\r\n')), content]));
    const answer = await send(origin);
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect((await read(answer)).equals(content)).toBe(true);
  });

  it('says that a body was cut short', async () => {
    const origin = await answering(`${headOf(100, 'Connection: close\r\n')}abc`);
    await expect(read(await send(origin))).rejects.toMatchObject({ code: 'HTTP_CUT_SHORT' });
  });

  it('ends with the reason of the signal, before and after the head', async () => {
    const origin = await answering(`${headOf(100)}abc`, false);
    await expect(send(origin, {}, AbortSignal.abort(new Error('never mind')))).rejects.toThrow('never mind');
    const controller = new AbortController();
    const answer = await send(origin, {}, controller.signal);
    controller.abort(new Error('enough'));
    await expect(read(answer)).rejects.toThrow('enough');
  });

  it('lets a body go that is not wanted, and its connection with it', async () => {
    const origin = await answering(`${headOf(100)}abc`, false);
    const { body } = await send(origin);
    expect(body).toBeInstanceOf(FlowingBody);
    await (body as FlowingBody).return();
    expect(await (body as FlowingBody).next()).toEqual({ done: true, value: undefined });
    const second = await send(origin);
    await (second.body as FlowingBody).return();
    expect(connections).toBe(2);
  });

  it('keeps to its most connections, and serves those that wait in their order', async () => {
    const asked: string[] = [];
    const origin = await serve(
      (socket, request) => {
        asked.push(/GET (\S+)/.exec(request)?.[1] ?? '');
        setTimeout(() => socket.write(headOf(0)), 2);
      },
      false,
      { maxConnections: 2 },
    );
    const gone = new AbortController();
    const sent = ['/1', '/2', '/3', '/4', '/5'].map((target) =>
      send(origin, { target }, target === '/4' ? gone.signal : undefined),
    );
    gone.abort(new Error('not any more'));
    const ends = await Promise.allSettled(sent);
    expect(ends.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'fulfilled', 'rejected', 'fulfilled']);
    expect([asked, connections]).toEqual([['/1', '/2', '/3', '/5'], 2]);
  });

  it('goes on with those that wait when a connection breaks', async () => {
    const origin = await serve(
      (socket, request) => (request.startsWith('GET /bad') ? socket.destroy() : socket.write(headOf(0))),
      false,
      {
        maxConnections: 1,
      },
    );
    const [bad, good] = await Promise.allSettled([send(origin, { target: '/bad' }), send(origin)]);
    expect([bad?.status, good?.status]).toEqual(['rejected', 'fulfilled']);
  });

  it.each<[string, string, number]>([
    ['the service ends it', headOf(0, 'Connection: close\r\n'), 0],
    ['the service may have ended it', headOf(0, 'Keep-Alive: timeout=2\r\n'), 1500],
    ['nobody knows any more whether it is there', headOf(0), 4500],
    ['more came than was asked for', `${headOf(0)}HTTP/1.1 200 OK\r\n\r\n`, 0],
  ])('uses a connection no more when %s', async (_when, answer, laterMs) => {
    let nowMs = 1000;
    const origin = await answering(answer, false, { nowMs: () => nowMs });
    await send(origin);
    nowMs += laterMs;
    await send(origin);
    expect(connections).toBe(2);
  });

  it('uses a connection no more on which something came that nobody asked for', async () => {
    const origin = await serve((socket) => {
      socket.write(headOf(0));
      setTimeout(() => socket.write(headOf(0, 'X-Forged: 1\r\n')), 20);
    });
    await send(origin);
    await new Promise((resolve) => setTimeout(resolve, 60));
    const { headers } = await send(origin);
    expect([headers['x-forged'], connections]).toEqual([undefined, 2]);
  });

  it('uses a connection no more whose request was answered before it was sent', async () => {
    let asked = 0;
    const origin = await serve((socket) => {
      if (asked++ > 0) return;
      socket.pause();
      socket.write(`HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n`);
    });
    const { status } = await send(origin, { method: 'PUT', body: Buffer.alloc(64 * MIB) });
    expect(status).toBe(403);
    asked = 0;
    await send(origin);
    expect(connections).toBe(2);
  });

  it('waits for a service that takes a body slowly, and not for one that takes none', async () => {
    const body = Buffer.alloc(48 * MIB, 'x');
    let received = 0;
    let isStuck = false;
    const origin = await serve(
      (socket, text) => {
        received += text.length;
        socket.pause();
        if (received >= body.length) socket.write(headOf(0));
        else if (!isStuck) setTimeout(() => socket.resume(), 2);
      },
      false,
      { headersTimeoutMs: 600 },
    );
    const startedAt = performance.now();
    expect((await send(origin, { method: 'PUT', body })).status).toBe(200);
    expect(performance.now() - startedAt, 'slower than the silence allowed').toBeGreaterThan(900);
    isStuck = true;
    received = 0;
    await expect(send(origin, { method: 'PUT', body })).rejects.toMatchObject({ code: 'HTTP_TIMEOUT' });
  });

  it('takes single bytes of a head, or between chunks, for silence', async () => {
    for (const text of [headOf(0), 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0000000000001']) {
      const begin = text.indexOf('\r\n\r\n1') + 1;
      const origin = await serve(
        (socket) => {
          socket.write(text.slice(0, begin));
          let at = begin;
          const timer = setInterval(
            () => (at < text.length ? socket.write(text[at++] ?? '') : clearInterval(timer)),
            40,
          );
          socket.on('close', () => clearInterval(timer));
        },
        false,
        { headersTimeoutMs: 150, bodyTimeoutMs: 150 },
      );
      const ended = send(origin).then(read);
      await expect(ended).rejects.toMatchObject({ code: 'HTTP_TIMEOUT' });
      client?.destroy();
      server?.close();
    }
  });

  it('gives a connection up that is not made in time, also where only its security is missing', async () => {
    await serve(() => {}, false, { connectTimeoutMs: 100 });
    const { port } = (server as Server).address() as AddressInfo;
    await expect(send(`https://127.0.0.1:${port}`)).rejects.toMatchObject({ code: 'HTTP_CONNECT_TIMEOUT' });
  });

  it('says why no secure connection is made, and sends nothing before', async () => {
    const seen: string[] = [];
    const origin = await serve((_socket, request) => seen.push(request), true, { rejectUnauthorized: true });
    await expect(send(origin)).rejects.toMatchObject({ code: 'DEPTH_ZERO_SELF_SIGNED_CERT' });
    expect(seen).toEqual([]);
  });

  it('gives no request the answer of another, whatever a service does', async () => {
    const random = new SeededRandom(20_261_127);
    const chance = (share: number): boolean => random.next() < share;
    const origin = await serve((socket, text) => {
      // A request that came in pieces is answered with its last one.
      const target = /^GET (\S+)/.exec(text)?.[1] ?? '/none';
      const content = Buffer.from(target.repeat(1 + Math.floor(random.next() * 40)));
      const isChunked = chance(0.3);
      const body = isChunked
        ? Buffer.concat([Buffer.from(`${content.length.toString(16)}\r\n`), content, Buffer.from('\r\n0\r\n\r\n')])
        : content;
      const head = isChunked ? 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n' : headOf(content.length);
      const answer = Buffer.concat([Buffer.from(head), body]);
      // What is too much comes together with the end: later it could not be told from the next answer.
      const extra = chance(0.05) ? headOf(0, 'X-Extra: 1\r\n') : '';
      const whole = Buffer.concat([answer, Buffer.from(extra)]);
      if (chance(0.03)) return void socket.destroy();
      const end = extra === '' && chance(0.05) ? Math.floor(random.next() * whole.length) : whole.length;
      const middle = Math.floor(random.next() * Math.min(end, answer.length));
      socket.write(whole.subarray(0, middle));
      const rest = (): void => {
        socket.write(whole.subarray(middle, end));
        if (end < whole.length || chance(0.05)) socket.destroySoon();
      };
      if (chance(0.5)) setTimeout(rest, random.next() * 3);
      else rest();
    });
    let fulfilled = 0;
    let next = 0;
    const lane = async (): Promise<void> => {
      while (next < 3000) {
        const target = `/${next++}-`;
        const controller = new AbortController();
        if (chance(0.05)) setTimeout(() => controller.abort(), random.next() * 3);
        try {
          const answer = await send(origin, { target }, controller.signal);
          const body = (await read(answer)).toString();
          expect(body.replaceAll(target, ''), target).toBe('');
          expect(body.length, target).toBeGreaterThan(0);
          fulfilled++;
        } catch (error) {
          if (!(error instanceof Error) || error.name === 'AssertionError') throw error;
        }
      }
    };
    await Promise.all(Array.from({ length: 16 }, lane));
    expect(fulfilled).toBeGreaterThan(2000);
  }, 30_000);

  it('ends what is under way, and what waits, when it is closed', async () => {
    const origin = await serve(() => {}, false, { maxConnections: 1 });
    const sent = [send(origin), send(origin)];
    client?.destroy();
    const ends = await Promise.allSettled(sent);
    expect(ends.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    await expect(send(origin)).rejects.toMatchObject({ code: 'HTTP_CUT_SHORT' });
    expect(connections).toBeLessThanOrEqual(1);
  });
});
