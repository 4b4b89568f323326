import { WholeBody } from '../whole-body.js';
import { NO_BODY, type S3Response } from '../transport.js';

/** How much of an unwanted body is read to keep the connection; beyond it the connection is given up. */
const WORTH_READING_BYTES = 64 * 1024;

/** Gets rid of an answer's body. Never throws. `undefined`: it is all there, or there is none. */
export function discard({ body }: S3Response): Promise<void> | undefined {
  return body === NO_BODY || body instanceof WholeBody ? undefined : readToEnd(body);
}

async function readToEnd(body: S3Response['body']): Promise<void> {
  let received = 0;
  try {
    for await (const chunk of body) {
      received += chunk.length;
      if (received > WORTH_READING_BYTES) return;
    }
  } catch {
    // Nobody wanted it.
  }
}
