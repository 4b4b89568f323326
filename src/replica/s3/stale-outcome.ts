import { StaleError } from '../../errors.js';
import type { Stale } from '../replica.js';

/** For the end of a change: a source, or an object, that is another version by now makes it stale. Throws any other error on. */
export function staleOutcome(error: unknown): Stale {
  if (error instanceof StaleError) return { outcome: 'stale', message: error.message };
  throw error;
}
