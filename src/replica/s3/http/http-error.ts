/** What went wrong on a connection that was made. What Node.js says of the network itself keeps its own codes. */
export type HttpErrorCode =
  | 'ERR_HTTP_ANSWER'
  | 'ERR_HTTP_CUT_SHORT'
  | 'ERR_HTTP_TIMEOUT'
  | 'ERR_HTTP_CONNECT_TIMEOUT'
  | 'ERR_HTTP_REQUEST';

/**
 * A failure of HTTP/1.1: `ERR_HTTP_ANSWER` what came is no answer; `ERR_HTTP_CUT_SHORT` the connection ended before the answer
 * had; `ERR_HTTP_TIMEOUT`, `ERR_HTTP_CONNECT_TIMEOUT` nothing came in time; `ERR_HTTP_REQUEST` the request cannot be written.
 */
export class HttpError extends Error {
  override readonly name = 'HttpError';
  readonly code: HttpErrorCode;

  constructor(code: HttpErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}
