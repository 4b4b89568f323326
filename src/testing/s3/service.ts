import type { S3Request } from '../../replica/s3/transport.js';

/** A request as the service core sees it: authenticated, decoded, without transfer framing. */
export interface ServiceRequest {
  readonly method: S3Request['method'];
  readonly bucket: string | undefined;
  /** The key as it is, not encoded; `undefined` for requests about the bucket or the service. */
  readonly key: string | undefined;
  readonly query: Readonly<Record<string, string>>;
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: Uint8Array | AsyncIterable<Uint8Array>;
  /** Length of `body`, when the sender declared it. */
  readonly sizeBytes?: number | undefined;
  /** Headers that follow the body; asked only after the body was read to its end. */
  readonly trailers?: () => Readonly<Record<string, string>>;
}

/** Bytes at once when they are in memory and small, else a stream that must be read to the end or cancelled with `return()`. */
export type AnswerBody = Uint8Array | AsyncIterable<Uint8Array> | undefined;

/** The core's answer, whatever its status. `content-length` is always right for the whole body. */
export interface ServiceAnswer {
  readonly status: number;
  /** Lower-case names. */
  readonly headers: Record<string, string>;
  readonly body: AnswerBody;
}

/** Something that answers S3 requests: the core, or a decorator around it. */
export interface S3Service {
  /** Throws {@link ConnectionBroken} when the connection breaks instead of an answer; never for a refused request. */
  handle(request: ServiceRequest): Promise<ServiceAnswer>;
}

/**
 * The connection broke before a whole answer came; whether the service acted is not known to the client.
 *
 * @example
 * ```ts
 * import { ConnectionBroken, type S3Service } from 'filecloudsync/testing';
 *
 * const deaf: S3Service = {
 *   handle: () => Promise.reject(new ConnectionBroken('nobody is there')),
 * };
 * ```
 */
export class ConnectionBroken extends Error {
  readonly code = 'ECONNRESET';

  constructor(message: string) {
    super(message);
    this.name = 'ConnectionBroken';
  }
}
