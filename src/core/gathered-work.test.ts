import { describe, expect, it } from 'vitest';
import { createGatheredWork } from './gathered-work.js';

/** A clock whose sleepers wake when they are told to, and work that ends when it is told to. */
function gated() {
  const sleepers: { readonly durationMs: number; wake(): void }[] = [];
  const gates: { resolve(): void; reject(error: Error): void }[] = [];
  const clock = {
    nowMs: () => 0,
    sleep: (durationMs: number): Promise<void> => new Promise((wake) => sleepers.push({ durationMs, wake })),
  };
  const work = (): Promise<void> =>
    new Promise((resolve, reject) => {
      gates.push({ resolve, reject });
    });
  return { sleepers, gates, clock, work };
}

async function settle(): Promise<void> {
  for (let turn = 0; turn < 30; turn++) await Promise.resolve();
}

describe('createGatheredWork', () => {
  it('waits for others before it begins, and is done once for all who came meanwhile', async () => {
    const { sleepers, gates, clock, work } = gated();
    const gathered = createGatheredWork<string>(clock, 5);
    const all = [gathered('key', work), gathered('key', work)];
    await settle();
    expect([sleepers.map(({ durationMs }) => durationMs), gates.length]).toEqual([[5], 0]);
    sleepers[0]?.wake();
    await settle();
    expect(gates).toHaveLength(1);
    gates[0]?.resolve();
    await Promise.all(all);
    expect([sleepers.length, gates.length]).toEqual([1, 1]);
  });

  it('lets nobody join a work that has begun, and has the next begin beside it', async () => {
    const { sleepers, gates, clock, work } = gated();
    const gathered = createGatheredWork<string>(clock, 5);
    const ended: string[] = [];
    const ask = (name: string): Promise<void> => gathered('key', work).then(() => void ended.push(name));
    const first = ask('first');
    sleepers[0]?.wake();
    await settle();
    const second = ask('second');
    sleepers[1]?.wake();
    await settle();
    expect(gates).toHaveLength(2);
    gates[0]?.resolve();
    await first;
    await settle();
    expect(ended).toEqual(['first']);
    gates[1]?.resolve();
    await second;
  });

  it('gathers for each key by itself', async () => {
    const { sleepers, gates, clock, work } = gated();
    const gathered = createGatheredWork<string | undefined>(clock, 5);
    const all = [gathered('a', work), gathered(undefined, work)];
    for (const sleeper of sleepers) sleeper.wake();
    await settle();
    expect(gates).toHaveLength(2);
    for (const gate of gates) gate.resolve();
    await Promise.all(all);
  });

  it('fails for all who joined, and is done anew for who comes later', async () => {
    const { sleepers, gates, clock, work } = gated();
    const gathered = createGatheredWork<string>(clock, 5);
    const all = Promise.allSettled([gathered('key', work), gathered('key', work)]);
    sleepers[0]?.wake();
    await settle();
    gates[0]?.reject(new Error('no answer'));
    expect((await all).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    const later = gathered('key', work);
    sleepers[1]?.wake();
    await settle();
    gates[1]?.resolve();
    await later;
  });
});
