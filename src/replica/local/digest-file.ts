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
  const buffer = bufferFor(sizeBytes);
  const parts: Buffer[] = [];
  for (let start = 0; start === 0 || start < sizeBytes; start += partSize) {
    const hash = createHash('md5');
    const end = Math.min(start + partSize, sizeBytes);
    if (!(await readBlocks(file, { start, end, buffer, signal }, (block) => void hash.update(block))))
      throw new StaleError('The file became shorter while it was read.');
    parts.push(hash.digest());
  }
  return combineParts(parts, scheme);
}

/** Memory to read so many bytes with, block by block. */
export function bufferFor(sizeBytes: number): Uint8Array {
  return Buffer.allocUnsafeSlow(Math.max(1, Math.min(BUFFER_BYTES, sizeBytes)));
}

/** What is read of a file, and into which memory. */
export interface BlockReading {
  readonly start: number;
  readonly end: number;
  readonly buffer: Uint8Array;
  readonly signal: AbortSignal | undefined;
}

/** Reads a part of a file block by block; answers whether all of it is there. A block is taken before the next is read. */
export async function readBlocks(
  file: Pick<FileHandle, 'read'>,
  { start, end, buffer, signal }: BlockReading,
  take: (block: Uint8Array, position: number) => Promise<void> | void,
): Promise<boolean> {
  for (let position = start; position < end;) {
    throwIfAborted(signal);
    const wanted = buffer.subarray(0, Math.min(buffer.length, end - position));
    if ((await file.read(wanted, position)) < wanted.length) return false;
    await take(wanted, position);
    position += wanted.length;
  }
  return true;
}

/** Makes a digest of the MD5s of the parts; without a part size there is one part, the whole. */
export function combineParts(parts: readonly Uint8Array[], scheme: DigestScheme): Digest {
  if (scheme.partSizeBytes === undefined) return `md5:${Buffer.from(parts[0] ?? []).toString('hex')}`;
  const combined = createHash('md5');
  for (const part of parts) combined.update(part);
  return `md5-${scheme.partSizeBytes}:${combined.digest('hex')}-${parts.length}`;
}
