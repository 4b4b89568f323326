/**
 * A content hash that can be compared across sides, as `scheme:value`.
 *
 * - `md5:<hex>`: MD5 of the whole content.
 * - `md5-8388608:<hex>-<parts>`: MD5 of the MD5s of parts of that many bytes, as S3 answers for a multipart upload.
 *
 * Two digests say something about each other only when their schemes are equal.
 */
export type Digest = string;

/** How a digest is made: over the whole content, or over parts of a fixed size. */
export interface DigestScheme {
  /** `undefined`: one MD5 over the whole content. */
  readonly partSizeBytes: number | undefined;
}

/** The scheme of a digest, or `undefined` when the string is not one of ours. */
export function schemeOf(digest: Digest): DigestScheme | undefined {
  const match = /^md5(?:-(\d+))?:/.exec(digest);
  if (match === null) return undefined;
  return { partSizeBytes: match[1] === undefined ? undefined : Number(match[1]) };
}

/** Compares contents by their digests; `unknown` when the schemes differ or one is not known. */
export function compareDigests(a: Digest | undefined, b: Digest | undefined): 'same' | 'different' | 'unknown' {
  if (a === undefined || b === undefined) return 'unknown';
  if (a.slice(0, a.indexOf(':')) !== b.slice(0, b.indexOf(':'))) return 'unknown';
  return a === b ? 'same' : 'different';
}
