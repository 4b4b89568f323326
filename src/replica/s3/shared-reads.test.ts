import { once } from 'node:events';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { buildConnector } from 'undici';
import { afterEach, describe, expect, it } from 'vitest';
import { createSharedReads } from './shared-reads.js';

describe('createSharedReads', () => {
  const opened: { destroy(): unknown }[] = [];
  let server: Server | undefined;

  afterEach(() => {
    for (const each of opened.splice(0)) each.destroy();
    server?.close();
  });

  /** Two connections that share their reads: what this end sees of each, and what the other end sends with. */
  async function connections() {
    const accepted: Socket[] = [];
    server = createServer((socket) => void accepted.push(socket));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const reads = createSharedReads(buildConnector, { timeout: 1000 });
    const connect = async (): Promise<{ readonly near: Socket; readonly far: Socket }> => {
      const near = await new Promise<Socket>((resolve, reject) => {
        const target = { hostname: '127.0.0.1', protocol: 'http:', port: String(port) };
        reads.connect(target, (error, socket) => (socket === null ? reject(error) : resolve(socket)));
      });
      while (accepted.length === 0) await turn();
      const far = accepted.shift() as Socket;
      opened.push(near, far);
      return { near, far };
    };
    return { reads, first: await connect(), second: await connect() };
  }

  const turn = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 5));
  const textOf = (chunk: unknown): string => (chunk === null ? '' : Buffer.from(chunk as Uint8Array).toString());

  it('hands on what was read while it is there, to whoever listens', async () => {
    const { first } = await connections();
    const seen: string[] = [];
    first.near.on('readable', () => void seen.push(textOf(first.near.read())));
    first.far.write('one');
    while (seen.length === 0) await turn();
    first.far.write('two');
    while (!seen.includes('two')) await turn();
    expect(seen.filter((text) => text !== '')).toEqual(['one', 'two']);
    expect(first.near.readableLength).toBe(0);
  });

  it('keeps what nobody took, whatever is read meanwhile, of the same connection or another', async () => {
    const { first, second } = await connections();
    let sent = '';
    for (const text of ['one ', 'two ', 'three']) {
      first.far.write(text);
      sent += text;
      while (first.near.readableLength < sent.length) await turn();
    }
    second.far.write('x'.repeat(200_000));
    while (second.near.readableLength < 200_000) await turn();
    expect(textOf(first.near.read())).toBe('one two three');
    expect(textOf(second.near.read())).toBe('x'.repeat(200_000));
  });

  it('holds back the one that is being read, and no other', async () => {
    const { reads, first, second } = await connections();
    let letFlow = (): void => {};
    const seen = { first: '', second: '' };
    first.near.on('readable', () => {
      seen.first += textOf(first.near.read());
      if (seen.first === 'one') letFlow = reads.hold();
    });
    second.near.on('readable', () => void (seen.second += textOf(second.near.read())));
    first.far.write('one');
    while (seen.first === '') await turn();
    first.far.write('two');
    second.far.write('two');
    while (seen.second === '') await turn();
    for (let i = 0; i < 5; i++) await turn();
    expect(seen).toEqual({ first: 'one', second: 'two' });
    letFlow();
    while (seen.first === 'one') await turn();
    expect(seen.first).toBe('onetwo');
  });

  it('goes on with one that was let go before it was held', async () => {
    const { reads, first } = await connections();
    let seen = '';
    first.near.on('readable', () => {
      seen += textOf(first.near.read());
      reads.hold()();
    });
    for (const text of ['one', 'two', 'three']) {
      first.far.write(text);
      while (!seen.endsWith(text)) await turn();
    }
    expect(seen).toBe('onetwothree');
  });

  it('holds nothing while nothing is being read', async () => {
    const { reads, first } = await connections();
    reads.hold()();
    let seen = '';
    first.near.on('readable', () => void (seen += textOf(first.near.read())));
    first.far.write('one');
    while (seen === '') await turn();
    expect(seen).toBe('one');
  });
});
