import type { Clock } from './runtime.js';

/** Does a work for a key, once for all who ask for it before it begins. */
export type GatheredWork<K> = (key: K, work: () => Promise<unknown>) => Promise<void>;

/**
 * Makes a {@link GatheredWork} that begins a while after the first has asked for it. Nobody joins one that has begun, because it
 * need not see what was done later: the next to ask has another begin, which may be under way beside it. What fails, fails for all
 * who joined.
 */
export function createGatheredWork<K>(clock: Clock, waitMs: number): GatheredWork<K> {
  const gathering = new Map<K, Promise<void>>();
  return (key, work) => {
    const joined = gathering.get(key);
    if (joined !== undefined) return joined;
    const begin = async (): Promise<void> => {
      await clock.sleep(waitMs);
      gathering.delete(key);
      await work();
    };
    const own = begin();
    gathering.set(key, own);
    return own;
  };
}
