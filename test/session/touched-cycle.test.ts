import { beforeEach, describe, expect, it } from 'vitest';
import { LastCycle } from '../../src/session/last-cycle.js';
import type { SessionOptions } from '../../src/session/options.js';
import type { CycleResult } from '../../src/session/result.js';
import type { SessionCall } from '../../src/session/session.js';
import { MemoryWorld } from './memory-world.js';
import { noFiles } from './no-files.js';

const FILES = ['a', 'b', 'd/e', 'd/f', 'g/h/i'];

describe('a cycle over touched paths', () => {
  let world: MemoryWorld;
  /** How often either side was walked. */
  let scans = 0;
  let asked: string[] = [];

  beforeEach(async () => {
    world = new MemoryWorld();
    for (const path of FILES) world.local.put(path, path);
    await world.sync();
    for (const side of [world.local, world.remote]) {
      const scan = side.scan.bind(side);
      side.scan = (options) => (scans++, scan(options));
    }
    const observe = world.remote.observe.bind(world.remote);
    world.remote.observe = (path, signal) => (asked.push(path), observe(path, signal));
    scans = 0;
    asked = [];
    world.events.length = 0;
  });

  async function cycle(
    touched: readonly string[],
    options: Partial<SessionOptions> = {},
    call: SessionCall = {},
  ): Promise<CycleResult> {
    const session = await world.open(options);
    try {
      return await session.cycle({ onEvent: (event) => world.events.push(event), ...call, touched });
    } finally {
      await session.close();
    }
  }

  it('carries what was written, created and deleted, and walks neither side', async () => {
    world.local.put('a', 'again');
    world.local.put('new', 'new');
    world.local.delete('b');
    const result = await cycle(['a', 'new', 'b', 'b', 'nowhere']);
    expect(result.changes.map(({ path, operation }) => `${operation} ${path}`).toSorted()).toEqual([
      'added new',
      'deleted b',
      'modified a',
    ]);
    expect([world.text('remote', 'a'), world.text('remote', 'new'), world.text('remote', 'b')]).toEqual([
      'again',
      'new',
      undefined,
    ]);
    expect([scans, result.touchedPaths]).toEqual([0, 3]);
    expect(asked.toSorted()).toEqual(['a', 'b', 'new']);
  });

  it('carries all that is in a new directory, which is named alone', async () => {
    for (const path of ['n/1', 'n/m/2', 'n/m/3']) world.local.put(path, path);
    const scanned = scans;
    const result = await cycle(['n']);
    expect(result.changes.map(({ path }) => path).toSorted()).toEqual(['n/1', 'n/m/2', 'n/m/3']);
    // The memory finds what is below a directory by walking itself.
    expect(scans - scanned).toBeLessThanOrEqual(1);
    expect(result.touchedPaths).toBe(3);
  });

  it('carries what is new or written in a directory of which some was carried before', async () => {
    expect((await cycle(['d'])).touchedPaths).toBe(0);
    world.local.put('d/e', 'again');
    world.local.put('d/deep/new', 'new');
    const result = await cycle(['d']);
    expect(result.changes.map(({ path, operation }) => `${operation} ${path}`).toSorted()).toEqual([
      'added d/deep/new',
      'modified d/e',
    ]);
    expect([result.touchedPaths, asked.toSorted()]).toEqual([2, ['d/deep', 'd/deep/new', 'd/e']]);
  });

  it('compares by content what stands in the place of a known directory, under the same names', async () => {
    for (const path of ['d/e', 'd/f']) {
      const content = world.local.content(path);
      world.local.delete(path);
      world.local.put(`old/${path}`, path);
      world.local.put(path, path === 'd/e' ? (content ?? '') : 'f of another');
    }
    const result = await cycle(['d', 'old']);
    expect(result.changes.map(({ path, operation }) => `${operation} ${path}`).toSorted()).toEqual([
      'added old/d/e',
      'added old/d/f',
      'modified d/f',
    ]);
    expect([world.text('remote', 'd/e'), world.text('remote', 'd/f')]).toEqual(['d/e', 'f of another']);
    expect(result.touchedPaths).toBe(4);
  });

  it('asks the remote side nothing and tells nothing where the folder is as agreed', async () => {
    const result = await cycle([...FILES, 'd', 'nowhere'].filter((path) => path !== 'd'));
    expect([result.touchedPaths, scans, asked, world.events]).toEqual([0, 0, [], []]);
  });

  it('settles a file that was written on both sides like any cycle', async () => {
    world.local.put('a', 'mine');
    world.remote.put('a', 'theirs');
    const result = await cycle(['a'], { conflict: 'keep-both' });
    expect(result.conflicts).toMatchObject([{ path: 'a', resolution: 'keep-both' }]);
    expect(result.touchedPaths).toBe(1);
  });

  it('uploads nothing under readonly, and deletes nothing', async () => {
    world.local.put('a', 'again');
    world.local.delete('b');
    const result = await cycle(['a', 'b'], { readonly: true });
    expect(result.held.map(({ path, reason }) => `${path} ${reason}`)).toEqual(['a readonly', 'b readonly']);
    expect([world.text('remote', 'a'), world.text('remote', 'b')]).toEqual(['a', 'b']);
  });

  it('leaves conflicts that wait elsewhere', async () => {
    world.local.put('a', 'mine');
    world.remote.put('a', 'theirs');
    await world.sync({ conflict: 'manual' });
    world.local.put('b', 'again');
    await cycle(['b'], { conflict: 'manual' });
    const again = await world.sync({ conflict: 'manual' });
    expect(again.conflicts).toMatchObject([{ path: 'a', resolution: 'manual' }]);
  });

  it('leaves what the last look at everything found for status', async () => {
    await world.sync();
    world.local.put('new', 'new');
    const session = await world.open();
    await session.cycle({ touched: ['new'] });
    const after = await new LastCycle(session.store.facts).read();
    await session.close();
    expect(after).toMatchObject({ knownFiles: FILES.length + 1, changes: 1 });
  });

  describe('looks at everything', () => {
    const put = (side: 'local' | 'remote', path: string) => (): void => world[side].put(path, `${path} on ${side}`);
    const drop = (...paths: string[]) => {
      return (): void => void paths.map((path) => world.local.delete(path));
    };
    const both = (...acts: (() => void)[]) => {
      return (): void => acts.forEach((act) => act());
    };

    it.each<[string, () => void, readonly string[]]>([
      ['when a directory is gone', drop('d/e', 'd/f'), ['d']],
      ['when all files of a directory are gone, and nothing was heard of itself', drop('d/e', 'd/f'), ['d/e', 'd/f']],
      ['when a file became a directory', both(drop('a'), put('local', 'a/x')), ['a']],
      ['when a file became a directory, of which only a file was heard', both(drop('a'), put('local', 'a/x')), ['a/x']],
      ['when a directory became a file', both(drop('d/e', 'd/f'), put('local', 'd')), ['d']],
      ['when a known directory appeared, and a file of it is gone', drop('d/e'), ['d']],
      [
        'when a known directory appeared, and a file of it is elsewhere',
        both(drop('d/e'), () => world.local.put('d/e2', 'd/e')),
        ['d'],
      ],
      [
        'when a known directory appeared, and a file of it became a directory',
        both(drop('d/e'), put('local', 'd/e/x')),
        ['d'],
      ],
      [
        'when a known directory appeared, and a directory of it became a file',
        both(drop('g/h/i'), put('local', 'g/h')),
        ['g'],
      ],
      [
        'when the bucket has objects below a new file of a known directory',
        both(put('local', 'd/n'), put('remote', 'd/n/x')),
        ['d'],
      ],
      ['when the bucket has objects below a new file', both(put('local', 'n'), put('remote', 'n/x')), ['n']],
      [
        'when the bucket has objects below a file that was written, and not the file',
        both(put('local', 'a'), () => void world.remote.delete('a'), put('remote', 'a/x')),
        ['a'],
      ],
      ['when the bucket has an object above a new file', both(put('local', 'n/x/y'), put('remote', 'n')), ['n']],
      ['when the object at a deleted file is another now', both(drop('a'), put('remote', 'a')), ['a']],
      [
        'when more paths were touched than can be named',
        put('local', 'n'),
        Array.from({ length: 1001 }, (_, i) => `n${i}`),
      ],
    ])('%s, and comes to what it would have come to without', async (_what, act, touched) => {
      act();
      const result = await cycle(touched);
      expect(result.touchedPaths).toBeUndefined();
      const reached = ['local', 'remote'].map((side) => [...world[side as 'local'].paths()]);
      const twin = new MemoryWorld();
      for (const path of FILES) twin.local.put(path, path);
      await twin.sync();
      const before = world;
      world = twin;
      act();
      await twin.sync();
      const named = (path: string): string => path.replace(/ test [0-9a-z]+\)/, ' test …)');
      expect(reached.map((paths) => paths.map(named))).toEqual([
        twin.local.paths().map(named),
        twin.remote.paths().map(named),
      ]);
      world = before;
    });

    it('for more than a thousand agreed files in all directories', async () => {
      for (let i = 0; i < 600; i++) for (const path of [`m/${i}`, `n/${i}`]) world.local.put(path, 'm');
      await world.sync({ concurrency: 64 });
      world.local.put('m/1', 'again');
      expect((await cycle(['m'])).touchedPaths).toBe(1);
      world.local.put('m/1', 'once more');
      expect((await cycle(['m', 'n'])).touchedPaths).toBeUndefined();
      expect(world.text('remote', 'm/1')).toBe('once more');
    });

    it('where the filter leaves out an agreed file of a known directory, and deletes nothing', async () => {
      world.local.delete('d/e');
      const filter = { includesFile: (path: string) => path !== 'd/e', mayContain: () => true };
      expect((await cycle(['d'], { filter })).touchedPaths).toBeUndefined();
      expect(world.remote.paths()).toEqual(FILES);
    });

    it('when the memory was rebuilt, and deletes nothing', async () => {
      world.home.tamper((rows) => {
        rows.clear();
        return 'damaged';
      });
      world.local.delete('a');
      const result = await cycle(['a']);
      expect([result.touchedPaths, result.rebuilt]).toEqual([undefined, true]);
      expect(world.text('local', 'a')).toBe('a');
    });

    it('for more than ten deletions, those before included', async () => {
      for (let i = 0; i < 40; i++) world.local.put(`m${i}`, 'm');
      await world.sync();
      const gone = Array.from({ length: 11 }, (_, i) => `m${i}`);
      drop(...gone)();
      expect((await cycle(gone)).touchedPaths).toBeUndefined();
      drop('m20')();
      expect((await cycle(['m20'], {}, { deletedBefore: 9 })).touchedPaths).toBe(1);
      drop('m21')();
      expect((await cycle(['m21'], {}, { deletedBefore: 10 })).touchedPaths).toBeUndefined();
    });
  });

  describe('halts', () => {
    it('in a folder that was exchanged', async () => {
      world.local.identity = 'disk-2';
      for (const path of FILES) world.local.delete(path);
      await expect(cycle(['a'])).rejects.toMatchObject({ code: 'ERR_ROOT_REPLACED' });
      expect(world.remote.paths()).toEqual(FILES);
    });

    it('in a folder that was emptied, whatever of it was heard', async () => {
      for (const path of FILES) world.local.delete(path);
      await expect(cycle(['a'])).rejects.toMatchObject({ code: 'ERR_SIDE_EMPTY' });
      expect(world.remote.paths()).toEqual(FILES);
    });

    it('before the last file of several goes, when the others went one by one', async () => {
      for (const path of FILES.slice(1)) world.local.delete(path);
      await world.sync({ maxDelete: 1 });
      world.local.delete('a');
      await expect(cycle(['a'], {}, { deletedBefore: 1 })).rejects.toMatchObject({ code: 'ERR_SIDE_EMPTY' });
      expect(world.remote.paths()).toEqual(['a']);
    });

    it('when too many went one by one', async () => {
      for (let i = 0; i < 15; i++) world.local.put(`m${i}`, 'm');
      await world.sync();
      const gone = Array.from({ length: 14 }, (_, i) => `m${i}`);
      let deletedBefore = 0;
      for (const path of gone) {
        world.local.delete(path);
        const carried = cycle([path], {}, { deletedBefore });
        if (deletedBefore < 10) expect((await carried).touchedPaths).toBe(1);
        else await expect(carried).rejects.toMatchObject({ code: 'ERR_TOO_MANY_DELETIONS' });
        deletedBefore = Math.min(10, deletedBefore + 1);
      }
      expect(world.remote.paths().length).toBe(FILES.length + 5);
    });
  });

  describe('before a look at everything, deletions', () => {
    const whole = async (deletedBefore: number): Promise<CycleResult> => {
      const session = await world.open();
      try {
        return await session.cycle({ deletedBefore });
      } finally {
        await session.close();
      }
    };

    it('halt nothing where nothing is deleted now', async () => {
      world.local.put('a', 'again');
      world.remote.put('new', 'new');
      expect((await whole(11)).changes.map(({ path }) => path).toSorted()).toEqual(['a', 'new']);
    });

    it('halt nothing where a file only moved', async () => {
      world.local.rename('d/e', 'n/e');
      expect((await whole(11)).counts).toMatchObject({ renames: 1, deletions: 0 });
    });

    it('halt one more', async () => {
      world.local.delete('b');
      await expect(whole(11)).rejects.toMatchObject({
        code: 'ERR_TOO_MANY_DELETIONS',
        message: expect.stringContaining('12 of 16 known files are gone'),
      });
      expect(world.remote.paths()).toEqual(FILES);
    });

    it('halt one more, also of the bucket', async () => {
      world.remote.delete('b');
      await expect(whole(11)).rejects.toMatchObject({ code: 'ERR_TOO_MANY_DELETIONS' });
      expect(world.local.paths()).toEqual(FILES);
    });

    it('halt one more that is found when a path is decided again', async () => {
      world.local.put('a', 'again');
      const open = world.local.open.bind(world.local);
      world.local.open = async (entry, signal) => {
        world.local.delete('a');
        return open(entry, signal);
      };
      await expect(whole(11)).rejects.toMatchObject({ code: 'ERR_TOO_MANY_DELETIONS' });
      expect(world.remote.paths()).toEqual(FILES);
    });

    it('halt what concerns the last file of a folder that is empty now, though nothing is deleted', async () => {
      for (const path of FILES.slice(1)) world.local.delete(path);
      await world.sync({ maxDelete: 1 });
      world.local.delete('a');
      world.remote.put('a', 'again');
      await expect(whole(1)).rejects.toMatchObject({ code: 'ERR_SIDE_EMPTY' });
    });
  });

  describe('deletes nothing', () => {
    it.each(noFiles)('where %s stands', async (_what, entry) => {
      world.local.delete('a');
      world.local.observe = async (path) => entry(path);
      const result = await cycle(['a', 'd/e']);
      expect([result.touchedPaths, result.leftPaths, asked]).toEqual([0, 2, []]);
      expect(world.remote.paths()).toEqual(FILES);
    });

    it.each([
      ['a file', { includesFile: (path: string) => path !== 'd/e', mayContain: () => true }],
      ['a directory', { includesFile: () => true, mayContain: (path: string) => path !== 'd' }],
    ])('that the filter leaves out by %s', async (_what, filter) => {
      world.local.delete('d/e');
      const result = await cycle(['d/e'], { filter });
      expect(result.touchedPaths).toBe(0);
      expect(world.remote.paths()).toEqual(FILES);
    });

    it('that came back before it was carried', async () => {
      world.local.delete('a');
      const observe = world.remote.observe.bind(world.remote);
      world.remote.observe = async (path, signal) => {
        // A program that saves by deleting and writing anew.
        if (world.local.content('a') === undefined) world.local.put('a', 'saved');
        return observe(path, signal);
      };
      const result = await cycle(['a']);
      expect(result.changes).toMatchObject([{ path: 'a', operation: 'modified' }]);
      expect(world.text('remote', 'a')).toBe('saved');
    });
  });
});
