/** Which digest of a piece of memory is wanted. */
export type HashAlgorithm = 'md5' | 'sha256';

/** What is hashed of an open file. */
export interface FileParts {
  /** The number by which this process knows the file. It has to stay open until the digests are there. */
  readonly descriptor: number;
  readonly parts: readonly FilePart[];
  /** How long all parts of the file are that are hashed so. */
  readonly totalBytes: number;
}

/** A part of a file, from its first byte to the one after its last. */
export interface FilePart {
  readonly start: number;
  readonly end: number;
}

/** Makes digests of open files on other threads. */
export interface FileHasher {
  /** So many parts that are asked for together cost the least: of one alone each step waits for the one before. */
  readonly partsAtOnce: number;
  /**
   * The digests of parts of a file; `undefined`: whoever asks has to make it, because there is no thread for it, or not all of
   * that part could be read.
   */
  hash(algorithm: HashAlgorithm, file: FileParts): Promise<readonly (Uint8Array | undefined)[]>;
}

/** Makes digests of large pieces of memory, here or on other threads. What it answers is the same everywhere; when it answers is not. */
export interface Hasher {
  /** Memory of which digests are made without a copy of it. What is in it is arbitrary. */
  allocate(sizeBytes: number): Uint8Array;
  /** The digest of bytes, which have to stay as they are until it is there: at once where it is made here. */
  hash(algorithm: HashAlgorithm, bytes: Uint8Array): Uint8Array | Promise<Uint8Array>;
  /** Missing where there are never any other threads. */
  readonly files?: FileHasher;
}
