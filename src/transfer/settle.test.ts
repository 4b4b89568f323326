import { beforeEach, describe, expect, it } from 'vitest';
import { TransferWorld } from '../../test/transfer/transfer-world.js';
import type { ConflictPolicy } from '../core/conflict.js';
import type { FileEntry } from '../core/entry.js';
import { settle } from './settle.js';

let world: TransferWorld;
let local: FileEntry;
let remote: FileEntry;
beforeEach(async () => {
  world = new TransferWorld();
  world.put('local', 'a', 'mine', 1000);
  world.put('remote', 'a', 'theirs', 9000);
  local = await world.entry('local', 'a');
  remote = await world.entry('remote', 'a');
});

const settled = (conflict: ConflictPolicy, options = {}) =>
  settle(world.context({ conflict, ...options }), 'R05', local, remote);

describe('settle', () => {
  it('leaves a manual conflict to a person, with both versions as they were seen', async () => {
    expect(await settled('manual')).toEqual({
      type: 'waiting',
      conflict: { path: 'a', type: 'content', resolution: 'manual' },
      local,
      remote,
    });
    expect(world.trace).toEqual([]);
  });

  it('lets the bucket win, and keeps the local version', async () => {
    expect(await settled('bucket')).toEqual({
      type: 'done',
      rule: 'R05',
      change: { path: 'a', operation: 'modified', origin: 'remote' },
      conflict: { path: 'a', type: 'content', resolution: 'bucket', trashed: 'local' },
    });
    expect(world.text('local', 'a')).toBe('theirs');
    expect(await world.trashed()).toEqual(['a lost-conflict local']);
  });

  it('lets the folder win, and keeps the version of the bucket before it is replaced', async () => {
    const write = world.remote.write.bind(world.remote);
    world.remote.write = async (...args) => {
      expect(await world.trashed()).toEqual(['a lost-conflict remote']);
      return await write(...args);
    };
    expect(await settled('local')).toEqual({
      type: 'done',
      rule: 'R05',
      change: { path: 'a', operation: 'modified', origin: 'local' },
      conflict: { path: 'a', type: 'content', resolution: 'local', trashed: 'remote' },
    });
    expect(world.text('remote', 'a')).toBe('mine');
    expect(world.openSources).toBe(0);
  });

  it('replaces nothing when the version of the bucket cannot be kept', async () => {
    world.local.trash.keep = async () => {
      throw new Error('the disk is full');
    };
    await expect(settled('local')).rejects.toThrow('full');
    expect(world.text('remote', 'a')).toBe('theirs');
    expect(world.openSources).toBe(0);
  });

  it('keeps both: the local version under a conflict name, and looks again at both paths', async () => {
    const outcome = await settled('keep-both');
    expect(outcome).toEqual({
      type: 'again',
      paths: ['a', expect.stringMatching(/^a \(conflict .+\)$/)],
      conflict: { path: 'a', type: 'content', resolution: 'keep-both', copyPath: expect.stringMatching(/^a \(/) },
      message: 'a was kept twice.',
    });
    if (outcome.type !== 'again') return;
    expect(outcome.conflict?.copyPath).toBe(outcome.paths[1]);
    expect(world.text('local', outcome.paths[1] ?? '')).toBe('mine');
    expect(world.text('remote', 'a')).toBe('theirs');
  });

  it.each([
    ['bucket', 'local'],
    ['local', 'remote'],
    ['keep-both', 'local'],
  ] as const)(
    'tells of no conflict that it did not settle (%s): the %s version was changed meanwhile',
    async (policy, side) => {
      const conflict = async () => {
        world.put(side, 'a', 'changed');
        return policy;
      };
      if (side === 'remote') {
        await expect(settled(conflict)).rejects.toMatchObject({ name: 'StaleError' });
      } else {
        const outcome = await settled(conflict);
        expect(outcome).toEqual({ type: 'again', paths: ['a'], message: expect.stringContaining('was expected') });
      }
      expect(world.text(side, 'a')).toBe('changed');
    },
  );

  it('tells of no conflict when the upload of the winner comes too late', async () => {
    const write = world.remote.write.bind(world.remote);
    world.remote.write = async (...args) => {
      world.put('remote', 'a', 'theirs again');
      return await write(...args);
    };
    expect(await settled('local')).toEqual({
      type: 'again',
      paths: ['a'],
      message: expect.stringContaining('was expected'),
    });
    expect(world.text('remote', 'a')).toBe('theirs again');
  });

  it('lets the newest win', async () => {
    expect(await settled('newest')).toMatchObject({ conflict: { resolution: 'bucket' } });
  });

  it('asks a function, and tells it of both versions with their own times', async () => {
    let asked: unknown;
    await settled((question) => {
      asked = question;
      return 'bucket';
    });
    expect(asked).toEqual({ path: 'a', local, remote });
  });

  it.each(['local', 'bucket', 'keep-both', 'manual'] as const)('does what a function answers: %s', async (answer) => {
    const outcome = await settled(async () => answer);
    expect(outcome.type === 'waiting' || outcome.type === 'done' || outcome.type === 'again').toBe(true);
    expect(outcome).toMatchObject({ conflict: { resolution: answer } });
  });

  it('refuses another answer, says which are possible, and changes nothing', async () => {
    await expect(settled((() => 'theirs') as unknown as ConflictPolicy)).rejects.toMatchObject({
      name: 'UsageError',
      code: 'ERR_CONFLICT_ANSWER',
      message:
        "The conflict function answered \"theirs\" for a; expected 'local', 'bucket', 'keep-both' or 'manual'. Nothing was changed at this path.",
    });
    expect(world.trace).toEqual([]);
  });

  it.each(['local', 'newest', 'keep-both', 'manual'] as const)(
    'lets the bucket win under readonly, whatever the policy (%s)',
    async (policy) => {
      expect(await settled(policy, { readonly: true })).toMatchObject({ conflict: { resolution: 'bucket' } });
      expect(world.text('remote', 'a')).toBe('theirs');
    },
  );

  describe('where the listing knows the time of upload only', () => {
    beforeEach(() => {
      remote = { ...remote, modifiedMs: 1, modifiedSource: 'server' };
    });

    it('asks for the time that is recorded with the object', async () => {
      let asked: FileEntry | undefined;
      await settled((question) => {
        asked = question.remote;
        return 'bucket';
      });
      expect(asked).toMatchObject({ modifiedMs: 9000, modifiedSource: 'mtime' });
      // What waits for a person is what was seen, so that it is found again.
      world.put('local', 'a', 'mine', 1000);
      local = await world.entry('local', 'a');
      expect(await settled('manual')).toMatchObject({ type: 'waiting', remote: { modifiedSource: 'server' } });
    });

    it.each([
      ['was changed', () => world.put('remote', 'a', 'changed')],
      ['is gone', () => void world.remote.delete('a')],
    ])('settles nothing when the object %s since', async (_, change) => {
      change();
      await expect(settled('bucket')).rejects.toMatchObject({
        name: 'StaleError',
        message: 'a changed in the bucket while its conflict was being settled.',
      });
      expect(world.trace).toEqual([]);
    });
  });

  it('asks nothing more of an object whose time is known', async () => {
    world.remote.observe = async () => {
      throw new Error('not to be asked');
    };
    expect(await settled('bucket')).toMatchObject({ type: 'done' });
  });
});
