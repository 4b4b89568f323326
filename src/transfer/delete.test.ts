import { beforeEach, describe, expect, it } from 'vitest';
import { TransferWorld } from '../../test/transfer/transfer-world.js';
import type { Entry } from '../core/entry.js';
import { deleteLocal, deleteRemote } from './delete.js';

let world: TransferWorld;
beforeEach(() => {
  world = new TransferWorld();
});

describe('deleteLocal', () => {
  it('moves the file to the trash and forgets the path', async () => {
    world.put('local', 'a', 'x');
    expect(await deleteLocal(world.context(), 'R06', await world.entry('local', 'a'))).toEqual({
      type: 'done',
      rule: 'R06',
      change: { path: 'a', operation: 'deleted', origin: 'remote' },
    });
    expect(world.text('local', 'a')).toBeUndefined();
    expect(await world.trashed()).toEqual(['a deleted local']);
    expect(world.trace).toEqual(['remove local a', 'forget a']);
  });

  it('asks the bucket for the object once more, and does not believe a list that left it out', async () => {
    world.put('local', 'a', 'x');
    world.put('remote', 'a', 'x');
    expect(await deleteLocal(world.context(), 'R06', await world.entry('local', 'a'))).toEqual({
      type: 'again',
      paths: ['a'],
      message: 'a is in the bucket, though its list did not say so.',
    });
    expect(world.text('local', 'a')).toBe('x');
    expect(world.trace).toEqual([]);
  });

  it('leaves a file alone that was edited since, and remembers it', async () => {
    world.put('local', 'a', 'x');
    const local = await world.entry('local', 'a');
    world.put('local', 'a', 'edited');
    expect(await deleteLocal(world.context(), 'R06', local)).toEqual({
      type: 'again',
      paths: ['a'],
      message: expect.stringContaining('was expected to be'),
    });
    expect(world.text('local', 'a')).toBe('edited');
    expect(world.trace).toEqual(['remove local a']);
  });

  it('does not delete where the bucket cannot be asked', async () => {
    world.put('local', 'a', 'x');
    world.remote.observe = async () => {
      throw new Error('forbidden');
    };
    await expect(deleteLocal(world.context(), 'R06', await world.entry('local', 'a'))).rejects.toThrow('forbidden');
    expect(world.text('local', 'a')).toBe('x');
  });

  it('passes on that it is to stop', async () => {
    world.put('local', 'a', 'x');
    const local = await world.entry('local', 'a');
    const context = world.context({ signal: AbortSignal.abort() });
    await expect(deleteLocal(context, 'R06', local)).rejects.toMatchObject({ name: 'AbortError' });
    world.remote.observe = async () => null;
    await expect(deleteLocal(context, 'R06', local)).rejects.toMatchObject({ name: 'AbortError' });
    expect(world.text('local', 'a')).toBe('x');
  });
});

describe('deleteRemote', () => {
  it('removes the object and forgets the path', async () => {
    world.put('remote', 'a', 'x');
    expect(await deleteRemote(world.context(), 'R07', await world.entry('remote', 'a'))).toEqual({
      type: 'done',
      rule: 'R07',
      change: { path: 'a', operation: 'deleted', origin: 'local' },
    });
    expect(world.text('remote', 'a')).toBeUndefined();
    expect(world.trace).toEqual(['remove remote a', 'forget a']);
  });

  it('removes the object also where a directory took the place of the file', async () => {
    world.put('remote', 'a', 'x');
    world.put('local', 'a/b', 'x');
    expect(await deleteRemote(world.context(), 'R07', await world.entry('remote', 'a'))).toMatchObject({
      type: 'done',
    });
  });

  it.each<[string, Entry]>([
    ['a file', { kind: 'file', path: 'a', sizeBytes: 1, fingerprint: 'f', modifiedMs: 1, modifiedSource: 'mtime' }],
    ['a link', { kind: 'symlink', path: 'a' }],
    ['something that is ignored', { kind: 'untracked', path: 'a', reason: 'special', subtree: false }],
    [
      'something that cannot be read',
      {
        kind: 'problematic',
        path: 'a',
        subtree: false,
        problem: { path: 'a', side: 'local', code: 'ERR_X', message: 'x', severity: 'error' },
      },
    ],
  ])('leaves the object alone when %s stands in the folder again', async (_, entry) => {
    world.put('remote', 'a', 'x');
    world.local.observe = async () => entry;
    expect(await deleteRemote(world.context(), 'R07', await world.entry('remote', 'a'))).toEqual({
      type: 'again',
      paths: ['a'],
      message: 'a exists again in the folder.',
    });
    expect(world.text('remote', 'a')).toBe('x');
    expect(world.trace).toEqual([]);
  });

  it('leaves an object alone that somebody changed since, and remembers it', async () => {
    world.put('remote', 'a', 'x');
    const remote = await world.entry('remote', 'a');
    world.put('remote', 'a', 'theirs');
    expect(await deleteRemote(world.context(), 'R07', remote)).toMatchObject({ type: 'again', paths: ['a'] });
    expect(world.text('remote', 'a')).toBe('theirs');
    expect(world.trace).toEqual(['remove remote a']);
  });

  it('says why to a replica that keeps what it removes, and passes on that it is to stop', async () => {
    world.put('remote', 'a', 'x');
    const remote = await world.entry('remote', 'a');
    const signal = AbortSignal.abort();
    let told: unknown;
    world.local.observe = async () => null;
    world.remote.remove = async (_path, _precondition, options) => {
      told = options;
      return { outcome: 'done' };
    };
    await deleteRemote(world.context({ signal }), 'R07', remote);
    expect(told).toEqual({ signal, reason: 'deleted' });
  });
});
