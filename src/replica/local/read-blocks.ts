import { throwIfAborted } from '../../errors.js';
import type { FileHandle } from './file-system.js';

const BUFFER_BYTES = 1024 * 1024;

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
