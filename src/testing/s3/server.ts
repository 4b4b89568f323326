import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { UsageError } from '../../errors.js';
import { decodeChunked } from './aws-chunked.js';
import type { Dialect, DialectName } from './dialects.js';
import { DirectoryStorage } from './directory-storage.js';
import { type FaultPlan, withFaults } from './faults.js';
import { coreQuery, headersOfQuery, type ParsedRequest, parseRequest } from './http-request.js';
import { MemoryStorage } from './memory-storage.js';
import { ConnectionBroken, type S3Service, type ServiceAnswer, type ServiceRequest } from './service.js';
import { errorAnswer, ServiceError } from './service-error.js';
import { SERVER_NAME, SimulatedS3 } from './simulated-s3.js';
import { type Authenticated, authenticate, type ServerCredentials } from './sigv4.js';

/** Options of {@link startS3Server}. */
export interface S3ServerOptions {
  /** Default 0: any free one. */
  readonly port?: number;
  /** Keep everything in this folder, over restarts. Default: in memory. */
  readonly directory?: string;
  /** With `directory`: wait for the disk before answering. Default `true`. */
  readonly durable?: boolean;
  /** The one pair of keys that is let in. */
  readonly credentials: ServerCredentials;
  /** Default `'aws'`. */
  readonly dialect?: DialectName | Dialect;
  readonly faults?: FaultPlan;
  /** Default `'us-east-1'`. */
  readonly region?: string;
  /** Told one line per request, and what went wrong inside. Never holds a secret. */
  readonly log?: (line: string) => void;
}

/** A server that runs. */
export interface S3Server extends AsyncDisposable {
  /** `http://127.0.0.1:PORT`. Buckets are also at `http://BUCKET.localhost:PORT`. */
  readonly endpoint: string;
  readonly port: number;
  /** The service behind the server, to look at and to put things into. */
  readonly core: SimulatedS3;
  /** Stops listening, lets running requests end (at most 5 s), and closes the storage. */
  close(): Promise<void>;
}

const GRACE_MS = 5000;

/**
 * Starts an S3 server on 127.0.0.1, for trying out and for tests: one pair of keys, no TLS, no other address.
 *
 * Bodies are streamed both ways. Throws `UsageError` without keys, and when the port or the folder is taken.
 *
 * @example
 * ```ts
 * import { s3 } from 'filecloudsync';
 * import { startS3Server } from 'filecloudsync/testing';
 *
 * const credentials = { accessKeyId: 'any', secretAccessKey: 'any' };
 * await using server = await startS3Server({ credentials });
 * server.core.createBucket('pictures');
 * const client = await s3.connect({ ...credentials, endpoint: server.endpoint, region: 'us-east-1' });
 * await s3.sync(client, 'pictures', 'photos');
 * ```
 */
export async function startS3Server(options: S3ServerOptions): Promise<S3Server> {
  const { directory, credentials } = options;
  // From JavaScript they can be missing, and then nothing could ever be asked of the server.
  if (!hasKeys(credentials)) {
    throw new UsageError(
      'ERR_OPTION',
      'The S3 server needs the one pair of keys that it lets in: give it credentials: { accessKeyId, secretAccessKey }, any two texts.',
    );
  }
  const storage =
    directory === undefined
      ? new MemoryStorage()
      : await DirectoryStorage.open(directory, options.durable === undefined ? {} : { durable: options.durable });
  const core = await SimulatedS3.open(storage, options);
  const service = options.faults === undefined ? core : withFaults(core, options.faults, core.runtime);
  const log = options.log ?? (() => undefined);
  const listener = (message: IncomingMessage, response: ServerResponse): void => {
    serve(message, response, { service, core, credentials: [credentials], log }).catch((error: unknown) => {
      log(`${message.method} ${message.url?.split('?')[0]} broke: ${String(error)}`);
      response.destroy();
    });
  };
  // 64 KiB of headers: keys of 1024 bytes come three times as long, and presigned URLs carry everything.
  const server = createServer(
    { maxHeaderSize: 65_536, keepAliveTimeout: 65_000, requestTimeout: 0, headersTimeout: 60_000, noDelay: true },
    listener,
  );
  // Whoever waits for a go-ahead gets it when the body is first read, so a refused request sends none.
  server.on('checkContinue', listener);
  try {
    await listen(server, options.port ?? 0);
  } catch (error) {
    await core.close();
    throw error;
  }
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const close = async (): Promise<void> => {
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    server.closeIdleConnections();
    const timer = setTimeout(() => server.closeAllConnections(), GRACE_MS);
    await closed;
    clearTimeout(timer);
    await core.close();
  };
  let closing: Promise<void> | undefined;
  const closeOnce = (): Promise<void> => (closing ??= close());
  return { endpoint: `http://127.0.0.1:${port}`, port, core, close: closeOnce, [Symbol.asyncDispose]: closeOnce };
}

interface Serving {
  readonly service: S3Service;
  readonly core: SimulatedS3;
  readonly credentials: readonly ServerCredentials[];
  readonly log: (line: string) => void;
}

async function serve(message: IncomingMessage, response: ServerResponse, serving: Serving): Promise<void> {
  let answer: ServiceAnswer;
  try {
    const parsed = parseRequest(message);
    const auth = authenticate(parsed.signed, serving.credentials, serving.core.runtime.clock.nowMs());
    answer = await serving.service.handle(serviceRequest(message, response, parsed, auth));
  } catch (error) {
    if (error instanceof ConnectionBroken) {
      message.socket.resetAndDestroy();
      return;
    }
    // The sender is gone: there is nobody to answer.
    if (message.destroyed && !message.complete) return;
    if (!(error instanceof ServiceError))
      serving.log(
        `${message.method} failed inside: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`,
      );
    const refusal = error instanceof ServiceError ? error : new ServiceError('InternalError');
    answer = errorAnswer(refusal, message.method ?? '', message.url?.split('?')[0] ?? '', 'REFUSED');
    answer.headers['server'] = SERVER_NAME;
    answer.headers['date'] = new Date(serving.core.runtime.clock.nowMs()).toUTCString();
    answer.headers['x-amz-request-id'] = 'REFUSED';
  }
  serving.log(`${answer.status} ${message.method} ${message.url?.split('?')[0]}`);
  await sendAnswer(message, response, answer);
}

function serviceRequest(
  message: IncomingMessage,
  response: ServerResponse,
  parsed: ParsedRequest,
  auth: Authenticated,
): ServiceRequest {
  const { signed, method, bucket, key } = parsed;
  const headers = auth.presigned ? { ...headersOfQuery(signed.query), ...signed.headers } : signed.headers;
  const request = { method, bucket, key, query: coreQuery(signed.query, auth.presigned), headers };
  const declared = headers['content-length'];
  const isEncoded = headers['transfer-encoding'] !== undefined;
  const isFramed = auth.payload.startsWith('STREAMING-');
  if (!isEncoded && (declared === undefined || declared === '0') && !isFramed) {
    if (declared === undefined && method === 'PUT' && key !== undefined && headers['x-amz-copy-source'] === undefined)
      throw new ServiceError('MissingContentLength');
    checkEmpty(auth.payload);
    return request;
  }
  const raw = bodyOf(message, response);
  if (!isFramed) {
    if (isEncoded)
      throw new ServiceError('NotImplemented', {
        message: 'A header you provided implies functionality that is not implemented: Transfer-Encoding',
      });
    // Compared where it is stored with what was signed, which a presigned request has in its query.
    return {
      ...request,
      headers: { ...headers, 'x-amz-content-sha256': auth.payload },
      body: raw,
      sizeBytes: Number(declared),
    };
  }
  if (!/^STREAMING-(AWS4-HMAC-SHA256-PAYLOAD(-TRAILER)?|UNSIGNED-PAYLOAD-TRAILER)$/.test(auth.payload))
    throw new ServiceError('NotImplemented', { fields: { Header: 'x-amz-content-sha256' } });
  const decoded = headers['x-amz-decoded-content-length'];
  if (decoded === undefined || !/^\d{1,15}$/.test(decoded)) throw new ServiceError('MissingContentLength');
  const { body, trailers } = decodeChunked(raw, auth);
  return { ...request, body, trailers, sizeBytes: Number(decoded) };
}

const EMPTY_PAYLOADS: ReadonlySet<string> = new Set([
  'UNSIGNED-PAYLOAD',
  'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
]);

function checkEmpty(payload: string): void {
  if (!EMPTY_PAYLOADS.has(payload)) throw new ServiceError('XAmzContentSHA256Mismatch');
}

async function* bodyOf(message: IncomingMessage, response: ServerResponse): AsyncIterable<Uint8Array> {
  if (message.headers.expect?.toLowerCase() === '100-continue') response.writeContinue();
  // The message outlives this loop: an answer must still go out over its socket.
  yield* message.iterator({ destroyOnReturn: false });
}

async function sendAnswer(message: IncomingMessage, response: ServerResponse, answer: ServiceAnswer): Promise<void> {
  const { status, headers, body } = answer;
  // What was not read of the request has to be, before the connection can carry another one. A client that waits for a go-ahead sends nothing.
  if (!message.complete && message.headers.expect !== undefined) headers['connection'] = 'close';
  response.sendDate = false;
  response.writeHead(status, headers);
  if (body === undefined || body instanceof Uint8Array) {
    response.end(body);
    message.resume();
    return;
  }
  const chunks = body[Symbol.asyncIterator]();
  try {
    for (let next = await chunks.next(); next.done !== true; next = await chunks.next()) {
      if (response.destroyed) break;
      if (!response.write(next.value)) await drained(response);
    }
    if (!response.destroyed) response.end();
  } catch (error) {
    // Half an answer must not look like a whole one.
    response.destroy();
    if (!(error instanceof ConnectionBroken)) throw error;
  } finally {
    await chunks.return?.();
  }
}

function drained(response: ServerResponse): Promise<void> {
  if (response.destroyed) return Promise.resolve();
  return new Promise((resolve) => {
    const done = (): void => {
      response.off('drain', done);
      response.off('close', done);
      resolve();
    };
    response.on('drain', done);
    response.on('close', done);
  });
}

function hasKeys(credentials: Partial<ServerCredentials> | undefined): boolean {
  return typeof credentials?.accessKeyId === 'string' && typeof credentials.secretAccessKey === 'string';
}

function listen(server: Server, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) =>
      reject(
        error.code === 'EADDRINUSE' || error.code === 'EACCES'
          ? new UsageError(
              'ERR_S3_SERVER_PORT',
              `The S3 server cannot listen on port ${port} of 127.0.0.1 (${error.code}): stop what uses it, or take port 0 for any free one.`,
              { cause: error, data: { port } },
            )
          : error,
      ),
    );
    server.listen(port, '127.0.0.1', () => resolve());
  });
}
