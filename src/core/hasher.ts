/** Which digest of a piece of memory is wanted. */
export type HashAlgorithm = 'md5' | 'sha256';

/** Makes digests of large pieces of memory, here or on other threads. What it answers is the same everywhere; when it answers is not. */
export interface Hasher {
  /** Memory of which digests are made without a copy of it. What is in it is arbitrary. */
  allocate(sizeBytes: number): Uint8Array;
  /** The digest of bytes, which have to stay as they are until it resolves. */
  hash(algorithm: HashAlgorithm, bytes: Uint8Array): Promise<Uint8Array>;
}
