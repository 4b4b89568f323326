/** What went wrong on a connection that was made. What Node.js says of the network itself keeps its own codes. */
export type HttpErrorCode = 'HTTP_ANSWER' | 'HTTP_CUT_SHORT' | 'HTTP_TIMEOUT' | 'HTTP_CONNECT_TIMEOUT' | 'HTTP_REQUEST';

/**
 * A failure of HTTP/1.1: `HTTP_ANSWER` what came is no answer; `HTTP_CUT_SHORT` the connection ended before the answer
 * had; `HTTP_TIMEOUT`, `HTTP_CONNECT_TIMEOUT` nothing came in time; `HTTP_REQUEST` the request cannot be written.
 */
export class HttpError extends Error {
  override readonly name = 'HttpError';
  readonly code: HttpErrorCode;

  constructor(code: HttpErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}
