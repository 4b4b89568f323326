import { beforeEach, describe, expect, it } from 'vitest';
import { TransferWorld } from '../../test/transfer/transfer-world.js';
import { setAside } from './set-aside.js';

const COPY = /^a \(conflict 2026-11-22 laptop \w{4}\)\.txt$/;

let world: TransferWorld;
beforeEach(() => {
  world = new TransferWorld();
});

describe('setAside', () => {
  it.each(['local', 'remote'] as const)('gives a file of the %s side a conflict name on its own side', async (side) => {
    world.put(side, 'a.txt', 'mine');
    const aside = await setAside(world.context(), side, await world.entry(side, 'a.txt'));
    expect(aside).toEqual({ outcome: 'done', copyPath: expect.stringMatching(COPY) });
    if (aside.outcome !== 'done') return;
    expect(world.text(side, aside.copyPath)).toBe('mine');
    expect(world.text(side, 'a.txt')).toBeUndefined();
  });

  it('notes the name first, then drops the row durably, then moves, and drops the note', async () => {
    world.put('local', 'a.txt', 'mine');
    await setAside(world.context(), 'local', await world.entry('local', 'a.txt'));
    expect(world.trace).toEqual(['note a.txt', 'forget a.txt durably', 'move local a.txt', 'drop note a.txt']);
    expect(world.asides.size).toBe(0);
  });

  it('goes on with the name of a run that was cut off', async () => {
    world.put('local', 'a.txt', 'mine');
    world.asides.set('a.txt', 'a (of the run before).txt');
    expect(await setAside(world.context(), 'local', await world.entry('local', 'a.txt'))).toEqual({
      outcome: 'done',
      copyPath: 'a (of the run before).txt',
    });
    expect(world.asides.size).toBe(0);
  });

  it('takes another name when the one before is taken', async () => {
    world.put('local', 'a.txt', 'mine');
    world.put('local', 'taken.txt', 'of somebody');
    world.asides.set('a.txt', 'taken.txt');
    const aside = await setAside(world.context(), 'local', await world.entry('local', 'a.txt'));
    expect(aside).toEqual({ outcome: 'done', copyPath: expect.stringMatching(COPY) });
    expect(world.text('local', 'taken.txt')).toBe('of somebody');
    expect(world.asides.size).toBe(0);
  });

  it('gives up after five names that are all taken, and keeps the last in mind', async () => {
    world.put('local', 'a.txt', 'mine');
    const local = await world.entry('local', 'a.txt');
    const tried: string[] = [];
    world.local.move = async (_path, to) => {
      tried.push(to);
      world.put('local', to, 'of somebody');
      return { outcome: 'stale', message: 'the name is taken' };
    };
    expect(await setAside(world.context(), 'local', local)).toEqual({ outcome: 'stale', message: 'the name is taken' });
    expect(new Set(tried).size).toBe(5);
    expect(world.asides.get('a.txt')).toBe(tried.at(-1));
  });

  it('is stale when the file was changed, and does not keep the note: the name is free', async () => {
    world.put('local', 'a.txt', 'mine');
    const local = await world.entry('local', 'a.txt');
    world.put('local', 'a.txt', 'edited');
    expect(await setAside(world.context(), 'local', local)).toEqual({
      outcome: 'stale',
      message: expect.stringContaining('was expected to be'),
    });
    expect(world.text('local', 'a.txt')).toBe('edited');
    expect(world.asides.size).toBe(0);
    expect(world.trace.filter((step) => step.startsWith('move'))).toHaveLength(1);
  });

  it('keeps the note when the move fails: a run that comes goes on with the same name', async () => {
    world.put('remote', 'a.txt', 'mine');
    world.remote.move = async () => {
      throw new Error('the answer was lost');
    };
    await expect(setAside(world.context(), 'remote', await world.entry('remote', 'a.txt'))).rejects.toThrow('lost');
    expect(world.asides.get('a.txt')).toMatch(COPY);
  });

  it('passes on that it is to stop', async () => {
    world.put('local', 'a.txt', 'mine');
    const context = world.context({ signal: AbortSignal.abort() });
    await expect(setAside(context, 'local', await world.entry('local', 'a.txt'))).rejects.toMatchObject({
      name: 'AbortError',
    });
    expect(world.text('local', 'a.txt')).toBe('mine');
  });
});
