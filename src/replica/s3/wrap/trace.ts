import type { Clock } from '../../../core/runtime.js';
import type { S3Request, S3Transport } from '../transport.js';
import { hookBody } from './body-hooks.js';

/** One request that went out, told when its answer ended. */
export interface RequestEvent {
  /** The name AWS gives the operation, such as `PutObject`. */
  readonly operation: string;
  readonly key: string | undefined;
  /** `undefined`: no answer came. */
  readonly status: number | undefined;
  readonly sentBytes: number;
  readonly receivedBytes: number;
  readonly durationMs: number;
}

/** Sums of what went out so far. */
export interface RequestCounters {
  readonly requests: number;
  readonly sentBytes: number;
  readonly receivedBytes: number;
  readonly byOperation: Readonly<Record<string, number>>;
}

/** Options of {@link withTrace}. */
export interface TraceOptions {
  readonly clock: Clock;
  readonly onRequest?: ((event: RequestEvent) => void) | undefined;
  /** Called with the `Date` of each answer. */
  readonly onDate?: (dateHeader: string | undefined, sentMs: number, receivedMs: number) => void;
}

/** A transport that counts. */
export interface TracedTransport extends S3Transport {
  readonly counters: RequestCounters;
}

/** Counts requests by operation, and bytes of bodies in both directions; each attempt counts. */
export function withTrace(inner: S3Transport, options: TraceOptions): TracedTransport {
  const byOperation: Record<string, number> = {};
  let requests = 0;
  let sentBytes = 0;
  let receivedBytes = 0;
  return {
    get counters() {
      return { requests, sentBytes, receivedBytes, byOperation: { ...byOperation } };
    },
    send(request) {
      const operation = operationOf(request);
      const sent = request.body?.length ?? 0;
      const sentMs = options.clock.nowMs();
      requests++;
      sentBytes += sent;
      byOperation[operation] = (byOperation[operation] ?? 0) + 1;
      const tell = (status: number | undefined, received: number): void => {
        if (options.onRequest === undefined) return;
        const durationMs = options.clock.nowMs() - sentMs;
        options.onRequest({
          operation,
          key: request.key,
          status,
          sentBytes: sent,
          receivedBytes: received,
          durationMs,
        });
      };
      return inner.send(request).then(
        (response) => {
          options.onDate?.(response.headers['date'], sentMs, options.clock.nowMs());
          let received = 0;
          return hookBody(response, {
            onBytes(count) {
              received += count;
              receivedBytes += count;
            },
            onEnd: () => tell(response.status, received),
          });
        },
        (error: unknown) => {
          tell(undefined, 0);
          throw error;
        },
      );
    },
    close: () => inner.close(),
  };
}

/** Names the operation of a request as AWS does. */
export function operationOf({ method, key, query, headers }: S3Request): string {
  if (key === undefined) return method === 'GET' ? 'ListObjectsV2' : 'HeadBucket';
  const copies = 'x-amz-copy-source' in headers;
  const upload = 'uploadId' in query;
  switch (method) {
    case 'GET':
      return upload ? 'ListParts' : 'GetObject';
    case 'HEAD':
      return 'HeadObject';
    case 'POST':
      return upload ? 'CompleteMultipartUpload' : 'CreateMultipartUpload';
    case 'DELETE':
      return upload ? 'AbortMultipartUpload' : 'DeleteObject';
    case 'PUT':
      if (upload) return copies ? 'UploadPartCopy' : 'UploadPart';
      return copies ? 'CopyObject' : 'PutObject';
  }
}
