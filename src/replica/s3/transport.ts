/** How fast a body may be sent. */
export interface Pace {
  /** The most that is sent at once. */
  readonly pieceBytes: number;
  /** Resolves when a piece of so many bytes may be sent. Rejects with the reason of the request's signal. */
  readonly wait: (bytes: number) => Promise<void>;
}

/** One request to an S3 service, before signing. */
export interface S3Request {
  readonly method: 'GET' | 'HEAD' | 'PUT' | 'POST' | 'DELETE';
  readonly bucket: string;
  /** The key as it is, not encoded; `undefined` for requests about the bucket. */
  readonly key: string | undefined;
  /** Names and values, not encoded; a name without value has `''`. */
  readonly query: Readonly<Record<string, string>>;
  /**
   * Lower-case names. `host`, `content-length`, `authorization`, `x-amz-date` and, unless it is given here,
   * `x-amz-content-sha256` are added by the transport.
   */
  readonly headers: Readonly<Record<string, string>>;
  /** The whole body: always in memory and of known length, so that it can be digested and sent again. */
  readonly body?: Uint8Array;
  /** Told before the body is sent once more; what was sent before may still be on its way from the same memory. */
  readonly onResend?: (() => void) | undefined;
  /** Waited for before each piece of the body. Not given: the body is sent at once. */
  readonly pace?: Pace;
  readonly signal?: AbortSignal | undefined;
}

/** The answer to a request, whatever its status. */
export interface S3Response {
  readonly status: number;
  /** Lower-case names; of repeated headers the values are joined with `, `. */
  readonly headers: Readonly<Record<string, string>>;
  /**
   * Must be read to the end or cancelled with `return()`. Throws when the connection breaks or the length is short. The memory of
   * a chunk holds until the next is asked for, or the reading ends.
   */
  readonly body: AsyncIterable<Uint8Array>;
}

/** The body of an answer that has none and has ended. Known by identity, so that nobody waits for what is not there. */
export const NO_BODY: AsyncIterable<Uint8Array> = {
  async *[Symbol.asyncIterator]() {},
};

/**
 * Sends one request and answers whatever the service says; never retries and never follows a redirect.
 * Throws only when no answer came (refused, reset, timed out, aborted): then nobody knows whether the service acted.
 */
export interface S3Transport {
  /** Sends one request. */
  send(request: S3Request): Promise<S3Response>;
  /** Ends all connections. */
  close(): Promise<void>;
}
