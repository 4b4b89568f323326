import { createHash } from 'node:crypto';

/** The ETag of an object made of parts, where a store makes it of their MD5s. */
export function combinedEtag(md5s: readonly Uint8Array[]): string {
  return `${createHash('md5').update(Buffer.concat(md5s)).digest('hex')}-${md5s.length}`;
}
