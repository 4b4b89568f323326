import { S3ConnectionError } from '../../errors.js';
import type { S3Response } from './transport.js';
import { WholeBody } from './whole-body.js';

/** The body of a response that has come to its end already; `undefined` of any other. */
export function wholeBodyOf({ body }: S3Response): Uint8Array | undefined {
  return body instanceof WholeBody ? body.take() : undefined;
}

/**
 * Reads a whole body into memory.
 *
 * @throws what `tooLong` makes when it is longer than `mostBytes`: no honest answer is. Default: S3ConnectionError
 * `ERR_S3_BAD_ANSWER`.
 */
export async function readBody(
  response: S3Response,
  mostBytes: number,
  tooLong: () => Error = () => longAnswer(mostBytes),
): Promise<Uint8Array> {
  const whole = wholeBodyOf(response);
  if (whole !== undefined) {
    if (whole.length > mostBytes) throw tooLong();
    return whole;
  }
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of response.body) {
    length += chunk.length;
    if (length > mostBytes) throw tooLong();
    chunks.push(Buffer.from(chunk));
  }
  return chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks, length);
}

function longAnswer(mostBytes: number): S3ConnectionError {
  return new S3ConnectionError(
    'ERR_S3_BAD_ANSWER',
    `The S3 service answered more than ${mostBytes} bytes where less was expected. The answer was thrown away; check the endpoint.`,
  );
}
