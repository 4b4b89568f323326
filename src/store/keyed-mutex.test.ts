import { describe, expect, it } from 'vitest';
import { KeyedMutex } from './keyed-mutex.js';

describe('KeyedMutex', () => {
  it('lets callers of one key in one at a time, in the order they came', async () => {
    const mutex = new KeyedMutex();
    const order: string[] = [];
    let inside = 0;
    await Promise.all(
      ['a', 'b', 'c', 'd'].map(async (name) => {
        const release = await mutex.acquire('key');
        expect(++inside).toBe(1);
        await Promise.resolve();
        order.push(name);
        inside--;
        release();
      }),
    );
    expect(order).toEqual(['a', 'b', 'c', 'd']);
  });

  it('does not make callers of different keys wait', async () => {
    const mutex = new KeyedMutex();
    await mutex.acquire('one');
    const release = await mutex.acquire('two');
    release();
  });

  it('lets a waiting caller leave, and the ones behind it in', async () => {
    const mutex = new KeyedMutex();
    const release = await mutex.acquire('key');
    const controller = new AbortController();
    const leaving = mutex.acquire('key', controller.signal);
    const behind = mutex.acquire('key');
    controller.abort(new Error('left'));
    await expect(leaving).rejects.toThrow('left');
    await expect(mutex.acquire('key', AbortSignal.abort())).rejects.toMatchObject({ name: 'AbortError' });
    release();
    (await behind)();
  });

  it('does not let the one behind in before the holder has left', async () => {
    const mutex = new KeyedMutex();
    const release = await mutex.acquire('key');
    const controller = new AbortController();
    const leaving = mutex.acquire('key', controller.signal);
    let entered = false;
    const behind = mutex.acquire('key').then(() => (entered = true));
    controller.abort();
    await expect(leaving).rejects.toThrow();
    await new Promise((resolve) => setImmediate(resolve));
    expect(entered).toBe(false);
    release();
    await behind;
  });

  it('remembers no key that nobody uses', async () => {
    const mutex = new KeyedMutex();
    for (let i = 0; i < 100; i++) (await mutex.acquire(`key ${i}`))();
    await new Promise((resolve) => setImmediate(resolve));
    expect(mutex.size).toBe(0);
  });
});
