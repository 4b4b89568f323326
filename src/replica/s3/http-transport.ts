import type { Hasher } from '../../core/hasher.js';
import type { Clock } from '../../core/runtime.js';
import type { ConfiguredClient } from './client-config.js';
import { clientTimeoutMs } from './client-timeout.js';
import { createClockOffset } from './clock-offset.js';
import { connectionError, isNotHttp } from './connection-error.js';
import { createDripGuard } from './drip-guard.js';
import { resolveBucketEndpoint, type BucketEndpoint } from './endpoint.js';
import type { FlowingBody } from './flowing-body.js';
import { createHttpClient } from './http/http-client.js';
import type { HttpAnswer } from './http/http-exchange.js';
import { pacedBody } from './paced-body.js';
import { hexOf } from './digest-text.js';
import type { HttpRequest } from './http/request-head.js';
import { createReceiveMemory } from './receive-memory.js';
import { RecentCredentials } from './recent-credentials.js';
import { createRequestSigner, hashPayload, type SigningCredentials } from './request-signer.js';
import { SHA256_HEADER } from './s3-api.js';
import { NO_BODY, type S3Request, type S3Response, type S3Transport } from './transport.js';
import { encodeKey, encodeQuery } from './uri.js';
import { WholeBody } from './whole-body.js';

/** Options of {@link createHttpTransport}. */
export interface HttpTransportOptions {
  /** Only its configuration is used: endpoint, region, credentials, path style. */
  readonly client: ConfiguredClient;
  readonly clock: Clock;
  /** Makes the SHA-256 of large bodies. Default: made here. */
  readonly hasher?: Hasher;
  /** Most connections to one host. Default 64. */
  readonly maxConnections?: number;
  /** Default: what was set for the client, at most 10 s. */
  readonly connectTimeoutMs?: number;
  /** Longest wait for the head of an answer. Default: what was set for the client, else 60 s. */
  readonly headersTimeoutMs?: number;
  /** Longest silence within a body, and longest wait for each further KiB of it. Default: as for the head. */
  readonly bodyTimeoutMs?: number;
}

/** An {@link S3Transport} that knows how far the service's clock is off. */
export interface HttpTransport extends S3Transport {
  /** Time of the service minus ours, in milliseconds, once the service refused a request for it. */
  readonly clockOffsetMs: number;
}

/** Up to here a body is hashed sooner than anybody could be asked to do it. */
const LARGE_BYTES = 256 * 1024;

/** A signature is refused from 15 minutes on; a 403 with a smaller difference has another reason. */
const SKEW_WORTH_CORRECTING_MS = 4 * 60_000;

/**
 * Sends requests over HTTP/1.1, signed with SigV4, to wherever the client's configuration points.
 *
 * Each request is sent once, but for one case: a 403 whose `Date` shows that our clock is off is signed again with the
 * right time. Errors are `S3ConnectionError` with `ERR_S3_UNREACHABLE`, `ERR_S3_DNS`, `ERR_S3_TIMEOUT`, `ERR_S3_TLS`,
 * `ERR_S3_NOT_HTTP`, `ERR_S3_CONNECTION_LOST`, `ERR_S3_CREDENTIALS`, `ERR_S3_REGION_MISSING`, `ERR_S3_ENDPOINT`.
 */
export function createHttpTransport(options: HttpTransportOptions): HttpTransport {
  const { client, clock, hasher } = options;
  const timeoutMs = clientTimeoutMs(client) ?? 60_000;
  const bodyTimeoutMs = options.bodyTimeoutMs ?? timeoutMs;
  const headersTimeoutMs = options.headersTimeoutMs ?? timeoutMs;
  const http = createHttpClient({
    maxConnections: options.maxConnections ?? 64,
    connectTimeoutMs: options.connectTimeoutMs ?? Math.min(timeoutMs, 10_000),
    headersTimeoutMs,
    bodyTimeoutMs,
    memory: createReceiveMemory(),
    nowMs: () => clock.nowMs(),
  });
  const sign = createRequestSigner();
  const offset = createClockOffset();
  const endpoints = new Map<string, BucketEndpoint>();
  const answered = new Set<string>();
  // A service that sends a body after HEAD all the same is noticed by what does not belong to the next answer.
  let closesAfterHead = false;

  const failureOf = (cause: unknown, origin: string): unknown => {
    const isOutOfStep = answered.has(origin) && isNotHttp(cause);
    if (isOutOfStep) closesAfterHead = true;
    return connectionError(cause, origin, isOutOfStep);
  };

  const findEndpoint = async (bucket: string): Promise<BucketEndpoint> => {
    const found = await resolveBucketEndpoint(client, bucket);
    endpoints.set(bucket, found);
    return found;
  };

  const hashBody = (body: Uint8Array | undefined): string | Promise<string> => {
    if (body === undefined || body.length < LARGE_BYTES || hasher === undefined) return hashPayload(body);
    const hashed = hasher.hash('sha256', body);
    return hashed instanceof Promise ? hashed.then(hexOf) : hexOf(hashed);
  };

  const credentials = new RecentCredentials(client, clock);
  const hashOf = ({ body, headers }: S3Request, { secure }: BucketEndpoint): string | Promise<string> =>
    headers[SHA256_HEADER] ?? (secure ? 'UNSIGNED-PAYLOAD' : hashBody(body));

  const signed = (
    { key, query: fields, method, headers: given, body, pace }: S3Request,
    endpoint: BucketEndpoint,
    payloadHash: string,
    by: SigningCredentials,
  ): HttpRequest => {
    const path = key === undefined ? endpoint.basePath || '/' : `${endpoint.basePath}/${encodeKey(key)}`;
    const query = encodeQuery(fields);
    const { host, region } = endpoint;
    const atMs = clock.nowMs() + offset.ms;
    const headers = sign({ method, host, path, query, headers: given, payloadHash, atMs, region, credentials: by });
    // Not signed: a proxy may change it. Compressed bytes would be handed on as they are.
    headers['accept-encoding'] = 'identity';
    return {
      method,
      target: query === '' ? path : `${path}?${query}`,
      headers,
      body,
      pieces: body === undefined || pace === undefined ? undefined : pacedBody(body, pace),
      isLast: closesAfterHead && method === 'HEAD',
    };
  };

  const responseOf = (answer: HttpAnswer, { origin }: BucketEndpoint): S3Response => ({
    status: answer.status,
    headers: answer.headers,
    body: bodyOf(answer, { origin, clock, longestMs: bodyTimeoutMs, failureOf }),
  });

  /** Whether an answer shows that our clock is so far off that this may be why it refuses; from then on it is reckoned with. */
  const correctsClock = ({ headers }: S3Response, sentMs: number): boolean => {
    const before = offset.ms;
    offset.observe(headers['date'], sentMs, clock.nowMs());
    return Math.abs(offset.ms - before) >= SKEW_WORTH_CORRECTING_MS;
  };

  return {
    get clockOffsetMs() {
      return offset.ms;
    },
    async send(request) {
      const { bucket, signal } = request;
      signal?.throwIfAborted();
      const endpoint = endpoints.get(bucket) ?? (await findEndpoint(bucket));
      const { origin } = endpoint;
      for (let isSecond = false; ; isSecond = true) {
        const hashed = hashOf(request, endpoint);
        const payloadHash = typeof hashed === 'string' ? hashed : await hashed;
        const by = credentials.atHand ?? (await credentials.ask());
        const sentMs = clock.nowMs();
        let answer: HttpAnswer;
        try {
          answer = await http.request(origin, signed(request, endpoint, payloadHash, by), signal);
        } catch (cause) {
          throw failureOf(cause, origin);
        }
        answered.add(origin);
        const response = responseOf(answer, endpoint);
        if (isSecond || response.status !== 403 || !correctsClock(response, sentMs)) return response;
        await response.body[Symbol.asyncIterator]().return?.();
        request.onResend?.();
      }
    },
    async close() {
      http.destroy();
    },
  };
}

/** Who sends a body, and how long it may be waited for. */
interface BodyGuard {
  readonly origin: string;
  readonly clock: Clock;
  readonly longestMs: number;
  readonly failureOf: (cause: unknown, origin: string) => unknown;
}

function bodyOf({ body }: HttpAnswer, guard: BodyGuard): AsyncIterable<Uint8Array> {
  if (body === undefined) return NO_BODY;
  return body instanceof WholeBody ? body : guardBody(body, guard);
}

/** Gives errors of the body our names, and gives up one that only drips. */
function guardBody(body: FlowingBody, { origin, clock, longestMs, failureOf }: BodyGuard): AsyncIterable<Uint8Array> {
  const drip = createDripGuard(clock, origin, longestMs);
  return {
    [Symbol.asyncIterator]: () => ({
      async next() {
        const askedMs = clock.nowMs();
        try {
          const step = await body.next();
          if (step.done !== true) drip.took(step.value.length, askedMs);
          return step;
        } catch (cause) {
          await body.return();
          throw failureOf(cause, origin);
        }
      },
      return: () => body.return(),
    }),
  };
}
