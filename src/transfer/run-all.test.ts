import { describe, expect, it } from 'vitest';
import { runAll } from './run-all.js';

async function* pages<T>(...all: readonly (readonly T[])[]): AsyncGenerator<readonly T[]> {
  yield* all;
}

describe('runAll', () => {
  it('works on every item of every page, at most so many at once', async () => {
    let running = 0;
    let most = 0;
    const done: number[] = [];
    const ended = await runAll(
      pages([1, 2, 3], [], [4, 5, 6, 7]),
      async (item) => {
        most = Math.max(most, ++running);
        for (let turn = 0; turn < 20; turn++) await Promise.resolve();
        running--;
        done.push(item);
      },
      { concurrency: 3 },
    );
    expect(ended).toBe(true);
    expect(done.toSorted((a, b) => a - b)).toEqual([1, 2, 3, 4, 5, 6, 7]);
    expect(most).toBe(3);
  });

  it('counts those at work, those that left and those that failed as well', async () => {
    const atWork = { count: 0 };
    const seen: number[] = [];
    const run = runAll(
      pages([1, 2, 3]),
      async (item, leave) => {
        leave();
        seen.push(atWork.count);
        for (let turn = 0; turn < 20; turn++) await Promise.resolve();
        if (item === 3) throw new Error('item 3');
      },
      { concurrency: 2, atWork },
    );
    await expect(run).rejects.toThrow('item 3');
    expect([seen, atWork.count]).toEqual([[1, 2, 3], 0]);
  });

  it('awaits what runs, begins nothing new, and throws the first error', async () => {
    const finished: number[] = [];
    const gate = manualGate();
    const run = runAll(
      pages([1, 2, 3, 4]),
      async (item) => {
        if (item === 1) {
          await gate.promise;
          finished.push(item);
        } else throw new Error(`item ${item}`);
      },
      { concurrency: 2 },
    );
    await Promise.resolve();
    gate.resolve(undefined);
    await expect(run).rejects.toMatchObject({ message: 'item 2' });
    expect(finished).toEqual([1]);
  });

  it('begins the next item when one leaves, and still awaits and hears the one that left', async () => {
    const begun: number[] = [];
    const gate = manualGate();
    const run = runAll(
      pages([1, 2, 3]),
      async (item, leave) => {
        begun.push(item);
        leave();
        await gate.promise;
        if (item === 1) throw new Error('item 1');
      },
      { concurrency: 2 },
    );
    const alone: number[] = [];
    const single = runAll(
      pages([1, 2]),
      async (item, leave) => {
        alone.push(item);
        leave();
        await gate.promise;
      },
      { concurrency: 1 },
    );
    for (let turn = 0; turn < 50; turn++) await Promise.resolve();
    expect(begun).toEqual([1, 2, 3]);
    // With one place, one at a time.
    expect(alone).toEqual([1]);
    gate.resolve(undefined);
    await expect(run).rejects.toMatchObject({ message: 'item 1' });
    expect(await single).toBe(true);
  });

  it('stops when it is told to, and finishes what was begun', async () => {
    const stop = new AbortController();
    const done: number[] = [];
    const ended = await runAll(
      pages([1, 2, 3], [4]),
      async (item) => {
        stop.abort();
        await Promise.resolve();
        done.push(item);
      },
      { concurrency: 1, stop: stop.signal },
    );
    expect(ended).toBe(false);
    expect(done).toEqual([1]);
  });

  it('does not begin an item that was read while it was told to stop', async () => {
    const stop = new AbortController();
    const begun: number[] = [];
    const slow = (async function* (): AsyncGenerator<readonly number[]> {
      yield [1];
      stop.abort();
      yield [2];
    })();
    const ended = await runAll(slow, async (item) => void begun.push(item), { concurrency: 1, stop: stop.signal });
    expect([ended, begun]).toEqual([false, [1]]);
  });

  it('begins nothing after a failure, and throws the first of two', async () => {
    const begun: number[] = [];
    const gate = manualGate();
    const run = runAll(
      pages([1, 2, 3, 4]),
      async (item) => {
        begun.push(item);
        if (item === 1) await gate.promise;
        throw new Error(`item ${item}`);
      },
      { concurrency: 2 },
    );
    for (let turn = 0; turn < 50; turn++) await Promise.resolve();
    gate.resolve(undefined);
    await expect(run).rejects.toMatchObject({ message: 'item 2' });
    expect(begun).toEqual([1, 2]);
  });

  it('lets go of the stream when it ends early, by a failure and when it is told to', async () => {
    const closed: string[] = [];
    const endless = async function* (name: string): AsyncGenerator<readonly number[]> {
      try {
        for (let item = 0; ; item++) yield [item];
      } finally {
        closed.push(name);
      }
    };
    const fail = async (): Promise<void> => {
      throw new Error('broken');
    };
    await expect(runAll(endless('failed'), fail, { concurrency: 1 })).rejects.toThrow('broken');
    const stop = new AbortController();
    await runAll(endless('stopped'), async () => stop.abort(), { concurrency: 1, stop: stop.signal });
    expect(closed).toEqual(['failed', 'stopped']);
  });

  it('throws what the stream throws', async () => {
    const broken = (async function* (): AsyncGenerator<readonly number[]> {
      yield [1];
      throw new Error('the journal cannot be read');
    })();
    await expect(runAll(broken, async () => undefined, { concurrency: 2 })).rejects.toThrow(
      'the journal cannot be read',
    );
  });
});

function manualGate(): { promise: Promise<unknown>; resolve: (value: unknown) => void } {
  let resolve: (value: unknown) => void = () => undefined;
  const promise = new Promise((done) => {
    resolve = done;
  });
  return { promise, resolve };
}
