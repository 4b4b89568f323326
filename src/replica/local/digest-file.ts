import { createHash } from 'node:crypto';
import type { Digest, DigestScheme } from '../../core/digest.js';
import { StaleError, throwIfAborted } from '../../errors.js';
import type { FileHandle } from './file-system.js';

const BUFFER_BYTES = 1024 * 1024;

/** Computes a file's digest in one pass, in constant memory. Throws `StaleError` when the file ends before `sizeBytes`. */
export async function digestFile(
  file: FileHandle,
  sizeBytes: number,
  scheme: DigestScheme,
  signal?: AbortSignal,
): Promise<Digest> {
  const partSize = scheme.partSizeBytes ?? Math.max(sizeBytes, 1);
  const buffer = Buffer.allocUnsafeSlow(Math.max(1, Math.min(BUFFER_BYTES, sizeBytes)));
  const parts: Buffer[] = [];
  let hash = createHash('md5');
  let position = 0;
  while (position < sizeBytes) {
    throwIfAborted(signal);
    const partEnd = (parts.length + 1) * partSize;
    const wanted = buffer.subarray(0, Math.min(buffer.length, sizeBytes - position, partEnd - position));
    const count = await file.read(wanted, position);
    if (count < wanted.length) throw new StaleError('The file became shorter while it was read.');
    hash.update(wanted);
    position += count;
    if (position === partEnd && position < sizeBytes) {
      parts.push(hash.digest());
      hash = createHash('md5');
    }
  }
  parts.push(hash.digest());
  return combineParts(parts, scheme);
}

/** Makes a digest of the MD5s of the parts; without a part size there is one part, the whole. */
export function combineParts(parts: readonly Uint8Array[], scheme: DigestScheme): Digest {
  if (scheme.partSizeBytes === undefined) return `md5:${Buffer.from(parts[0] ?? []).toString('hex')}`;
  const combined = createHash('md5');
  for (const part of parts) combined.update(part);
  return `md5-${scheme.partSizeBytes}:${combined.digest('hex')}-${parts.length}`;
}
