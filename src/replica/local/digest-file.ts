import { createHash } from 'node:crypto';
import type { Digest, DigestScheme } from '../../core/digest.js';
import { digestParts, type DigestPartsOptions } from './digest-parts.js';
import type { FileHandle } from './file-system.js';

/** Computes a file's digest, in constant memory. Throws `StaleError` when the file ends before `sizeBytes`. */
export async function digestFile(
  file: FileHandle,
  sizeBytes: number,
  scheme: DigestScheme,
  options: DigestPartsOptions = {},
): Promise<Digest> {
  const partSizeBytes = scheme.partSizeBytes ?? Math.max(sizeBytes, 1);
  return combineParts(await digestParts({ file, sizeBytes, partSizeBytes }, options), scheme);
}

/** Makes a digest of the MD5s of the parts; without a part size there is one part, the whole. */
export function combineParts(parts: readonly Uint8Array[], scheme: DigestScheme): Digest {
  if (scheme.partSizeBytes === undefined) return `md5:${Buffer.from(parts[0] ?? []).toString('hex')}`;
  const combined = createHash('md5');
  for (const part of parts) combined.update(part);
  return `md5-${scheme.partSizeBytes}:${combined.digest('hex')}-${parts.length}`;
}
