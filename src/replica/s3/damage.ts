import type { ServiceFailure } from './service-error.js';

/** How often bytes that arrived damaged are sent again. */
export const MAX_DAMAGES = 3;

/** Tells whether a store refused bytes because they are not those whose digest came with them. */
export function isDamage({ code }: Pick<ServiceFailure, 'code'>): boolean {
  return code === 'BadDigest' || code === 'XAmzContentSHA256Mismatch';
}
