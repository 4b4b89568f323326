import type { S3Response, S3Transport } from '../../replica/s3/transport.js';
import type { AnswerBody, S3Service } from './service.js';

/**
 * Sends the requests of a client straight to a service, without HTTP, signatures or sockets.
 *
 * @example
 * ```ts
 * const transport = serviceTransport(new SimulatedS3());
 * const answer = await transport.send({ method: 'GET', bucket: '', key: undefined, query: {}, headers: {} });
 * console.log(answer.status);
 * ```
 */
export function serviceTransport(service: S3Service): S3Transport {
  return {
    async send(request) {
      request.signal?.throwIfAborted();
      const { method, bucket, key, query, headers, body, pace } = request;
      for (let at = 0; pace !== undefined && at < (body?.length ?? 0); at += pace.pieceBytes)
        await pace.wait(Math.min(pace.pieceBytes, (body?.length ?? 0) - at));
      const answer = await service.handle({
        method,
        bucket: bucket === '' ? undefined : bucket,
        key: key === '' ? undefined : key,
        query,
        headers,
        ...(body === undefined ? {} : { body, sizeBytes: body.length }),
      });
      request.signal?.throwIfAborted();
      return {
        status: answer.status,
        headers: answer.headers,
        body: copies(answer.body, request.signal),
      } satisfies S3Response;
    },
    close: () => Promise.resolve(),
  };
}

/** Copies, because the receiver may do with its bytes what it likes. */
async function* copies(body: AnswerBody, signal: AbortSignal | undefined): AsyncGenerator<Uint8Array, void> {
  if (body === undefined) return;
  if (body instanceof Uint8Array) {
    if (body.length > 0) yield* lent(body);
    return;
  }
  for await (const chunk of body) {
    signal?.throwIfAborted();
    yield* lent(chunk);
  }
}

/** Gives a copy that does not outlast its time: memory of a chunk holds until the next one is asked for. */
function* lent(chunk: Uint8Array): Generator<Uint8Array, void> {
  const copy = Uint8Array.prototype.slice.call(chunk);
  try {
    yield copy;
  } finally {
    copy.fill(0xdd);
  }
}
