import { describe, expect, it } from 'vitest';
import { forEachBounded } from './for-each-bounded.js';

describe('forEachBounded', () => {
  it('begins in order, so many at a time', async () => {
    const begun: number[] = [];
    let running = 0;
    let most = 0;
    await forEachBounded([1, 2, 3, 4, 5], 2, undefined, async (item) => {
      begun.push(item);
      most = Math.max(most, ++running);
      await Promise.resolve();
      running--;
    });
    expect([begun, most]).toEqual([[1, 2, 3, 4, 5], 2]);
  });

  it('stops the rest at the first failure, and throws it when all that was begun has ended', async () => {
    const ended: number[] = [];
    const work = forEachBounded([1, 2, 3, 4], 2, undefined, async (item, stop) => {
      if (item === 1) throw new Error('one');
      await Promise.resolve();
      expect(stop.aborted).toBe(true);
      ended.push(item);
    });
    await expect(work).rejects.toThrow('one');
    expect(ended).toEqual([2]);
  });

  it('ends with the reason of the caller', async () => {
    const signal = AbortSignal.abort(new Error('enough'));
    const begun: number[] = [];
    const work = forEachBounded([1, 2], 1, signal, async (item) => void begun.push(item));
    await expect(work).rejects.toThrow('enough');
    expect(begun).toEqual([]);
  });

  it('lets dozens listen to its signal, and warns of no leak', async () => {
    const warnings: string[] = [];
    const onWarning = ({ name }: Error): void => void warnings.push(name);
    process.on('warning', onWarning);
    const items = Array.from({ length: 30 }, (_, i) => i);
    await forEachBounded(items, 30, undefined, async (_item, stop) => {
      stop.addEventListener('abort', () => undefined);
      await new Promise((resolve) => setImmediate(resolve));
    });
    process.off('warning', onWarning);
    expect(warnings).toEqual([]);
  });
});
