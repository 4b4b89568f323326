import { beforeEach, describe, expect, it } from 'vitest';
import { PathError, S3ConnectionError, StateDamagedError } from '../../src/errors.js';
import { MemoryWorld } from './memory-world.js';

describe('a cycle', () => {
  let world: MemoryWorld;

  beforeEach(() => {
    world = new MemoryWorld();
  });

  it('tells what it does, in order, and ends with the result', async () => {
    world.local.put('up', 'u');
    world.remote.put('down', 'd');
    const result = await world.sync();
    const types = world.events.map(({ type }) => type);
    expect(types[0]).toBe('begin');
    expect(types.at(-1)).toBe('end');
    expect(types.indexOf('plan')).toBeLessThan(types.indexOf('start'));
    expect(world.events).toContainEqual({ type: 'end', result });
    expect(world.events.find(({ type }) => type === 'plan')).toMatchObject({
      totals: { uploads: 1, downloads: 1, uploadBytes: 1, downloadBytes: 1 },
    });
  });

  it('knows its folder from the first file on: a first run that is cut off in an empty mount point deletes nothing later', async () => {
    world.remote.put('a', 'a');
    world.remote.put('b', 'b');
    const write = world.local.write.bind(world.local);
    world.local.write = async (path, ...rest) => {
      // The disk is mounted over the folder while the second file is on its way.
      if (path === 'b') throw new S3ConnectionError('ERR_TEST', 'cut off');
      return write(path, ...rest);
    };
    await expect(world.sync({ concurrency: 1 })).rejects.toMatchObject({ code: 'ERR_TEST' });
    expect(world.text('local', 'a')).toBe('a');
    world.local.write = write;
    world.local.identity = 'disk-2';
    world.local.delete('a');
    await expect(world.sync()).rejects.toMatchObject({ code: 'ERR_ROOT_REPLACED' });
    expect(world.remote.paths()).toEqual(['a', 'b']);
  });

  it('is not disturbed by a listener that throws', async () => {
    world.local.put('up', 'u');
    const session = await world.open();
    await session.cycle({
      onEvent: () => {
        throw new Error('not my business');
      },
    });
    await session.close();
    expect(world.text('remote', 'up')).toBe('u');
  });

  it('goes on with the other files when one cannot be handled, and names it', async () => {
    for (const path of ['a', 'bad', 'c']) world.local.put(path, path);
    const write = world.remote.write.bind(world.remote);
    world.remote.write = async (path, ...rest) => {
      if (path === 'bad') throw new PathError('ERR_TEST', 'bad cannot be written.');
      return write(path, ...rest);
    };
    const result = await world.sync();
    expect(world.remote.paths()).toEqual(['a', 'c']);
    expect(result.problems).toMatchObject([{ path: 'bad', code: 'ERR_TEST', severity: 'error', side: 'remote' }]);
    world.remote.write = write;
    await world.sync();
    expect(world.remote.paths()).toEqual(['a', 'bad', 'c']);
  });

  it('turns what nobody foresaw at one path into a problem of that path', async () => {
    world.local.put('a', 'a');
    world.local.put('odd', 'odd');
    const open = world.local.open.bind(world.local);
    world.local.open = async (entry, signal) => {
      if (entry.path === 'odd') throw new RangeError('not foreseen');
      return open(entry, signal);
    };
    const result = await world.sync();
    expect(result.problems).toMatchObject([{ path: 'odd', code: 'ERR_UNEXPECTED' }]);
    expect(world.remote.paths()).toEqual(['a']);
  });

  it('ends when a whole side cannot be used, and remembers why', async () => {
    world.local.put('a', 'a');
    world.remote.write = async () => {
      throw new S3ConnectionError('ERR_TEST_GONE', 'The service went away.');
    };
    await expect(world.sync()).rejects.toMatchObject({ code: 'ERR_TEST_GONE' });
    const session = await world.open();
    expect(await session.store.facts.get('last-cycle')).toMatchObject({ error: { code: 'ERR_TEST_GONE' } });
    await session.close();
  });

  it('makes no plan of a listing that failed half way', async () => {
    for (let i = 0; i < 5; i++) world.local.put(`f${i}`, String(i));
    await world.sync();
    const scan = world.remote.scan.bind(world.remote);
    world.remote.scan = async function* (options) {
      for await (const page of scan(options)) {
        yield { entries: page.entries.slice(0, 2), problems: [] };
        throw new S3ConnectionError('ERR_TEST_CUT', 'The listing was cut short.');
      }
    };
    await expect(world.sync({ maxDelete: 1 })).rejects.toMatchObject({ code: 'ERR_TEST_CUT' });
    expect(world.local.paths()).toHaveLength(5);
  });

  it('decides again, in the same run, what changed under its hands', async () => {
    world.local.put('x', 'first');
    const write = world.remote.write.bind(world.remote);
    let interfered = false;
    world.remote.write = async (path, source, precondition, options) => {
      if (!interfered) {
        interfered = true;
        world.remote.put('x', 'somebody else', world.nowMs + 60_000);
      }
      return write(path, source, precondition, options);
    };
    const result = await world.sync();
    expect(result.conflicts).toMatchObject([{ path: 'x', resolution: 'bucket', trashed: 'local' }]);
    expect([world.text('local', 'x'), world.text('remote', 'x')]).toEqual(['somebody else', 'somebody else']);
    const [item] = await world.local.trash.list();
    expect(item).toMatchObject({ path: 'x', reason: 'lost-conflict', origin: 'local' });
  });

  it('gives a file that never stops changing up for this run, without calling it synced', async () => {
    world.local.put('log', '0');
    const write = world.remote.write.bind(world.remote);
    let count = 0;
    world.remote.write = async (path, source, precondition, options) => {
      world.local.put('log', String(++count).padStart(count + 1, '.'));
      return write(path, source, precondition, options);
    };
    const result = await world.sync();
    expect(result.problems).toMatchObject([{ path: 'log', code: 'ERR_STILL_CHANGING', severity: 'notice' }]);
    expect(result.changes).toEqual([]);
    world.remote.write = write;
    await world.sync();
    expect(world.text('remote', 'log')).toBe(world.text('local', 'log'));
  });

  it('does not delete in the bucket what came back in the folder after it was looked at', async () => {
    for (const path of ['gone', 'stays']) world.local.put(path, 'base');
    await world.sync();
    world.local.delete('gone');
    const scan = world.local.scan.bind(world.local);
    world.local.scan = async function* (options) {
      yield* scan(options);
      world.local.put('gone', 'back again');
    };
    await world.sync();
    expect(world.text('remote', 'gone')).toBe('back again');
  });

  it('halts as a whole when deletions found on the second look are too many', async () => {
    for (let i = 0; i < 22; i++) world.local.put(`f${String(i).padStart(2, '0')}`, 'x');
    await world.sync();
    for (let i = 0; i < 11; i++) world.local.delete(`f${String(i).padStart(2, '0')}`);
    const observe = world.local.observe.bind(world.local);
    // Half of the folder vanishes while the run is at it.
    world.local.put('f21', 'edited');
    const open = world.local.open.bind(world.local);
    world.local.open = async (entry, signal) => {
      for (let i = 11; i < 22; i++) world.local.delete(`f${String(i).padStart(2, '0')}`);
      return open(entry, signal);
    };
    await expect(world.sync()).rejects.toMatchObject({ code: 'ERR_TOO_MANY_DELETIONS' });
    expect(observe).toBeDefined();
    expect(world.remote.paths()).toContain('f21');
  });

  describe('where an object has to make room for a folder', () => {
    beforeEach(async () => {
      for (const side of [world.local, world.remote]) side.put('x', 'agreed');
      await world.sync();
      world.local.delete('x');
      world.local.put('x/y', 'theirs');
      world.remote.put('x', 'edited in the bucket');
    });

    it('brings nothing below it that could not make room, says so, and goes on in the next run', async () => {
      const move = world.remote.move.bind(world.remote);
      world.remote.move = async () => {
        throw new PathError('ERR_TEST', 'x cannot be moved.');
      };
      const { problems } = await world.sync();
      expect(problems).toMatchObject([
        { path: 'x', code: 'ERR_TEST' },
        {
          path: 'x/y',
          side: 'remote',
          code: 'ERR_KIND_CONFLICT',
          message:
            '"x" did not make room for "x/y", which is told there: "x/y" is left alone. The next run tries again.',
        },
      ]);
      expect(world.remote.paths()).toEqual(['x']);
      world.remote.move = move;
      expect((await world.sync()).problems).toEqual([]);
      const paths = world.remote.paths();
      expect(paths).toEqual([expect.stringMatching(/^x \(conflict /), 'x/y']);
      expect(world.local.paths()).toEqual(paths);
      expect(world.text('remote', paths[0] ?? '')).toBe('edited in the bucket');
    });

    it('decides about both again, in the same run, when it was changed once more: then both are left to a person', async () => {
      const move = world.remote.move.bind(world.remote);
      world.remote.move = async (...args) => {
        world.remote.put('x', 'edited once more');
        world.remote.move = move;
        return move(...args);
      };
      expect((await world.sync()).problems).toMatchObject([{ path: 'x/y', code: 'ERR_KIND_CONFLICT', side: 'local' }]);
      expect([world.remote.paths(), world.text('remote', 'x')]).toEqual([['x'], 'edited once more']);
      expect([world.local.paths(), world.text('local', 'x/y')]).toEqual([['x/y'], 'theirs']);
    });
  });

  it('repairs what is found damaged before the cycle, as facts about the store are', async () => {
    world.local.put('a', 'one');
    const first = await world.open();
    await first.cycle();
    await first.store.facts.put('what the store can do', 'all');
    await first.close();
    world.home.tamper((rows, mark) => {
      for (const [key, value] of rows) if (key.includes('what the store')) rows.set(key, value.replace('all', 'ill'));
      return mark;
    });
    const session = await world.open();
    const remarks: unknown[] = [];
    const found = await session.prepare(
      () => session.store.facts.get<string>('what the store can do'),
      (event) => remarks.push(event),
    );
    expect(found).toBeUndefined();
    expect(remarks).toEqual([{ type: 'remark', message: expect.stringContaining('is put aside') }]);
    const result = await session.cycle();
    expect([result.rebuilt, result.counts.deletions]).toEqual([true, 0]);
    await expect(session.prepare(() => Promise.reject(new TypeError('another error')))).rejects.toThrow('another');
    await session.close();
  });

  it('repairs a damaged memory by itself, and deletes nothing in that run', async () => {
    for (const path of ['a', 'b', 'c']) world.local.put(path, path);
    await world.sync();
    world.home.tamper((rows, mark) => {
      for (const [key, value] of rows) if (key.startsWith('b!')) rows.set(key, value.replace('"a"', '"b"').slice(1));
      return mark;
    });
    world.local.delete('a');
    const result = await world.sync();
    expect(result.rebuilt).toBe(true);
    expect([world.local.paths(), world.remote.paths()]).toEqual([
      ['a', 'b', 'c'],
      ['a', 'b', 'c'],
    ]);
    expect((await world.sync()).rebuilt).toBe(false);
  });

  it('believes no memory that lost which folder it is of, and deletes nothing in that run', async () => {
    for (const path of ['a', 'b', 'c']) world.local.put(path, path);
    await world.sync();
    world.home.tamper((rows, mark) => {
      for (const key of rows.keys()) if (key.includes('root-identity')) rows.delete(key);
      return mark;
    });
    world.local.delete('a');
    const session = await world.open();
    const remarks: string[] = [];
    const result = await session.cycle({
      onEvent: (event) => void (event.type === 'remark' && remarks.push(event.message)),
    });
    await session.close();
    expect([result.rebuilt, result.counts.deletions]).toEqual([true, 0]);
    expect(remarks).toEqual([expect.stringContaining('is put aside')]);
    expect(world.remote.paths()).toEqual(['a', 'b', 'c']);
    world.local.delete('b');
    expect((await world.sync()).counts.deletions).toBe(1);
  });

  it('says what was done before the memory was found to be damaged, and what has to be found again only once', async () => {
    world.local.put('mine', '1');
    world.remote.put('theirs', '2');
    world.local.put('both', 'here');
    world.remote.put('both', 'there');
    world.local.put('x/y', 'a folder here');
    world.remote.put('x', 'a file there');
    const cleanUp = world.remote.cleanUp.bind(world.remote);
    world.remote.cleanUp = async (options) => {
      world.remote.cleanUp = cleanUp;
      if (options?.cycleEnded === true) throw new StateDamagedError('A row cannot be read.');
    };
    const result = await world.sync({ conflict: 'manual' });
    expect(result.counts).toMatchObject({
      changes: 2,
      uploads: 1,
      downloads: 1,
      waitingConflicts: 3,
      errors: 2,
      notices: 0,
    });
    // Both are carried at the same time.
    expect(result.changes.map(({ path, origin }) => `${path} ${origin}`).toSorted()).toEqual([
      'mine local',
      'theirs remote',
    ]);
    expect(result.conflicts.map(({ path }) => path).toSorted()).toEqual(['both', 'x', 'x/y']);
    expect(result.problems.map(({ path }) => path).toSorted()).toEqual(['x', 'x/y']);
    expect([world.text('remote', 'mine'), world.text('local', 'theirs')]).toEqual(['1', '2']);
  });

  it('finishes what runs and keeps it when it is stopped softly', async () => {
    for (let i = 0; i < 20; i++) world.local.put(`f${i}`, String(i));
    const soft = new AbortController();
    const session = await world.open({ concurrency: 1 });
    let done = 0;
    const run = session.cycle({
      softSignal: soft.signal,
      onEvent: ({ type }) => {
        if (type === 'done' && ++done === 3) soft.abort();
      },
    });
    await expect(run).rejects.toMatchObject({ name: 'AbortError' });
    await session.close();
    expect(world.remote.paths()).toHaveLength(3);
    expect((await world.sync()).changes).toHaveLength(17);
  });

  it('purges the trash once a day, of what is older than was asked for', async () => {
    world.local.put('x', '1');
    await world.sync();
    world.remote.put('x', '22');
    await world.sync();
    world.nowMs += 20 * 86_400_000;
    await world.sync();
    expect(await world.local.trash.list()).toHaveLength(1);
    world.nowMs += 11 * 86_400_000;
    await world.sync();
    expect(await world.local.trash.list()).toHaveLength(0);
  });

  it('never lets a link or an ignored file on one side delete what the other side has', async () => {
    world.local.put('kept', '1');
    world.local.put('other', '1');
    await world.sync();
    const filter = { includesFile: (path: string) => path !== 'kept', mayContain: () => true };
    world.local.delete('kept');
    const result = await world.sync({ filter });
    expect(result.changes).toEqual([]);
    expect(world.text('remote', 'kept')).toBe('1');
    expect((await world.sync()).changes).toEqual([{ path: 'kept', operation: 'added', origin: 'remote' }]);
  });
});
