import { HttpError } from './http-error.js';

/** A request as it goes over the wire. */
export interface HttpRequest {
  readonly method: string;
  /** Path and query, encoded. */
  readonly target: string;
  /** Lower-case names, without `content-length` and `connection`. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array | undefined;
  /** The body again, piece by piece, each when it may be sent; `undefined`: it is sent at once. */
  readonly pieces: AsyncIterable<Uint8Array> | undefined;
  /** The service is asked to close the connection afterwards. */
  readonly isLast: boolean;
}

const TARGET = /^[!-~]+$/;
/** A value may hold any byte above the control characters. */
const VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;

/**
 * Writes what precedes a body. Each character is a byte.
 *
 * @throws HttpError `HTTP_REQUEST` where a value would end its line, or has a character that is no byte.
 */
export function requestHead({ method, target, headers, body, isLast }: HttpRequest): string {
  if (!TARGET.test(target)) throw new HttpError('HTTP_REQUEST', 'the target of the request is not encoded');
  let head = `${method} ${target} HTTP/1.1\r\n`;
  for (const name in headers) {
    const value = headers[name] ?? '';
    if (!VALUE.test(value)) throw new HttpError('HTTP_REQUEST', `the header ${name} holds what no header can`);
    head += `${name}: ${value}\r\n`;
  }
  const mayHaveBody = method === 'PUT' || method === 'POST';
  if (body !== undefined || mayHaveBody) head += `content-length: ${body?.length ?? 0}\r\n`;
  return `${head}connection: ${isLast ? 'close' : 'keep-alive'}\r\n\r\n`;
}
