import type { CycleResult } from './result.js';

/**
 * Tells whether a cycle looks, or looked, at everything on both sides: not only at paths that were touched, and not at the remote
 * side alone. Only then it knows what nobody will go on with, and its guard judged all that was deleted until then.
 */
export function isWholeLook({ touchedPaths, poll }: CycleScope): boolean {
  return touchedPaths === undefined && poll !== true;
}

/** What a cycle says about how much it looks at, before it ends as after. */
type CycleScope = { readonly [K in 'touchedPaths' | 'poll']?: CycleResult[K] | undefined };
