import { beforeEach, describe, expect, it } from 'vitest';
import { PathError } from '../../src/errors.js';
import type { SessionEvent } from '../../src/session/event.js';
import { MemoryWorld } from './memory-world.js';

describe('a rename', () => {
  let world: MemoryWorld;

  beforeEach(() => {
    world = new MemoryWorld();
  });

  async function agreeOn(count: number, folder = 'old'): Promise<void> {
    for (let i = 0; i < count; i++) world.local.put(`${folder}/${i}`, `content ${i}`);
    await world.sync();
    world.events.length = 0;
  }

  function renameFolder(side: 'local' | 'remote', from: string, to: string): void {
    for (const path of world[side].paths()) {
      if (path.startsWith(`${from}/`)) world[side].rename(path, to + path.slice(from.length));
    }
  }

  it('of a whole folder sends nothing, and is no deletion for the guard', async () => {
    await agreeOn(30);
    renameFolder('local', 'old', 'new');
    const result = await world.sync();
    expect(result.uploadedBytes).toBe(0);
    expect(world.remote.paths()).toEqual(world.local.paths());
    expect(result.changes).toHaveLength(60);
    expect(result.changes).toContainEqual({ path: 'new/3', operation: 'added', origin: 'local', from: 'old/3' });
    expect(result.changes).toContainEqual({ path: 'old/3', operation: 'deleted', origin: 'local', to: 'new/3' });
    expect((await world.sync()).changes).toEqual([]);
  });

  it('made in the bucket fetches nothing, and puts nothing into the trash', async () => {
    await agreeOn(30);
    renameFolder('remote', 'old', 'new');
    const result = await world.sync();
    expect(result.downloadedBytes).toBe(0);
    expect(world.local.paths()).toEqual(world.remote.paths());
    expect(await world.local.trash.list()).toEqual([]);
    expect((await world.sync()).changes).toEqual([]);
  });

  it('is told as one, after its two halves, and when it is done', async () => {
    await agreeOn(2);
    world.local.rename('old/1', 'new/one');
    await world.sync();
    const told = world.events.filter((event) => ['decision', 'start', 'done'].includes(event.type));
    const short = told.map((event) => {
      const { type, path, action, rule, from } = event as Extract<SessionEvent, { type: 'done' }>;
      return [type, path, action, rule, from];
    });
    expect(short).toEqual([
      ['decision', 'new/one', 'upload', 'R11', undefined],
      ['decision', 'old/1', 'delete-remote', 'R07', undefined],
      ['decision', 'new/one', 'move-remote', 'R11', 'old/1'],
      ['start', 'new/one', 'move-remote', 'R11', 'old/1'],
      ['done', 'new/one', 'move-remote', 'R11', 'old/1'],
      ['done', 'old/1', 'move-remote', 'R07', undefined],
    ]);
    expect(world.events.find(({ type }) => type === 'plan')).toMatchObject({
      totals: { uploads: 0, uploadBytes: 0, remoteDeletes: 0, remoteMoves: 1, localMoves: 0 },
    });
  });

  it('is planned as one, and the plan touches nothing', async () => {
    await agreeOn(30);
    renameFolder('local', 'old', 'new');
    const session = await world.open();
    const plan = await session.plan();
    await session.close();
    expect(plan.halt).toBeUndefined();
    expect(plan.totals).toMatchObject({ uploads: 0, remoteDeletes: 0, remoteMoves: 30 });
    expect(plan.changes).toContainEqual({ path: 'new/3', operation: 'added', origin: 'local', from: 'old/3' });
    expect(world.remote.paths()).toContain('old/3');
  });

  it('that moves another content than it seems is none: the file is sent and the old one deleted', async () => {
    await agreeOn(3);
    world.local.rename('old/1', 'new/1');
    // As if the inode had been given to another file in the meantime.
    const digest = world.local.digest.bind(world.local);
    let lied = 0;
    world.local.digest = async (entry, scheme, signal) => {
      if (entry.path !== 'new/1') return digest(entry, scheme, signal);
      lied++;
      return `md5:${'0'.repeat(32)}`;
    };
    const result = await world.sync();
    expect(lied).toBe(1);
    expect(result.uploadedBytes).toBe('content 1'.length);
    expect(world.remote.paths()).toEqual(world.local.paths());
  });

  it('whose content is another is a deletion for the guard again', async () => {
    await agreeOn(30);
    renameFolder('local', 'old', 'new');
    world.local.digest = async () => `md5:${'0'.repeat(32)}`;
    await expect(world.sync()).rejects.toMatchObject({ code: 'ERR_TOO_MANY_DELETIONS' });
    expect(world.remote.paths().filter((path) => path.startsWith('old/'))).toHaveLength(30);
  });

  it('does not hide a deletion: those without a new place still count', async () => {
    await agreeOn(30);
    for (let i = 0; i < 20; i++) world.local.delete(`old/${i}`);
    for (let i = 20; i < 30; i++) world.local.rename(`old/${i}`, `new/${i}`);
    await expect(world.sync()).rejects.toMatchObject({ code: 'ERR_TOO_MANY_DELETIONS' });
    expect(world.remote.paths().filter((path) => path.startsWith('old/'))).toHaveLength(30);
  });

  it('of an old version while a newer one came to the bucket keeps the newer one', async () => {
    await agreeOn(2);
    world.local.rename('old/1', 'new/1');
    const move = world.remote.move.bind(world.remote);
    world.remote.move = async (path, ...rest) => {
      world.remote.put('old/1', 'edited elsewhere');
      return move(path, ...rest);
    };
    await world.sync();
    expect(world.text('remote', 'new/1')).toBe('content 1');
    expect([world.text('remote', 'old/1'), world.text('local', 'old/1')]).toEqual([
      'edited elsewhere',
      'edited elsewhere',
    ]);
  });

  it('does not delete the old object when its file came back meanwhile', async () => {
    await agreeOn(2);
    world.local.rename('old/1', 'new/1');
    const scan = world.local.scan.bind(world.local);
    world.local.scan = async function* (options) {
      yield* scan(options);
      world.local.put('old/1', 'content 1');
    };
    await world.sync();
    expect(world.remote.paths()).toEqual(['new/1', 'old/0', 'old/1']);
  });

  it('made in the bucket takes no file away whose object is there again', async () => {
    await agreeOn(2);
    world.remote.rename('old/1', 'new/1');
    const scan = world.remote.scan.bind(world.remote);
    world.remote.scan = async function* (options) {
      yield* scan(options);
      world.remote.put('old/1', 'written again elsewhere');
    };
    await world.sync();
    expect([world.text('local', 'old/1'), world.text('local', 'new/1')]).toEqual([
      'written again elsewhere',
      'content 1',
    ]);
  });

  it('made in the bucket that has another content than it seems is none: it is fetched', async () => {
    await agreeOn(2);
    world.remote.rename('old/1', 'new/1');
    world.remote.digest = async () => `md5:${'0'.repeat(32)}`;
    const result = await world.sync();
    expect(result.downloadedBytes).toBe('content 1'.length);
    expect(await world.local.trash.list()).toMatchObject([{ path: 'old/1', reason: 'deleted' }]);
    expect(world.local.paths()).toEqual(world.remote.paths());
  });

  it('that the store cannot make is carried by sending, and is no deletion for the guard either', async () => {
    await agreeOn(30);
    renameFolder('local', 'old', 'new');
    world.remote.move = async () => {
      throw new PathError('ERR_S3_NOT_SUPPORTED', 'cannot copy');
    };
    const result = await world.sync();
    expect(result.problems).toEqual([]);
    expect(world.remote.paths()).toEqual(world.local.paths());
    expect(result.uploadedBytes).toBeGreaterThan(0);
    expect((await world.sync()).changes).toEqual([]);
  });

  it('keeps the old object when the store can neither make it nor take the file', async () => {
    await agreeOn(2);
    world.local.rename('old/1', 'new/1');
    const refuse = async (): Promise<never> => {
      throw new PathError('ERR_TEST', 'refused');
    };
    world.remote.move = refuse;
    world.remote.write = refuse;
    const result = await world.sync();
    expect(result.problems).toMatchObject([{ path: 'new/1', code: 'ERR_TEST' }]);
    expect(world.remote.paths()).toEqual(['old/0', 'old/1']);
  });

  it('made in the bucket whose move fails half way is not left half done without a word', async () => {
    await agreeOn(2);
    renameFolder('remote', 'old', 'new');
    const move = world.local.move.bind(world.local);
    world.local.move = async (path, to, ...rest) => {
      if (to !== 'new/1') return move(path, to, ...rest);
      world.local.put(to, 'content 1');
      throw new PathError('ERR_TEST', 'the new name was made, the old one did not go');
    };
    const result = await world.sync();
    expect(result.problems).toEqual([]);
    expect(world.local.paths()).toEqual(['new/0', 'new/1']);
    expect((await world.sync()).changes).toEqual([]);
  });

  it.each(['local', 'remote'] as const)(
    'of a folder made on the %s side and cut off half way is finished, and is no deletion for the guard',
    async (side) => {
      await agreeOn(30);
      renameFolder(side, 'old', 'new');
      // The new names were made on the other side, and nothing was recorded.
      const other = side === 'local' ? 'remote' : 'local';
      for (let i = 0; i < 30; i++) world[other].put(`new/${i}`, `content ${i}`);
      const result = await world.sync();
      expect([result.uploadedBytes, result.downloadedBytes]).toEqual([0, 0]);
      expect(world[other].paths()).toEqual(world[side].paths());
      expect((await world.sync()).changes).toEqual([]);
    },
  );

  it('is held under readonly like its halves', async () => {
    await agreeOn(2);
    world.local.rename('old/1', 'new/1');
    const result = await world.sync({ readonly: true });
    expect(result.held).toMatchObject([
      { path: 'new/1', rule: 'R11', reason: 'readonly' },
      { path: 'old/1', rule: 'R07', reason: 'readonly' },
    ]);
    expect(world.remote.paths()).toEqual(['old/0', 'old/1']);
  });

  it('out of what takes part is none: nothing is moved to where a filter looks away', async () => {
    await agreeOn(2);
    world.local.rename('old/1', 'hidden/1');
    const filter = { includesFile: (path: string) => !path.startsWith('hidden/'), mayContain: () => true };
    await world.sync({ filter });
    expect(world.remote.paths()).toEqual(['old/0']);
  });

  it('is found by its content where the file is another one of the same name', async () => {
    await agreeOn(12);
    for (let i = 0; i < 12; i++) {
      world.local.delete(`old/${i}`);
      world.local.put(`new/${i}`, `content ${i}`);
    }
    const result = await world.sync();
    expect(result.uploadedBytes).toBe(0);
    expect(world.remote.paths()).toEqual(world.local.paths());
  });

  it('of copies pairs them by name', async () => {
    for (const name of ['a', 'b', 'c']) world.local.put(`old/${name}`, 'the same');
    world.local.put('stays', 'x');
    await world.sync();
    for (const name of ['c', 'a', 'b']) {
      world.local.delete(`old/${name}`);
      world.local.put(`new/${name}`, 'the same');
    }
    const { changes, uploadedBytes } = await world.sync();
    expect(uploadedBytes).toBe(0);
    expect(changes.filter(({ from }) => from !== undefined).map(({ path, from }) => [path, from])).toEqual([
      ['new/a', 'old/a'],
      ['new/b', 'old/b'],
      ['new/c', 'old/c'],
    ]);
  });

  it.each([
    [
      'a file to below its own name',
      ['a'],
      [
        ['a', 'tmp'],
        ['tmp', 'a/b'],
      ],
    ],
    [
      'a file to above its own name',
      ['a/b'],
      [
        ['a/b', 'tmp'],
        ['tmp', 'a'],
      ],
    ],
    [
      'two files that change places',
      ['x', 'y'],
      [
        ['x', 'tmp'],
        ['y', 'x'],
        ['tmp', 'y'],
      ],
    ],
    [
      'a chain of files',
      ['x', 'y'],
      [
        ['y', 'z'],
        ['x', 'y'],
      ],
    ],
    [
      'a file to one that another rename frees below it',
      ['a/b', 'c'],
      [
        ['a/b', 'd'],
        ['c', 'a'],
      ],
    ],
    ['a file that differs by case alone', ['Readme'], [['Readme', 'README']]],
  ] as const)('of %s comes out right', async (_, files, moves) => {
    for (const path of [...files, 'stays']) world.local.put(path, `content of ${path}`);
    await world.sync();
    for (const [from, to] of moves) world.local.rename(from, to);
    const wanted = world.local.paths().map((path) => [path, world.text('local', path)]);
    await world.sync();
    expect(world.remote.paths().map((path) => [path, world.text('remote', path)])).toEqual(wanted);
    expect(world.local.paths().map((path) => [path, world.text('local', path)])).toEqual(wanted);
    expect((await world.sync()).changes).toEqual([]);
  });

  it('of more files than are handed on at once comes through whole', async () => {
    const count = 1100;
    await agreeOn(count);
    renameFolder('local', 'old', 'new');
    const result = await world.sync();
    expect(result.uploadedBytes).toBe(0);
    expect(result.changes).toHaveLength(2 * count);
  });
});
