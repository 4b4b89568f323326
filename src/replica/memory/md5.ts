import { createHash } from 'node:crypto';
import type { Digest, DigestScheme } from '../../core/digest.js';

/** Digest of content that is in memory, in a given scheme. */
export function md5Digest(content: Uint8Array, scheme: DigestScheme): Digest {
  const { partSizeBytes } = scheme;
  if (partSizeBytes === undefined) return `md5:${createHash('md5').update(content).digest('hex')}`;
  const all = createHash('md5');
  let parts = 0;
  // An empty multipart upload has one empty part.
  do {
    const start = parts * partSizeBytes;
    all.update(
      createHash('md5')
        .update(content.subarray(start, start + partSizeBytes))
        .digest(),
    );
    parts++;
  } while (parts * partSizeBytes < content.length);
  return `md5-${partSizeBytes}:${all.digest('hex')}-${parts}`;
}
