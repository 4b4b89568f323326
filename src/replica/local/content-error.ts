import type { Digest } from '../../core/digest.js';
import { showPath } from '../../core/path.js';
import { PathError } from '../../errors.js';

/** What came is not as long as what was asked for. */
export function incomplete(path: string, expected: number, found: number): PathError {
  return new PathError(
    'ERR_DOWNLOAD_INCOMPLETE',
    `The content of ${showPath(path)} came with the wrong length: ${expected} bytes were asked for, ${found} or more came. It was not put into place; the next run tries again.`,
    { retryable: true, data: { path, expected, found } },
  );
}

/** What came has another digest than it should. */
export function mismatch(path: string, expected: Digest, found: Digest): PathError {
  return new PathError(
    'ERR_CONTENT_MISMATCH',
    `The content of ${showPath(path)} was damaged on its way: its digest is ${found}, expected was ${expected}. It was not put into place; the next run tries again.`,
    { retryable: true, data: { path, expected, found } },
  );
}
