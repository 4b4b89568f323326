import { createHash, hash } from 'node:crypto';
import { crc32, crc32c, crc64nvme } from './crc.js';

/** The checksum algorithms of S3, as its headers and documents name them. */
export const CHECKSUM_ALGORITHMS = ['CRC32', 'CRC32C', 'CRC64NVME', 'SHA1', 'SHA256'] as const;

/** One of the checksum algorithms of S3. */
export type ChecksumAlgorithm = (typeof CHECKSUM_ALGORITHMS)[number];

/** Whether a checksum is over the whole content or over the checksums of its parts. */
export type ChecksumType = 'COMPOSITE' | 'FULL_OBJECT';

/** A checksum as S3 keeps and answers it. */
export interface Checksum {
  readonly algorithm: ChecksumAlgorithm;
  /** Base64, with `-N` for a composite one. */
  readonly value: string;
  readonly type: ChecksumType;
}

/** What a body can be digested with. */
export type DigestName = ChecksumAlgorithm | 'MD5';

/** A digest in the making. `digest` is asked once. */
export interface RunningDigest {
  update(bytes: Uint8Array): unknown;
  digest(): Buffer;
}

/** Byte lengths of the digests, by which malformed ones are told from wrong ones. */
export const DIGEST_LENGTHS: Readonly<Record<DigestName, number>> = {
  CRC32: 4,
  CRC32C: 4,
  CRC64NVME: 8,
  MD5: 16,
  SHA1: 20,
  SHA256: 32,
};

/** Begins a digest. */
export function runningDigest(name: DigestName): RunningDigest {
  switch (name) {
    case 'CRC32':
      return crc32();
    case 'CRC32C':
      return crc32c();
    case 'CRC64NVME':
      return crc64nvme();
    default:
      return createHash(name.toLowerCase());
  }
}

/** The digest of bytes that are all there. */
export function digestOf(name: DigestName, bytes: Uint8Array): Buffer {
  if (name === 'MD5' || name === 'SHA1' || name === 'SHA256') return hash(name.toLowerCase(), bytes, 'buffer');
  const digest = runningDigest(name);
  digest.update(bytes);
  return digest.digest();
}

/** Reads an algorithm's name as clients write it; `undefined` when it is none. */
export function checksumAlgorithm(name: string): ChecksumAlgorithm | undefined {
  const upper = name.toUpperCase();
  return CHECKSUM_ALGORITHMS.find((algorithm) => algorithm === upper);
}
