import { WholeBody } from '../whole-body.js';
import { NO_BODY, type S3Response } from '../transport.js';

/** How much of an unwanted body is read to keep the connection; beyond it the connection is given up. */
const WORTH_READING_BYTES = 64 * 1024;

/** Gets rid of an answer's body. Never throws. */
export async function discard(response: S3Response): Promise<void> {
  if (response.body === NO_BODY || response.body instanceof WholeBody) return;
  let received = 0;
  try {
    for await (const chunk of response.body) {
      received += chunk.length;
      if (received > WORTH_READING_BYTES) return;
    }
  } catch {
    // Nobody wanted it.
  }
}
