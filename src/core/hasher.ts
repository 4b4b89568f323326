/** Which digest of a piece of memory is wanted. */
export type HashAlgorithm = 'md5' | 'sha256';

/** What is hashed of an open file. */
export interface FilePart {
  /** The number by which this process knows the file. It has to stay open until the digest is there. */
  readonly descriptor: number;
  readonly start: number;
  readonly end: number;
  /** How long all parts of the file are that are hashed so. */
  readonly totalBytes: number;
}

/** Makes digests of large pieces of memory, here or on other threads. What it answers is the same everywhere; when it answers is not. */
export interface Hasher {
  /** Memory of which digests are made without a copy of it. What is in it is arbitrary. */
  allocate(sizeBytes: number): Uint8Array;
  /** The digest of bytes, which have to stay as they are until it resolves. */
  hash(algorithm: HashAlgorithm, bytes: Uint8Array): Promise<Uint8Array>;
  /**
   * The digest of a part of a file, read and made on another thread; `undefined`: whoever asks has to make it, because there is
   * no thread for it, or not all of that part could be read. Missing where there are never any threads.
   */
  hashFile?(algorithm: HashAlgorithm, part: FilePart): Promise<Uint8Array | undefined>;
}
