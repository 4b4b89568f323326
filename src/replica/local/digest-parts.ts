import { createHash } from 'node:crypto';
import type { FileHasher, FilePart, Hasher } from '../../core/hasher.js';
import { StaleError, throwIfAborted } from '../../errors.js';
import type { FileHandle } from './file-system.js';
import { bufferFor, readBlocks } from './read-blocks.js';

/** So much may be hashed together: it should be in memory still when it is. */
const MOST_TOGETHER_BYTES = 128 * 1024 * 1024;

/** How many parts of a file are worth being hashed together. */
export function partsTogether({ partsAtOnce }: FileHasher, partSizeBytes: number): number {
  return Math.max(1, Math.min(partsAtOnce, Math.floor(MOST_TOGETHER_BYTES / partSizeBytes)));
}

/** An open file, and how it is divided. */
export interface DividedFile {
  readonly file: FileHandle;
  readonly sizeBytes: number;
  /** The last part is shorter, or as long. An empty file has one part. */
  readonly partSizeBytes: number;
}

/** Options of {@link digestParts}. */
export interface DigestPartsOptions {
  /** Hashes parts of the file on other threads, where there are any. */
  readonly hasher?: Hasher | undefined;
  /** Which parts, counted from 0, ascending. Default: all. */
  readonly parts?: readonly number[] | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** The MD5s of the parts of a file, in constant memory. Throws `StaleError` when the file ends before `sizeBytes`. */
export async function digestParts(divided: DividedFile, options: DigestPartsOptions = {}): Promise<Uint8Array[]> {
  const { file, sizeBytes, partSizeBytes } = divided;
  const wanted =
    options.parts ?? Array.from({ length: Math.max(1, Math.ceil(sizeBytes / partSizeBytes)) }, (_, i) => i);
  const parts = wanted.map((part): FilePart => {
    const start = part * partSizeBytes;
    return { start, end: Math.min(start + partSizeBytes, sizeBytes) };
  });
  const files = options.hasher?.files;
  if (files === undefined || file.descriptor === undefined || parts.length === 1)
    return await digestHere(divided, parts, options.signal);
  return await digestElsewhere(divided, parts, { files, descriptor: file.descriptor, signal: options.signal });
}

/** Reads once and hashes on this thread. */
async function digestHere(
  { file, sizeBytes }: Pick<DividedFile, 'file' | 'sizeBytes'>,
  parts: readonly FilePart[],
  signal: AbortSignal | undefined,
): Promise<Uint8Array[]> {
  const buffer = bufferFor(sizeBytes);
  const md5s: Uint8Array[] = [];
  for (const { start, end } of parts) {
    const hash = createHash('md5');
    if (!(await readBlocks(file, { start, end, buffer, signal }, (block) => void hash.update(block)))) throw tooShort();
    md5s.push(hash.digest());
  }
  return md5s;
}

/**
 * Has parts hashed that are in memory by then: they are read here first, one after the other, because whoever hashes several
 * at once reads here and there, which a disk does slowly. While they are hashed, the next ones are read.
 */
async function digestElsewhere(
  { file, sizeBytes, partSizeBytes }: DividedFile,
  parts: readonly FilePart[],
  { files, descriptor, signal }: { files: FileHasher; descriptor: number; signal: AbortSignal | undefined },
): Promise<Uint8Array[]> {
  const buffer = bufferFor(sizeBytes);
  const md5s: Uint8Array[] = [];
  const hash = async (together: readonly FilePart[]): Promise<void> => {
    const found = await files.hash('md5', { descriptor, parts: together, totalBytes: sizeBytes });
    for (const [i, part] of together.entries()) {
      const md5 = found[i];
      md5s.push(...(md5 === undefined ? await digestHere({ file, sizeBytes }, [part], signal) : [md5]));
    }
  };
  let hashing = Promise.resolve();
  try {
    const count = partsTogether(files, partSizeBytes);
    for (let first = 0; first < parts.length; first += count) {
      const together = parts.slice(first, first + count);
      for (const { start, end } of together)
        if (!(await readBlocks(file, { start, end, buffer, signal }, () => {}))) throw tooShort();
      await hashing;
      throwIfAborted(signal);
      hashing = hash(together);
      // Met when it is waited for, whatever else fails before.
      hashing.catch(() => undefined);
    }
    await hashing;
    return md5s;
  } finally {
    // Nobody reads the file any more when its caller closes it.
    await hashing.catch(() => undefined);
  }
}

function tooShort(): StaleError {
  return new StaleError('The file became shorter while it was read.');
}
