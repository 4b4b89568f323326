import { beforeEach, describe, expect, it } from 'vitest';
import { TransferWorld } from '../../test/transfer/transfer-world.js';
import type { BaselineRow } from '../core/baseline.js';
import type { Action } from '../core/decision.js';
import { carry } from './carry.js';

let world: TransferWorld;
beforeEach(() => {
  world = new TransferWorld();
});

describe('carry', () => {
  it('uploads', async () => {
    world.put('local', 'a', 'mine');
    const outcome = await carry(world.context(), await world.decision('R11', 'upload', 'a'));
    expect(outcome).toMatchObject({ type: 'done', rule: 'R11', change: { operation: 'added', origin: 'local' } });
    expect(world.text('remote', 'a')).toBe('mine');
  });

  it('downloads', async () => {
    world.put('remote', 'a', 'theirs');
    const outcome = await carry(world.context(), await world.decision('R12', 'download', 'a'));
    expect(outcome).toMatchObject({ type: 'done', rule: 'R12', change: { operation: 'added', origin: 'remote' } });
    expect(world.text('local', 'a')).toBe('theirs');
  });

  it('deletes here', async () => {
    world.put('local', 'a', 'x');
    expect(await carry(world.context(), await world.decision('R06', 'delete-local', 'a'))).toMatchObject({
      type: 'done',
    });
    expect(world.text('local', 'a')).toBeUndefined();
  });

  it('deletes there', async () => {
    world.put('remote', 'a', 'x');
    expect(await carry(world.context(), await world.decision('R07', 'delete-remote', 'a'))).toMatchObject({
      type: 'done',
    });
    expect(world.text('remote', 'a')).toBeUndefined();
  });

  it('forgets the row, and touches no file', async () => {
    world.put('local', 'a', 'x');
    expect(await carry(world.context(), await world.decision('R17', 'forget', 'a'))).toEqual({
      type: 'done',
      rule: 'R17',
    });
    expect(world.trace).toEqual(['forget a']);
    expect(world.text('local', 'a')).toBe('x');
  });

  it.each<Action>(['nothing', 'hold'])('does nothing for %s', async (action) => {
    world.put('local', 'a', 'x');
    expect(await carry(world.context(), await world.decision('R16', action, 'a'))).toEqual({
      type: 'done',
      rule: 'R16',
    });
    expect(world.trace).toEqual([]);
  });

  describe('compare', () => {
    it.each([
      ['R14', 'R13'],
      ['R05', 'R04'],
    ] as const)('records that both sides have the same, which makes %s to be %s', async (rule, converged) => {
      world.put('local', 'a', 'same');
      world.put('remote', 'a', 'same');
      const decision = await world.decision(rule, 'compare', 'a');
      expect(await carry(world.context(), decision)).toEqual({ type: 'done', rule: converged });
      expect(world.trace).toEqual(['record a']);
      expect(world.rows.get('a')).toMatchObject({
        local: decision.local?.fingerprint,
        remote: decision.remote?.fingerprint,
        digest: expect.stringMatching(/^md5:/),
      });
    });

    it('settles the conflict of two different versions', async () => {
      world.put('local', 'a', 'mine');
      world.put('remote', 'a', 'theirs');
      const outcome = await carry(world.context({ conflict: 'manual' }), await world.decision('R14', 'compare', 'a'));
      expect(outcome).toMatchObject({ type: 'waiting', conflict: { path: 'a', type: 'content' } });
      expect(world.rows.size).toBe(0);
    });
  });

  describe('set-aside', () => {
    it.each(['local', 'remote'] as const)(
      'gives the file of the %s side a conflict name, and looks again at both',
      async (side) => {
        world.put(side, 'a', 'x');
        const outcome = await carry(
          world.context(),
          await world.decision('R15', 'set-aside', 'a', { setAsideSide: side }),
        );
        expect(outcome).toEqual({
          type: 'again',
          paths: ['a', expect.stringMatching(/^a \(conflict/)],
          conflict: {
            path: 'a',
            type: 'kind',
            resolution: 'keep-both',
            copyPath: expect.stringMatching(/^a \(conflict/),
          },
          message: 'a made room for a directory.',
        });
        expect(world.text(side, 'a')).toBeUndefined();
      },
    );

    it('is of the local side unless it is said otherwise, which readonly allows', async () => {
      world.put('local', 'a', 'x');
      const decision = await world.decision('R15', 'set-aside', 'a');
      expect(await carry(world.context({ readonly: true }), decision)).toMatchObject({ type: 'again' });
      expect(world.text('local', 'a')).toBeUndefined();
    });

    it('tells of no conflict when the file was changed meanwhile', async () => {
      world.put('local', 'a', 'x');
      const decision = await world.decision('R15', 'set-aside', 'a', { setAsideSide: 'local' });
      world.put('local', 'a', 'edited');
      expect(await carry(world.context(), decision)).toEqual({
        type: 'again',
        paths: ['a'],
        message: expect.stringContaining('was expected'),
      });
    });
  });

  describe('a rename', () => {
    /** A decision to move what both sides agreed on at `old`, which has the path `new` on one side. */
    async function renamed(side: 'local' | 'remote') {
      world.put('local', 'old', 'x');
      world.put('remote', 'old', 'x');
      const baseline: BaselineRow = {
        path: 'old',
        sizeBytes: 1,
        local: (await world.entry('local', 'old')).fingerprint,
        remote: (await world.entry('remote', 'old')).fingerprint,
        digest: undefined,
        recordedAtMs: 0,
      };
      world.rows.set('old', baseline);
      world[side].rename('old', 'new');
      const from = await world.decision('R07', side === 'local' ? 'delete-remote' : 'delete-local', 'old');
      return await world.decision('R11', side === 'local' ? 'move-remote' : 'move-local', 'new', { from });
    }

    it.each([
      ['the folder', 'local', 'remote'],
      ['the bucket', 'remote', 'local'],
    ] as const)('made in %s is carried as one', async (_, side, other) => {
      expect(await carry(world.context(), await renamed(side))).toMatchObject({
        type: 'done',
        rule: 'R11',
        change: { path: 'new', operation: 'added', origin: side, from: 'old' },
        gone: { rule: 'R07' },
      });
      expect(world[other].paths()).toEqual(['new']);
    });

    it.each(['local', 'remote'] as const)('is looked at again at both paths when the %s file changed', async (side) => {
      const decision = await renamed(side);
      world.put('local', side === 'local' ? 'new' : 'old', 'y');
      expect(await carry(world.context(), decision)).toEqual({
        type: 'again',
        paths: ['old', 'new'],
        message: expect.stringContaining('is not the version any more'),
      });
      expect(world.trace).toEqual([]);
    });

    it('is carried into a folder whose bucket is only read, and never into such a bucket', async () => {
      const decision = await renamed('local');
      await expect(carry(world.context({ readonly: true }), decision)).rejects.toThrow(
        new TypeError('a decision to move-remote new was made under readonly'),
      );
      expect(world.trace).toEqual([]);
      world = new TransferWorld();
      expect(await carry(world.context({ readonly: true }), await renamed('remote'))).toMatchObject({ type: 'done' });
    });

    it.each(['local', 'remote'] as const)(
      'of the %s side must say from where, and what was agreed on',
      async (side) => {
        const { from, ...decision } = await renamed(side);
        const error = new TypeError(`a decision to ${decision.action} new does not say from where`);
        await expect(carry(world.context(), decision)).rejects.toThrow(error);
        const unknown = { ...decision, from: { ...from, baseline: undefined } as typeof from };
        await expect(carry(world.context(), unknown as typeof decision)).rejects.toThrow(error);
      },
    );

    it.each(['local', 'remote'] as const)('of the %s side needs both files', async (side) => {
      const decision = await renamed(side);
      const other = side === 'local' ? 'remote' : 'local';
      await expect(carry(world.context(), { ...decision, [side]: null })).rejects.toThrow(
        new TypeError(`a decision to ${decision.action} new has no ${side} file`),
      );
      const from = { ...decision.from, [other]: null } as NonNullable<typeof decision.from>;
      await expect(carry(world.context(), { ...decision, from })).rejects.toThrow(`old has no ${other} file`);
    });
  });

  it('takes a file that is another one by now for a reason to decide again', async () => {
    world.put('local', 'a', 'x');
    const decision = await world.decision('R11', 'upload', 'a');
    world.put('local', 'a', 'edited');
    expect(await carry(world.context(), decision)).toEqual({
      type: 'again',
      paths: ['a'],
      message: '"a" is not the version any more that was observed.',
    });
  });

  it('passes on whatever else goes wrong', async () => {
    world.put('local', 'a', 'x');
    world.remote.write = async () => {
      throw new Error('the store is away');
    };
    await expect(carry(world.context(), await world.decision('R11', 'upload', 'a'))).rejects.toThrow('away');
  });

  describe('as the last wall against a mistake of the planner', () => {
    it.each<[Action, object]>([
      ['upload', {}],
      ['delete-remote', {}],
      ['set-aside', { setAsideSide: 'remote' }],
    ])('does not %s in a bucket that is only read', async (action, more) => {
      world.put('local', 'a', 'x');
      world.put('remote', 'a', 'y');
      await expect(
        carry(world.context({ readonly: true }), await world.decision('R03', action, 'a', more)),
      ).rejects.toThrow(new TypeError(`a decision to ${action} a was made under readonly`));
      expect(world.trace).toEqual([]);
    });

    it.each<[Action, string]>([
      ['upload', 'local'],
      ['delete-local', 'local'],
      ['download', 'remote'],
      ['delete-remote', 'remote'],
      ['compare', 'local'],
    ])('does not %s without the %s file that it is about', async (action, side) => {
      await expect(carry(world.context(), await world.decision('R03', action, 'a'))).rejects.toThrow(
        new TypeError(`a decision to ${action} a has no ${side} file`),
      );
      expect(world.trace).toEqual([]);
    });
  });
});
