import { setMaxListeners } from 'node:events';

/**
 * Runs a job for each item, so many at a time, begun in order. The first failure stops the rest and is thrown when all that
 * was begun has ended.
 *
 * @param job - gets a signal that is aborted with the caller's, or at the first failure.
 */
export async function forEachBounded<T>(
  items: readonly T[],
  most: number,
  signal: AbortSignal | undefined,
  job: (item: T, stop: AbortSignal) => Promise<void>,
): Promise<void> {
  const stopper = new AbortController();
  const stop = signal === undefined ? stopper.signal : AbortSignal.any([signal, stopper.signal]);
  // Each job under way listens to it: dozens are no leak.
  setMaxListeners(0, stop);
  const failures: unknown[] = [];
  const queue = items.values();
  const lane = async (): Promise<void> => {
    for (const item of queue) {
      if (stop.aborted) return;
      try {
        await job(item, stop);
      } catch (error) {
        failures.push(error);
        stopper.abort(error);
        return;
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(most, items.length) }, lane));
  if (failures.length > 0) throw failures[0];
  signal?.throwIfAborted();
}
