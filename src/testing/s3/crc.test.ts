import { describe, expect, it } from 'vitest';
import { CHECKSUM_ALGORITHMS, digestOf, runningDigest } from './digests.js';

describe('checksums', () => {
  // The check values of the catalogue of CRCs: each over "123456789".
  it.each([
    ['CRC32', 'cbf43926'],
    ['CRC32C', 'e3069283'],
    ['CRC64NVME', 'ae8b14860a799888'],
  ] as const)('%s has its check value', (name, expected) => {
    expect(digestOf(name, Buffer.from('123456789')).toString('hex')).toBe(expected);
  });

  it.each(CHECKSUM_ALGORITHMS)('%s does not depend on how the bytes are cut', (name) => {
    const bytes = Buffer.from(Array.from({ length: 1000 }, (_, i) => (i * 7919) & 255));
    for (const cut of [0, 1, 3, 7, 8, 9, 500, 993, 1000]) {
      const digest = runningDigest(name);
      digest.update(bytes.subarray(0, cut));
      digest.update(bytes.subarray(cut));
      expect(digest.digest().toString('hex')).toBe(digestOf(name, bytes).toString('hex'));
    }
  });
});
