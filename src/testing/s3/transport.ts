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
async function* copies(body: AnswerBody, signal: AbortSignal | undefined): AsyncIterable<Uint8Array> {
  if (body === undefined) return;
  if (body instanceof Uint8Array) {
    if (body.length > 0) yield Uint8Array.prototype.slice.call(body);
    return;
  }
  for await (const chunk of body) {
    signal?.throwIfAborted();
    yield Uint8Array.prototype.slice.call(chunk);
  }
}
