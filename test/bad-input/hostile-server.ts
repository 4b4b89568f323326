import { createServer as createHttp, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http';
import { createServer as createHttps } from 'node:https';
import { createServer as createTcp, type Server, type Socket } from 'node:net';
import { SELF_SIGNED } from '../fixtures/self-signed.js';

/** Something that listens on loopback and does no good. */
export interface HostileServer {
  readonly port: number;
  /** `http://127.0.0.1:PORT`. */
  readonly endpoint: string;
  /** What was asked, as `GET /path`. */
  readonly asked: string[];
  /** Resolves when somebody connects. */
  readonly reached: Promise<void>;
  close(): Promise<void>;
}

/** A server whose answers are the listener's. */
export function hostileHttp(
  listener: (request: IncomingMessage, response: ServerResponse) => void,
): Promise<HostileServer> {
  const asked: string[] = [];
  return listening(createHttp(noting(asked, listener)), 'http', asked);
}

/** A server with a certificate that nobody vouches for. */
export function selfSigned(listener: RequestListener): Promise<HostileServer> {
  const asked: string[] = [];
  return listening(createHttps(SELF_SIGNED, noting(asked, listener)), 'https', asked);
}

/** Connections are taken, and what happens with them is the listener's. */
export function hostileTcp(listener: (socket: Socket) => void): Promise<HostileServer> {
  return listening(createTcp(listener), 'http', []);
}

/** An answer as S3 gives it. */
export function answerXml(
  response: ServerResponse,
  status: number,
  xml: string,
  headers: Readonly<Record<string, string>> = {},
): void {
  response.writeHead(status, { 'content-type': 'application/xml', ...headers });
  response.end(`<?xml version="1.0" encoding="UTF-8"?>\n${xml}`);
}

/** A refusal as S3 gives it. */
export function refuse(
  response: ServerResponse,
  status: number,
  code: string,
  extra: { readonly fields?: string; readonly headers?: Readonly<Record<string, string>> } = {},
): void {
  const xml = `<Error><Code>${code}</Code><Message>Said by the service</Message>${extra.fields ?? ''}<RequestId>R</RequestId></Error>`;
  answerXml(response, status, xml, extra.headers);
}

const EMPTY_LISTING =
  '<ListBucketResult><Name>bucket</Name><Prefix></Prefix><KeyCount>0</KeyCount><MaxKeys>1000</MaxKeys><IsTruncated>false</IsTruncated></ListBucketResult>';

/** Lists as an empty bucket. */
export function listNothing(response: ServerResponse): void {
  answerXml(response, 200, EMPTY_LISTING);
}

function noting(
  asked: string[],
  listener: (request: IncomingMessage, response: ServerResponse) => void,
): RequestListener {
  return (request, response) => {
    asked.push(`${request.method} ${request.url}`);
    request.resume();
    listener(request, response);
  };
}

async function listening(server: Server, scheme: string, asked: string[]): Promise<HostileServer> {
  const sockets = new Set<Socket>();
  const reached = new Promise<void>((resolve) => {
    server.once('connection', () => resolve());
  });
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => sockets.delete(socket));
  });
  server.on('tlsClientError', () => {});
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return {
    port,
    endpoint: `${scheme}://127.0.0.1:${port}`,
    asked,
    reached,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
}
