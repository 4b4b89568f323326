/** S3 takes so many parts in one upload (Amazon S3 User Guide, "Multipart upload limits"). */
export const MAX_PARTS = 10_000;

const MIB = 1024 * 1024;

/** The part size of a file: the usual one, or as many whole MiB as are needed to stay within 10,000 parts. */
export function partSizeFor(sizeBytes: number, usualBytes: number): number {
  if (sizeBytes <= usualBytes * MAX_PARTS) return usualBytes;
  return Math.ceil(sizeBytes / MAX_PARTS / MIB) * MIB;
}

/** A part of a file, from its first byte to the one after its last, numbered from 1. */
export interface FilePartRange {
  readonly number: number;
  readonly start: number;
  readonly end: number;
}

/** The parts of a file, in order. */
export function partsOf(sizeBytes: number, partSizeBytes: number): FilePartRange[] {
  const count = Math.ceil(sizeBytes / partSizeBytes);
  return Array.from({ length: count }, (_, i) => ({
    number: i + 1,
    start: i * partSizeBytes,
    end: Math.min(sizeBytes, (i + 1) * partSizeBytes),
  }));
}
