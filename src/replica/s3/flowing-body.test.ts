import { createServer, type Server } from 'node:net';
import type { AddressInfo } from 'node:net';
import { Agent } from 'undici';
import { afterEach, describe, expect, it } from 'vitest';
import { dispatch } from './dispatch.js';
import type { FlowingBody } from './flowing-body.js';

const LENGTH = 4 * 1024 * 1024;

describe('dispatch', () => {
  let server: Server | undefined;
  let agent: Agent | undefined;

  afterEach(async () => {
    await agent?.destroy();
    server?.close();
  });

  /** A server that answers every connection with these bytes and closes it. */
  async function serve(answer: Buffer, end = true): Promise<string> {
    server = createServer((socket) => {
      socket.on('error', () => undefined);
      socket.once('data', () => {
        socket.write(answer);
        if (end) socket.end();
      });
    });
    await new Promise<void>((resolve) => server?.listen(0, '127.0.0.1', resolve));
    agent = new Agent();
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  async function ask(
    origin: string,
    maxBufferedBytes = 64 * 1024 * 1024,
    signal?: AbortSignal,
  ): Promise<{ readonly statusCode: number; readonly body: FlowingBody }> {
    if (agent === undefined) throw new Error('no agent');
    const answer = await dispatch(agent, { origin, path: '/', method: 'GET' }, { signal, maxBufferedBytes });
    if (answer.body === undefined) throw new Error('no body');
    return { ...answer, body: answer.body };
  }

  it('gives no body where the head says that there is none', async () => {
    const origin = await serve(Buffer.from('HTTP/1.1 200 OK\r\nContent-Length: 0\r\nETag: "x"\r\n\r\n'), false);
    await expect(ask(origin)).rejects.toThrow('no body');
  });

  it('survives a server that closes while nobody reads, and gives the whole body afterwards', async () => {
    const head = `HTTP/1.1 200 OK\r\nContent-Length: ${LENGTH}\r\nConnection: close\r\n\r\n`;
    const origin = await serve(Buffer.concat([Buffer.from(head), Buffer.alloc(LENGTH, 7)]));
    const answer = await ask(origin);
    // The connection is long closed when the first byte is asked for.
    await new Promise<void>((resolve) => {
      server?.getConnections(() => undefined);
      server?.close(() => resolve());
    });
    let received = 0;
    for await (const chunk of answer.body) received += chunk.length;
    expect(received).toBe(LENGTH);
  });

  it('says that a body was cut short', async () => {
    const origin = await serve(Buffer.from('HTTP/1.1 200 OK\r\nContent-Length: 100\r\nConnection: close\r\n\r\nabc'));
    const answer = await ask(origin);
    await expect(async () => {
      for await (const _chunk of answer.body);
    }).rejects.toThrow();
  });

  it('breaks off what floods it while nobody reads', async () => {
    const flood = Buffer.concat([Buffer.from('HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n'), Buffer.alloc(LENGTH, 7)]);
    const answer = await ask(await serve(flood, false), 100_000);
    await expect(async () => {
      for (;;) {
        const { done } = await answer.body.next();
        if (done === true) return;
        await new Promise((resolve) => setImmediate(resolve));
      }
    }).rejects.toMatchObject({ code: 'ERR_S3_BAD_ANSWER' });
  });

  it('ends with the reason of the signal, before and after the head', async () => {
    const origin = await serve(Buffer.from('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc'), false);
    await expect(ask(origin, 1000, AbortSignal.abort(new Error('never mind')))).rejects.toThrow('never mind');
    const controller = new AbortController();
    const answer = await ask(origin, 1000, controller.signal);
    controller.abort(new Error('enough'));
    await expect(async () => {
      for await (const _chunk of answer.body);
    }).rejects.toThrow('enough');
  });

  it('lets a body go that is not wanted', async () => {
    const origin = await serve(Buffer.from('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc'), false);
    const answer = await ask(origin);
    await answer.body.return();
    expect(await answer.body.next()).toEqual({ done: true, value: undefined });
  });
});
