import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { PathError } from '../../src/errors.js';
import { LastCycle } from '../../src/session/last-cycle.js';
import type { SessionOptions } from '../../src/session/options.js';
import type { CycleResult } from '../../src/session/result.js';
import type { Session, SessionCall } from '../../src/session/session.js';
import { WaitingConflicts } from '../../src/session/waiting-conflicts.js';
import { MemoryWorld } from './memory-world.js';
import { noFiles } from './no-files.js';

const FILES = ['a', 'b', 'd/e', 'd/f', 'g/h/i'];
type Act = (world: MemoryWorld) => void;

const put = (side: 'local' | 'remote', path: string): Act => {
  return (world) => world[side].put(path, `${path} on ${side}`);
};
const drop = (side: 'local' | 'remote', ...paths: string[]): Act => {
  return (world) => paths.forEach((path) => world[side].delete(path));
};
const both = (...acts: Act[]): Act => {
  return (world) => acts.forEach((act) => act(world));
};

describe('a poll', () => {
  let world: MemoryWorld;
  /** How often each side was walked. */
  let scans = { local: 0, remote: 0 };
  /** What was looked at in the folder. */
  let looks: string[] = [];
  let cleanUps = 0;

  beforeEach(async () => {
    world = await agreed();
    for (const side of ['local', 'remote'] as const) {
      const scan = world[side].scan.bind(world[side]);
      world[side].scan = (options) => (scans[side]++, scan(options));
      const cleanUp = world[side].cleanUp.bind(world[side]);
      world[side].cleanUp = async (options) => {
        cleanUps++;
        await cleanUp(options);
      };
    }
    const observe = world.local.observe.bind(world.local);
    world.local.observe = (path, signal) => (looks.push(path), observe(path, signal));
    scans = { local: 0, remote: 0 };
    looks = [];
    cleanUps = 0;
    world.events.length = 0;
  });

  async function agreed(): Promise<MemoryWorld> {
    const made = new MemoryWorld();
    for (const path of FILES) made.local.put(path, path);
    await made.sync();
    return made;
  }

  async function poll(
    options: Partial<SessionOptions> = {},
    call: SessionCall = {},
    before: (session: Session) => Promise<void> = async () => undefined,
  ): Promise<CycleResult> {
    const session = await world.open(options);
    try {
      await before(session);
      return await session.cycle({ onEvent: (event) => world.events.push(event), ...call, poll: true });
    } finally {
      await session.close();
    }
  }

  it('asks the bucket alone, and of the folder whether one file stands', async () => {
    const result = await poll();
    expect(result).toMatchObject({ poll: true, changes: [], localFiles: FILES.length, remoteFiles: FILES.length });
    expect([scans, looks, cleanUps]).toEqual([{ local: 0, remote: 1 }, ['a'], 0]);
  });

  describe('after one that found nothing to do', () => {
    let session: Session;
    let stamp: string | undefined;
    const again = (call: SessionCall = {}): Promise<CycleResult> =>
      session.cycle({ onEvent: (event) => world.events.push(event), poll: true, ...call });

    beforeEach(async () => {
      Object.assign(world.local, {
        stamp: {
          read: async () => stamp,
          write: async (text: string) => {
            stamp = text;
          },
        },
      });
      stamp = undefined;
      put('remote', 'stamped')(world);
      session = await world.open();
      await session.cycle();
      await again();
      [scans, looks, world.events.length] = [{ local: 0, remote: 0 }, [], 0];
    });
    afterEach(() => session.close());

    it('lists nothing where the bucket is as it was, and says the same', async () => {
      const result = await again();
      const counts = { localFiles: FILES.length + 1, remoteFiles: FILES.length + 1 };
      expect(result).toMatchObject({ poll: true, changes: [], problems: [], held: [], ...counts });
      expect([scans, looks]).toEqual([{ local: 0, remote: 0 }, ['a']]);
      expect(await new LastCycle(session.store.facts).read()).toMatchObject({
        changes: 0,
        knownFiles: FILES.length + 1,
      });
      expect(world.events.map(({ type }) => type)).toEqual(['begin', 'plan', 'end']);
    });

    it.each<[string, Act]>([
      ['changed', put('remote', 'b')],
      ['new', put('remote', 'new')],
      ['gone', drop('remote', 'b')],
    ])('finds what is %s in the bucket', async (_what, act) => {
      await again();
      act(world);
      const result = await again();
      expect([result.poll, result.changes.length, scans]).toEqual([true, 1, { local: 0, remote: 1 }]);
      expect(world.text('local', 'b')).toBe(world.text('remote', 'b'));
      // What was done is compared once, and then known.
      await again();
      expect(scans.remote).toBe(2);
      await again();
      expect(scans.remote).toBe(2);
    });

    it('looks at everything where the file that has to stand is gone', async () => {
      drop('local', 'a')(world);
      const result = await again();
      expect([result.poll, result.changes.map(({ path }) => path), scans.local]).toEqual([undefined, ['a'], 1]);
    });

    it('lists nothing after a look at everything that found nothing to do either', async () => {
      await session.cycle();
      await session.cycle({ touched: ['b'] });
      scans.remote = 0;
      expect([(await again()).poll, scans.remote]).toEqual([true, 0]);
    });

    it('compares again where somebody else changed what is remembered', async () => {
      const { store } = session;
      const row = await store.baseline.get('b');
      if (row === undefined) throw new Error('b is not known');
      await store.baseline.put([row]);
      await again();
      expect(scans.remote).toBe(1);
    });

    it('tries again what failed', async () => {
      put('remote', 'new')(world);
      const write = world.local.write.bind(world.local);
      world.local.write = () => Promise.reject(new PathError('ERR_TEST', 'no', { retryable: true }));
      expect((await again()).counts).toMatchObject({ changes: 0, errors: 1 });
      world.local.write = write;
      expect((await again()).counts).toMatchObject({ changes: 1, errors: 0 });
    });

    it('compares again with another filter', async () => {
      await again({ options: { filter: { includesFile: () => true, mayContain: () => true } } });
      expect(scans.remote).toBe(1);
    });

    it.each<[string, Act]>([
      ['a problem is told', put('remote', 'bad\u0000name')],
      ['a conflict waits', both(put('remote', 'b'), put('local', 'b'))],
    ])('compares each time while %s', async (_what, act) => {
      await session.cycle({ options: { conflict: 'manual' } });
      act(world);
      const results = [];
      for (let n = 0; n < 3; n++) results.push(await again({ options: { conflict: 'manual' } }));
      expect(scans.remote).toBeGreaterThanOrEqual(4);
      const told = results.map(({ counts }) => counts.errors + counts.waitingConflicts);
      expect(told).toEqual([1, 1, 1]);
    });

    it('compares each time where a file cannot be believed to stand as it was agreed', async () => {
      const row = await session.store.baseline.get('b');
      if (row === undefined) throw new Error('b is not known');
      await session.store.baseline.put([{ ...row, replacing: true }]);
      for (let n = 0; n < 3; n++) await again();
      expect([scans.remote, looks.filter((path) => path === 'b')]).toEqual([3, ['b', 'b', 'b']]);
    });
  });

  it('carries what is new, changed and gone in the bucket, and walks no folder', async () => {
    both(put('remote', 'b'), put('remote', 'd/new'), put('remote', 'n/m/new'), drop('remote', 'g/h/i'))(world);
    const result = await poll();
    expect(result.changes.map(({ path, operation }) => `${operation} ${path}`).toSorted()).toEqual([
      'added d/new',
      'added n/m/new',
      'deleted g/h/i',
      'modified b',
    ]);
    expect([result.poll, scans]).toEqual([true, { local: 0, remote: 1 }]);
    expect(world.local.paths()).toEqual(['a', 'b', 'd/e', 'd/f', 'd/new', 'n/m/new']);
    expect(world.text('local', 'b')).toBe('b on remote');
  });

  it('carries a rename in the bucket as one', async () => {
    world.remote.rename('d/e', 'n/e');
    const result = await poll();
    expect(result.changes).toMatchObject([
      { path: 'n/e', from: 'd/e' },
      { path: 'd/e', to: 'n/e' },
    ]);
    expect([result.poll, scans.local, result.downloadedBytes]).toEqual([true, 0, 0]);
  });

  it('leaves what was done elsewhere in the folder to the next look at everything', async () => {
    both(put('local', 'a'), put('local', 'new'), drop('local', 'd/e'), put('remote', 'b'))(world);
    const result = await poll();
    expect([result.poll, result.changes.map(({ path }) => path)]).toEqual([true, ['b']]);
    const whole = await world.sync();
    expect(whole.changes.map(({ path, operation }) => `${operation} ${path}`).toSorted()).toEqual([
      'added new',
      'deleted d/e',
      'modified a',
    ]);
  });

  it('overwrites no version that comes into the folder while it carries', async () => {
    world.remote.put('b', 'theirs');
    const open = world.remote.open.bind(world.remote);
    world.remote.open = async (entry, signal) => {
      if (world.text('local', 'b') === 'b') world.local.put('b', 'mine');
      return open(entry, signal);
    };
    const result = await poll({ conflict: 'keep-both' });
    expect(result.conflicts).toMatchObject([{ path: 'b', resolution: 'keep-both' }]);
    expect(world.local.paths().map((path) => world.text('local', path))).toEqual(expect.arrayContaining(['mine']));
  });

  it('hashes a file that was racy when it was recorded, and goes on', async () => {
    const result = await poll({}, {}, async ({ store }) => {
      const row = await store.baseline.get('b');
      if (row !== undefined) await store.baseline.put([{ ...row, local: null }]);
    });
    expect([result.poll, result.hashedFiles, looks.toSorted()]).toEqual([true, 1, ['a', 'b']]);
    looks = [];
    expect((await poll()).hashedFiles).toBe(0);
    expect(looks).toEqual(['a']);
  });

  it('asks nothing of what the filter leaves out in the bucket', async () => {
    const filter = { includesFile: (path: string) => path !== 'tmp', mayContain: () => true };
    world.remote.put('tmp', 'tmp');
    const result = await poll({ filter });
    expect([result.poll, looks]).toEqual([true, ['a']]);
    expect(world.local.paths()).toEqual(FILES);
  });

  it('tells status what a look at everything would', async () => {
    both(put('remote', 'new'))(world);
    await poll();
    const session = await world.open();
    const last = await new LastCycle(session.store.facts).read();
    await session.close();
    expect(last).toMatchObject({ changes: 1, problems: 0, held: 0 });
  });

  it('drops no conflict that waits, of which it knows nothing', async () => {
    const conflict = { path: 'a', type: 'content', resolution: 'manual' } as const;
    const result = await poll({}, {}, ({ store }) =>
      new WaitingConflicts(store.facts).put({ conflict, local: 'l', remote: 'r', sinceMs: 1 }),
    );
    expect(result.poll).toBe(true);
    const session = await world.open();
    expect(await new WaitingConflicts(session.store.facts).list()).toHaveLength(1);
    await session.close();
  });

  describe('looks at everything', () => {
    it.each<[string, Act, Partial<SessionOptions>?]>([
      ['when a file was written on both sides', both(put('local', 'a'), put('remote', 'a'))],
      [
        'when a file was written on both sides, and both are kept',
        both(put('local', 'a'), put('remote', 'a')),
        { conflict: 'keep-both' },
      ],
      ['when a file came on both sides', both(put('local', 'n'), put('remote', 'n'))],
      ['when the same file came on both sides', (each) => (each.local.put('n', '1'), each.remote.put('n', '1'))],
      ['when a file was written here and is gone there', both(put('local', 'b'), drop('remote', 'b'))],
      ['when a file is gone here and was written there', both(drop('local', 'b'), put('remote', 'b'))],
      ['when a file is gone on both sides', both(drop('local', 'b'), drop('remote', 'b'))],
      ['when the file that is believed to stand is gone', both(drop('local', 'a'), put('remote', 'b'))],
      ['when a file came where the bucket has something below', both(put('local', 'n'), put('remote', 'n/x'))],
      ['when a file came above where the bucket has something', both(put('local', 'n'), put('remote', 'n/x/y/z'))],
      ['when the folder has a directory where a file came', both(put('local', 'n/x'), put('remote', 'n'))],
      ['when the bucket made a directory of a file', both(drop('remote', 'b'), put('remote', 'b/x'))],
      ['when the bucket made a file of a directory', both(drop('remote', 'd/e', 'd/f'), put('remote', 'd'))],
      ['when the bucket has a file and something below it', put('remote', 'd')],
      ['when a known directory is gone in which a file came', both(drop('local', 'd/e', 'd/f'), put('remote', 'd/n'))],
      [
        'when more was done in the bucket than is looked at one by one',
        (each) => Array.from({ length: 1001 }, (_, i) => each.remote.put(`m${i}`, 'm')),
      ],
      [
        'when files that were agreed are left out now',
        () => undefined,
        { filter: { includesFile: (path) => path !== 'b', mayContain: () => true } },
      ],
      ['when only some files are asked for', put('remote', 'b'), { files: ['b'] }],
    ])('%s, and comes to what it would have come to without', async (_what, act, options = {}) => {
      act(world);
      const result = await poll(options);
      expect(result.poll).toBeUndefined();
      const twin = await agreed();
      act(twin);
      await twin.sync(options);
      const stateOf = (each: MemoryWorld): unknown =>
        (['local', 'remote'] as const).map((side) =>
          each[side].paths().map((path) => [path.replace(/ test [0-9a-z]+\)/, ' test …)'), each.text(side, path)]),
        );
      expect(stateOf(world)).toEqual(stateOf(twin));
    });

    it.each(noFiles)('when %s stands where the bucket has a new file, or above it', async (_what, entry) => {
      const observe = world.local.observe;
      for (const path of ['n', 'm/n']) {
        put('remote', path)(world);
        const at = path.split('/')[0] ?? path;
        world.local.observe = async (asked, signal) => (asked === at ? entry(asked) : observe(asked, signal));
        expect((await poll()).poll, path).toBeUndefined();
        world.local.observe = observe;
      }
    });

    it('when the folder is on another disk, though it has the same files', async () => {
      world.local.identity = 'disk-2';
      put('remote', 'b')(world);
      expect((await poll()).poll).toBeUndefined();
      expect((await poll()).poll).toBe(true);
    });

    it('when a download was cut short, and brings the file', async () => {
      world.local.delete('b');
      const result = await poll({}, {}, async ({ store }) => {
        const row = await store.baseline.get('b');
        if (row !== undefined) await store.baseline.put([{ ...row, replacing: true }]);
      });
      expect([result.poll, world.text('local', 'b')]).toEqual([undefined, 'b']);
    });

    it('when the memory was rebuilt, and deletes nothing', async () => {
      world.home.tamper((rows) => {
        rows.clear();
        return 'damaged';
      });
      world.remote.delete('a');
      const result = await poll();
      expect([result.poll, result.rebuilt]).toEqual([undefined, true]);
      expect(world.text('local', 'a')).toBe('a');
    });

    it('when the memory is found to be damaged on the way', async () => {
      world.home.tamper((rows) => {
        const [row] = [...rows.keys()].filter((key) => key.includes('d/'));
        if (row !== undefined) rows.set(row, `x${rows.get(row) ?? ''}`);
        return undefined;
      });
      world.remote.delete('a');
      const result = await poll();
      expect([result.poll, result.rebuilt]).toEqual([undefined, true]);
      expect(world.text('local', 'a')).toBe('a');
    });
  });

  describe('halts', () => {
    const many = Array.from({ length: 40 }, (_, i) => `m${i}`);

    it('where the bucket is empty', async () => {
      drop('remote', ...FILES)(world);
      await expect(poll()).rejects.toMatchObject({ code: 'ERR_SIDE_EMPTY' });
      // No verdict is given on a belief.
      expect([world.local.paths(), scans.local]).toEqual([FILES, 1]);
    });

    it('where too many are gone in the bucket, and not for one fewer', async () => {
      for (const path of many) world.local.put(path, 'm');
      await world.sync();
      drop('remote', ...many.slice(0, 22))(world);
      expect((await poll()).poll).toBe(true);
      // Of 23 known files now.
      drop('remote', ...many.slice(22, 34))(world);
      await expect(poll()).rejects.toMatchObject({ code: 'ERR_TOO_MANY_DELETIONS' });
      expect(world.local.paths()).toHaveLength(23);
    });

    it('in a folder that was emptied, with something new in the bucket', async () => {
      both(drop('local', ...FILES), put('remote', 'new'))(world);
      await expect(poll()).rejects.toMatchObject({ code: 'ERR_SIDE_EMPTY' });
      expect([world.local.paths(), world.remote.paths()]).toEqual([[], [...FILES, 'new']]);
    });

    it('in a folder that was exchanged', async () => {
      world.local.identity = 'disk-2';
      drop('local', ...FILES)(world);
      await expect(poll()).rejects.toMatchObject({ code: 'ERR_ROOT_REPLACED' });
      expect(world.remote.paths()).toEqual(FILES);
    });

    it('where one more is gone in the bucket, after too many were deleted there since everything was last looked at', async () => {
      expect((await poll({}, { deletedBefore: 11 })).poll).toBe(true);
      drop('remote', 'd/e')(world);
      expect((await poll({}, { deletedBefore: 10 })).poll).toBe(true);
      drop('remote', 'd/f')(world);
      await expect(poll({}, { deletedBefore: 11 })).rejects.toMatchObject({
        code: 'ERR_TOO_MANY_DELETIONS',
      });
    });
  });
});
