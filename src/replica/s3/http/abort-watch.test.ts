import { getEventListeners } from 'node:events';
import { describe, expect, it } from 'vitest';
import { AbortWatch } from './abort-watch.js';

describe('AbortWatch', () => {
  it('tells each once, but those that were removed, with one listener for all', () => {
    const watch = new AbortWatch();
    const { signal, abort } = withAbort();
    const told: string[] = [];
    const listeners = ['a', 'b', 'c'].map((name) => () => void told.push(name));
    for (const each of listeners) watch.add(signal, each);
    watch.remove(signal, listeners[1] as () => void);
    expect(getEventListeners(signal, 'abort')).toHaveLength(1);
    abort();
    expect(told).toEqual(['a', 'c']);
  });

  it('keeps signals apart', () => {
    const watch = new AbortWatch();
    const [first, second] = [withAbort(), withAbort()];
    const told: string[] = [];
    watch.add(first.signal, () => told.push('first'));
    watch.add(second.signal, () => told.push('second'));
    second.abort();
    watch.remove(new AbortController().signal, () => {});
    expect(told).toEqual(['second']);
  });

  it('tells the others when one of them removes another', () => {
    const watch = new AbortWatch();
    const { signal, abort } = withAbort();
    const told: string[] = [];
    const last = (): void => void told.push('last');
    watch.add(signal, () => {
      told.push('first');
      watch.remove(signal, last);
    });
    watch.add(signal, () => told.push('second'));
    watch.add(signal, last);
    abort();
    expect(told).toEqual(['first', 'second']);
  });
});

function withAbort(): { readonly signal: AbortSignal; readonly abort: () => void } {
  const controller = new AbortController();
  return { signal: controller.signal, abort: () => controller.abort() };
}
