import { describe, expect, it } from 'vitest';
import type { BaselineRow } from '../core/baseline.js';
import type { Clock } from '../core/runtime.js';
import type { BaselinePort } from './context.js';
import { gatherRows } from './gather-rows.js';

/** A database that notes each call, and a clock whose sleepers wake when they are told to. */
function createWorld(): {
  readonly inner: BaselinePort;
  readonly clock: Clock;
  readonly calls: string[];
  wake(): Promise<void>;
} {
  const calls: string[] = [];
  let sleepers: (() => void)[] = [];
  return {
    calls,
    inner: {
      async put(rows, options) {
        if (rows.length > 0)
          calls.push(
            `put ${rows.map(({ path, sizeBytes }) => `${path}=${sizeBytes}`).join(' ')}${options?.sync === true ? ' sync' : ''}`,
          );
      },
      async delete(paths, options) {
        if (paths.length > 0) calls.push(`delete ${paths.join(' ')}${options?.sync === true ? ' sync' : ''}`);
      },
    },
    clock: {
      nowMs: () => 0,
      sleep: (_durationMs, signal) =>
        new Promise((resolve, reject) => {
          sleepers.push(resolve);
          signal?.addEventListener('abort', () => reject(signal.reason));
        }),
    },
    async wake() {
      const due = sleepers;
      sleepers = [];
      for (const each of due) each();
      for (let turn = 0; turn < 20; turn++) await Promise.resolve();
    },
  };
}

function row(path: string, sizeBytes = 1): BaselineRow {
  return { path, sizeBytes, local: 'l', remote: 'r', digest: undefined, recordedAtMs: 0 };
}

describe('gatherRows', () => {
  it('writes the rows of a moment together, and tells each only then', async () => {
    const world = createWorld();
    const gathered = gatherRows(world.inner, world.clock);
    const told: string[] = [];
    const puts = ['a', 'b', 'c'].map(async (path) => {
      await gathered.put([row(path)]);
      told.push(path);
    });
    const gone = gathered.delete(['x']);
    expect([world.calls, told]).toEqual([[], []]);
    await world.wake();
    await Promise.all([...puts, gone]);
    expect(world.calls).toEqual(['put a=1 b=1 c=1', 'delete x']);
    expect(told).toEqual(['a', 'b', 'c']);
  });

  it('keeps the last of several changes of one path', async () => {
    const world = createWorld();
    const gathered = gatherRows(world.inner, world.clock);
    const changes = [
      gathered.put([row('a', 1), row('b', 1)]),
      gathered.put([row('a', 2)]),
      gathered.delete(['b']),
      gathered.delete(['c']),
      gathered.put([row('c', 3)]),
    ];
    await world.wake();
    await Promise.all(changes);
    expect(world.calls).toEqual(['put a=2 c=3', 'delete b']);
  });

  it('writes what asks to be durable at once, but after what was asked before', async () => {
    const world = createWorld();
    const gathered = gatherRows(world.inner, world.clock);
    await gathered.put([row('z')], { sync: true });
    const first = gathered.put([row('a', 1)]);
    const durable = gathered.delete(['a'], { sync: true });
    await world.wake();
    await Promise.all([first, durable]);
    expect(world.calls).toEqual(['put z=1 sync', 'put a=1', 'delete a sync']);
  });

  it('keeps nobody waiting for others once all that are at work wait', async () => {
    const world = createWorld();
    const atWork = { count: 3 };
    const gathered = gatherRows(world.inner, world.clock, atWork);
    const first = [gathered.put([row('a')]), gathered.delete(['b'])];
    await Promise.resolve();
    expect(world.calls).toEqual([]);
    await Promise.all([...first, gathered.put([row('c')])]);
    expect(world.calls).toEqual(['put a=1 c=1', 'delete b']);
    atWork.count = 1;
    await gathered.put([row('d')]);
    expect(world.calls.slice(2)).toEqual(['put d=1']);
  });

  it('passes a failure on to everybody whose rows were in it, and begins anew', async () => {
    const world = createWorld();
    let broken = true;
    const inner: BaselinePort = {
      ...world.inner,
      put: (rows, options) => (broken ? Promise.reject(new Error('disk full')) : world.inner.put(rows, options)),
    };
    const gathered = gatherRows(inner, world.clock);
    const results = Promise.allSettled([gathered.put([row('a')]), gathered.put([row('b')])]);
    await world.wake();
    expect((await results).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    broken = false;
    const later = gathered.put([row('c')]);
    await world.wake();
    await later;
    expect(world.calls).toEqual(['put c=1']);
  });
});
