import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { Agent, buildConnector } from 'undici';
import { afterEach, describe, expect, it } from 'vitest';
import { SELF_SIGNED } from '../../../test/fixtures/self-signed.js';
import { dispatch } from './dispatch.js';
import type { FlowingBody } from './flowing-body.js';
import { createReceiveMemory } from './receive-memory.js';
import { createSharedReads, type SharedReads } from './shared-reads.js';

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

describe('dispatch, over connections that share what they are read into', () => {
  let server: Server | undefined;
  let agent: Agent | undefined;
  let reads: SharedReads | undefined;

  afterEach(async () => {
    await agent?.destroy();
    server?.close();
  });

  /** A server that acts on each request; over TLS if wanted. */
  async function serve(act: (socket: Socket, request: string) => void, isSecure = false): Promise<string> {
    const onSocket = (socket: Socket): void => {
      socket.on('error', () => undefined);
      socket.on('data', (data) => act(socket, data.toString('latin1')));
    };
    server = isSecure ? createTlsServer(SELF_SIGNED, onSocket) : createServer(onSocket);
    await new Promise<void>((resolve) => server?.listen(0, '127.0.0.1', resolve));
    const build: typeof buildConnector = (options) => buildConnector({ ...options, rejectUnauthorized: false });
    reads = createSharedReads(build, { timeout: 5000 });
    agent = new Agent({ connect: reads.connect, connections: 8 });
    return `${isSecure ? 'https' : 'http'}://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  const answering = (answer: Buffer | string, end = true) =>
    serve((socket) => {
      socket.write(answer);
      if (end) socket.end();
    });

  async function ask(
    origin: string,
    path = '/',
    signal?: AbortSignal,
  ): Promise<{ readonly statusCode: number; readonly body: FlowingBody }> {
    if (agent === undefined || reads === undefined) throw new Error('no agent');
    const answer = await dispatch(agent, { origin, path, method: 'GET' }, { signal, memory, hold: reads.hold });
    if (answer.body === undefined) throw new Error('no body');
    return { ...answer, body: answer.body };
  }

  async function read(body: FlowingBody): Promise<Buffer> {
    const chunks: Buffer[] = [];
    for await (const chunk of body) chunks.push(Buffer.from(chunk));
    return Buffer.concat(chunks);
  }

  it('gives no body where the head says that there is none', async () => {
    const origin = await answering('HTTP/1.1 200 OK\r\nContent-Length: 0\r\nETag: "x"\r\n\r\n', false);
    await expect(ask(origin)).rejects.toThrow('no body');
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
        const { body } = await ask(origin, `/${seed}`);
        return (await read(body)).equals(contentOf(seed, sizes[seed % sizes.length]));
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
      const send = (at: number): void => {
        if (at >= LENGTH) return;
        socket.write(content.subarray(at, at + 65_536), () => {
          sent = Math.max(sent, at + 65_536);
          send(at + 65_536);
        });
      };
      send(0);
    }, isSecure);
    const { body } = await ask(origin);
    for (let before = -1; before < sent;) {
      before = sent;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    // What the kernel holds is its own affair.
    expect(sent).toBeLessThan(LENGTH - MIB);
    expect((await read(body)).equals(content)).toBe(true);
    // The connection is good for more.
    expect((await read((await ask(origin, '/small')).body)).toString()).toBe('ok');
  });

  it('survives a server that closes while nobody reads, and gives the whole body afterwards', async () => {
    const content = contentOf(2);
    const origin = await answering(Buffer.concat([Buffer.from(headOf(LENGTH, 'Connection: close\r\n')), content]));
    const { body } = await ask(origin);
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect((await read(body)).equals(content)).toBe(true);
  });

  it('says that a body was cut short', async () => {
    const origin = await answering(`${headOf(100, 'Connection: close\r\n')}abc`);
    const { body } = await ask(origin);
    await expect(read(body)).rejects.toThrow();
  });

  it('ends with the reason of the signal, before and after the head', async () => {
    const origin = await answering(`${headOf(100)}abc`, false);
    await expect(ask(origin, '/', AbortSignal.abort(new Error('never mind')))).rejects.toThrow('never mind');
    const controller = new AbortController();
    const { body } = await ask(origin, '/', controller.signal);
    controller.abort(new Error('enough'));
    await expect(read(body)).rejects.toThrow('enough');
  });

  it('lets a body go that is not wanted', async () => {
    const origin = await answering(`${headOf(100)}abc`, false);
    const { body } = await ask(origin);
    await body.return();
    expect(await body.next()).toEqual({ done: true, value: undefined });
  });
});
