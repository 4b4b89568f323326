import { createHash } from 'node:crypto';
import { scanListing } from './list-scanner.js';

/** By what two answers to LIST can be compared without reading what they say of each object. */
export interface PageDigest {
  /** SHA-256 of the part of the document that describes objects, in hex. */
  readonly objects: string;
  readonly isTruncated: boolean;
  readonly urlEncoded: boolean;
}

const BEGIN = '<Contents>';
const END = '</Contents>';

/**
 * Makes the digest of an answer to ListObjectsV2. What is not about objects, such as where the page began and by which token the
 * next is asked for, does not count: it depends on how the page was asked for.
 *
 * @returns `undefined` when what describes objects does not stand in one piece.
 * @throws S3ConnectionError `ERR_S3_BAD_ANSWER` when the rest is no listing.
 */
export function digestPage(xml: string): PageDigest | undefined {
  const begin = xml.indexOf(BEGIN);
  const end = begin === -1 ? -1 : xml.lastIndexOf(END) + END.length;
  const rest = begin === -1 ? xml : xml.slice(0, begin) + xml.slice(end);
  if (!rest.includes('<IsTruncated>')) return undefined;
  const { objects, isTruncated, urlEncoded } = scanListing(rest);
  if (objects.length > 0) return undefined;
  const hash = createHash('sha256');
  if (begin !== -1) hash.update(xml.slice(begin, end));
  return { objects: hash.digest('hex'), isTruncated, urlEncoded };
}

/** Whether two answers say the same of the same objects, and both that there are more, or that there are none. */
export function isSamePage(a: PageDigest, b: PageDigest | undefined): boolean {
  return a.objects === b?.objects && a.isTruncated === b.isTruncated && a.urlEncoded === b.urlEncoded;
}
