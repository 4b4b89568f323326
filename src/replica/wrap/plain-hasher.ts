import { hash } from 'node:crypto';
import type { Hasher } from '../../core/hasher.js';

/** Makes digests on the thread that asks for them. */
export const plainHasher: Hasher = {
  allocate: (sizeBytes) => Buffer.allocUnsafeSlow(sizeBytes),
  hash: (algorithm, bytes) => hash(algorithm, bytes, 'buffer'),
};
