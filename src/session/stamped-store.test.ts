import { beforeEach, describe, expect, it } from 'vitest';
import type { BaselineRow } from '../core/baseline.js';
import { FileCloudSyncError, PathError } from '../errors.js';
import { openStateStore } from '../store/open-state-store.js';
import type { StateStore } from '../store/state-store.js';
import { SimulatedDatabaseHome } from '../testing/database/simulated-database.js';
import { SeededRandom } from '../testing/simulation/seeded-random.js';
import { StampedStore } from './stamped-store.js';

const row = (path: string): BaselineRow => ({
  path,
  sizeBytes: 1,
  local: 'l',
  remote: 'r',
  digest: undefined,
  recordedAtMs: 1,
});

/** A folder's stamp, which a person can copy and take away, and which may fail to be written. */
class Stamp {
  readonly stamp = this;
  text: string | undefined;
  /** Another folder stands at the path, with a stamp of its own or none. */
  at = '1-2';
  readonly written: string[] = [];
  /** Called before each write. */
  before: (text: string) => void | Promise<void> = () => {};

  async read(): Promise<string | undefined> {
    return this.text;
  }

  async rootIdentity(): Promise<string> {
    return this.at;
  }

  async write(text: string): Promise<void> {
    await this.before(text);
    this.text = text;
    this.written.push(text);
  }
}

const never = async (): Promise<boolean> => {
  throw new Error('nobody was to ask whether a known file is there');
};
const some = async (): Promise<boolean> => true;
const none = async (): Promise<boolean> => false;

describe('StampedStore', () => {
  let inner: StateStore;
  let stamp: Stamp;
  const random = new SeededRandom(1);
  beforeEach(async () => {
    inner = await openStateStore(new SimulatedDatabaseHome(), { pairId: 'pair' });
    stamp = new Stamp();
  });

  /** As the next run of the program would see it. */
  const opened = (): StampedStore => new StampedStore(inner, stamp, random);
  const expected = async (): Promise<unknown> => await inner.facts.get('stamps');

  /** A run that records these paths. */
  async function run(...paths: readonly string[]): Promise<void> {
    const store = opened();
    expect(await store.belongsToFolder(some)).toBe(true);
    await store.baseline.put(paths.map(row));
    await store.settle();
  }

  async function rowsOf(store: StateStore): Promise<string[]> {
    const found: string[] = [];
    for await (const page of store.baseline.scan()) found.push(...page.map(({ path }) => path));
    return found;
  }

  it('is the store it was made of', async () => {
    const store = opened();
    await store.baseline.put([row('a'), row('b'), row('c')], { sync: true });
    await store.baseline.delete(['b']);
    expect(await rowsOf(store)).toEqual(['a', 'c']);
    expect(await store.baseline.get('a')).toEqual(row('a'));
    expect(store.journal).toBe(inner.journal);
    expect(store.uploads).toBe(inner.uploads);
    expect(store.facts).toBe(inner.facts);
    expect(store.parts).toBe(inner.parts);
    expect(store.rebuilt).toBe(inner.rebuilt);
    await store.baseline.clear();
    expect(await rowsOf(inner)).toEqual([]);
  });

  it('gives the rows below a directory', async () => {
    const store = opened();
    await store.baseline.put([row('d/a'), row('e')]);
    const found: string[] = [];
    for await (const page of store.baseline.scanBelow('d')) found.push(...page.map(({ path }) => path));
    expect(found).toEqual(['d/a']);
  });

  it('has not lost the stamp of a folder that nobody looked at', () => {
    expect(opened().isStampLost).toBe(false);
  });

  it('passes on whether rows have to be durable', async () => {
    const home = new SimulatedDatabaseHome();
    const store = new StampedStore(await openStateStore(home, { pairId: 'pair' }), stamp, random);
    await store.baseline.put([row('a')], { sync: true });
    expect(home.unsyncedBatches).toBe(0);
    await store.baseline.put([row('b')]);
    expect(home.unsyncedBatches).toBe(1);
    await store.baseline.delete(['a'], { sync: true });
    expect(home.unsyncedBatches).toBe(0);
  });

  it('says so when the store below was rebuilt', async () => {
    const rebuilt = await openStateStore(new SimulatedDatabaseHome(), { pairId: 'pair', rebuild: true });
    expect(new StampedStore(rebuilt, stamp, random).rebuilt).toBe(true);
  });

  describe('the exchange', () => {
    it('gives the folder a new stamp before the first row of a run and another after the last', async () => {
      const store = opened();
      await store.belongsToFolder(never);
      expect(stamp.written).toEqual([]);
      stamp.before = async () => expect(await rowsOf(inner)).toEqual([]);
      await store.baseline.put([row('a')]);
      expect(stamp.written).toHaveLength(1);
      await store.baseline.put([row('b')]);
      await store.baseline.delete(['a']);
      expect(stamp.written).toHaveLength(1);
      stamp.before = () => {};
      await store.settle();
      expect(stamp.written).toHaveLength(2);
      expect(new Set(stamp.written).size).toBe(2);
      for (const text of stamp.written) expect(text).toHaveLength(20);
      expect(await expected()).toEqual([stamp.text]);
    });

    it.each([
      ['puts', (store: StampedStore) => store.baseline.put([row('x')])],
      ['deletes', (store: StampedStore) => store.baseline.delete(['x'])],
      ['clears', (store: StampedStore) => store.baseline.clear()],
    ])('happens before a run %s', async (_, change) => {
      await change(opened());
      expect(stamp.written).toHaveLength(1);
    });

    it('does not happen in a run that changes no row', async () => {
      await run('a');
      const before = stamp.written.length;
      const store = opened();
      await store.belongsToFolder(never);
      await store.settle();
      await store.close();
      expect(stamp.written).toHaveLength(before);
    });

    it('happens again for what is recorded after a settle', async () => {
      const store = opened();
      await store.baseline.put([row('a')]);
      await store.settle();
      await store.settle();
      expect(stamp.written).toHaveLength(2);
      await store.baseline.put([row('b')]);
      expect(stamp.written).toHaveLength(3);
      await store.close();
      expect(stamp.written).toHaveLength(4);
    });

    it('is waited for by changes that come while it is under way, and happens once', async () => {
      const store = opened();
      let let_go = (): void => {};
      stamp.before = () => new Promise<void>((resolve) => (let_go = resolve));
      const both = Promise.all([store.baseline.put([row('a')]), store.baseline.put([row('b')])]);
      while (stamp.written.length === 0) {
        expect(await rowsOf(inner)).toEqual([]);
        let_go();
      }
      await both;
      expect(stamp.written).toHaveLength(1);
      expect(await rowsOf(inner)).toEqual(['a', 'b']);
    });

    it('leaves the folder with a stamp that the memory expects, whatever moment a crash chooses', async () => {
      await run('a');
      const old = stamp.text;
      // The process dies before the new stamp is in the folder, and after.
      for (const dies of [true, false]) {
        const store = opened();
        await store.belongsToFolder(never);
        stamp.before = async (text) => {
          expect(await expected()).toEqual([old, text]);
          if (dies) throw Object.assign(new Error('the process died'), { name: 'AbortError' });
        };
        const put = store.baseline.put([row('b')]);
        if (dies) await expect(put).rejects.toThrow('the process died');
        else await put;
        expect(await opened().belongsToFolder(never), `dies: ${dies}`).toBe(true);
      }
    });

    it('keeps the old stamp where the disk takes no new one, and goes on', async () => {
      await run('a');
      const old = stamp.text;
      stamp.before = () => {
        throw Object.assign(new Error('no space left'), { code: 'ENOSPC' });
      };
      const store = opened();
      await store.belongsToFolder(never);
      await store.baseline.put([row('b')]);
      await store.settle();
      expect(stamp.text).toBe(old);
      expect(await expected()).toContain(old);
      expect(await rowsOf(inner)).toEqual(['a', 'b']);
      stamp.before = () => {};
      expect(await opened().belongsToFolder(never)).toBe(true);
    });

    it('expects no other folder any more when the disk of this one takes no stamp', async () => {
      await run('a');
      const first = { text: stamp.text, at: stamp.at };
      await inner.baseline.clear();
      // Somewhere else now, where nothing is known: what is recorded there is true there alone.
      Object.assign(stamp, { text: undefined, at: '7-8' });
      stamp.before = () => {
        throw Object.assign(new Error('no space left'), { code: 'ENOSPC' });
      };
      const store = opened();
      expect(await store.belongsToFolder(never)).toBe(true);
      await store.baseline.put([row('b')]);
      await store.settle();
      expect(await opened().belongsToFolder(never)).toBe(true);
      Object.assign(stamp, first);
      expect(await opened().belongsToFolder(never)).toBe(false);
    });

    it('knows a folder whose disk takes no stamp by where it is', async () => {
      stamp.before = () => {
        throw Object.assign(new Error('no space left'), { code: 'ENOSPC' });
      };
      await run('a');
      expect(await opened().belongsToFolder(never)).toBe(true);
      expect(opened().isStampLost).toBe(false);
      stamp.at = '7-8';
      const store = opened();
      expect(await store.belongsToFolder(some)).toBe(false);
      // One without any known file is judged by the guard.
      expect(await store.belongsToFolder(none)).toBe(true);
      expect(await store.belongsToFolder(some)).toBe(false);
      expect(store.isStampLost).toBe(false);
    });

    it('ends the change when it was aborted', async () => {
      stamp.before = () => {
        throw Object.assign(new Error('stopped'), { name: 'AbortError' });
      };
      await expect(opened().baseline.put([row('a')])).rejects.toThrow('stopped');
      expect(await rowsOf(inner)).toEqual([]);
    });

    it('adds to what an earlier run expected, also when nobody looked first', async () => {
      await run('a');
      const old = stamp.text;
      stamp.before = async (text) => expect(await expected()).toEqual([old, text]);
      await opened().baseline.put([row('b')]);
      expect(stamp.text).not.toBe(old);
      expect(await expected()).toEqual([stamp.text]);
    });
  });

  describe('belongsToFolder', () => {
    it('believes any folder while no file is known, and knows its stamp from then on', async () => {
      stamp.text = 'of another pair';
      expect(await opened().belongsToFolder(never)).toBe(true);
      const store = opened();
      await store.belongsToFolder(never);
      stamp.before = async (text) => expect(await expected()).toEqual(['of another pair', text]);
      await store.baseline.put([row('a')]);
      await store.settle();
      expect(await opened().belongsToFolder(never)).toBe(true);
    });

    it('believes the folder it was with last', async () => {
      await run('a');
      const store = opened();
      expect(await store.belongsToFolder(never)).toBe(true);
      expect(store.isStampLost).toBe(false);
    });

    it('does not believe a folder that came out of a backup', async () => {
      await run('a');
      const backup = stamp.text;
      await run('b');
      stamp.text = backup;
      const store = opened();
      expect(await store.belongsToFolder(never)).toBe(false);
      expect(store.isStampLost).toBe(false);
    });

    it('does not believe a folder without its stamp that still has files: somebody copied it, nobody knows when', async () => {
      await run('a');
      stamp.text = undefined;
      const store = opened();
      expect(await store.belongsToFolder(some)).toBe(false);
      expect(store.isStampLost).toBe(true);
    });

    it('leaves a folder without its stamp and without its files to the guard, each time anew', async () => {
      await run('a');
      stamp.text = undefined;
      const store = opened();
      expect(await store.belongsToFolder(none)).toBe(true);
      expect(store.isStampLost).toBe(true);
      expect(await store.belongsToFolder(none)).toBe(true);
      expect(store.isStampLost).toBe(true);
      expect(await store.belongsToFolder(some)).toBe(false);
    });

    it('does not miss a stamp that the folder never had', async () => {
      await inner.baseline.put([row('a')]);
      const store = opened();
      expect(await store.belongsToFolder(never)).toBe(true);
      expect(store.isStampLost).toBe(false);
    });

    it('does not believe a stamp of which an unstamped memory knows nothing', async () => {
      await inner.baseline.put([row('a')]);
      stamp.text = 'of a later time';
      expect(await opened().belongsToFolder(never)).toBe(false);
    });

    it('finds the stamp again when it comes back', async () => {
      await run('a');
      const text = stamp.text;
      stamp.text = undefined;
      const store = opened();
      await store.belongsToFolder(none);
      stamp.text = text;
      expect(await store.belongsToFolder(never)).toBe(true);
      expect(store.isStampLost).toBe(false);
    });

    it('believes every folder where nothing can carry a stamp', async () => {
      await run('a');
      const before = await expected();
      const store = new StampedStore(inner, { rootIdentity: () => stamp.rootIdentity() }, random);
      expect(await store.belongsToFolder(never)).toBe(true);
      await store.baseline.put([row('b')]);
      await store.settle();
      expect(await expected()).toEqual(before);
      expect(await rowsOf(inner)).toEqual(['a', 'b']);
    });
  });

  describe('generation', () => {
    /** As the next run of the program would find it, which looks at the folder first. */
    async function generation(): Promise<string | undefined> {
      const store = opened();
      await store.belongsToFolder(some);
      return store.generation();
    }

    it('has another name after each run that changed a row, whoever it was, and the same after one that changed none', async () => {
      await run('a');
      const first = await generation();
      expect(first).toHaveLength(20);
      await run('b');
      const second = await generation();
      expect(second).not.toBe(first);
      await opened().settle();
      expect(await generation()).toBe(second);
      expect(await opened().generation()).toBe(second);
    });

    it('has none while rows are changed, and another after', async () => {
      await run('a');
      const store = opened();
      await store.belongsToFolder(never);
      const before = await store.generation();
      await store.baseline.put([row('b')]);
      expect(await store.generation()).toBeUndefined();
      await store.settle();
      expect(await store.generation()).toHaveLength(20);
      expect(await store.generation()).not.toBe(before);
    });

    it('has none before anything was recorded, and where the folder carries no stamp or takes no other', async () => {
      expect(await generation()).toBeUndefined();
      await run('a');
      expect(await new StampedStore(inner, { rootIdentity: async () => '1-2' }, random).generation()).toBeUndefined();
      stamp.before = () => {
        throw new Error('the disk is full');
      };
      await run('b');
      expect(await generation()).toBeUndefined();
    });

    it('has none once what was known was forgotten', async () => {
      await run('a');
      const store = opened();
      await store.startAfresh();
      expect(await store.generation()).toBeUndefined();
    });

    it('has none where no file is known and the folder carries another stamp', async () => {
      await run('a');
      await inner.baseline.clear();
      stamp.text = 'of another time';
      expect(await generation()).toBeUndefined();
    });
  });

  describe('startAfresh', () => {
    it('forgets all rows, says so, and believes the folder as it is from then on', async () => {
      await run('a');
      stamp.text = 'out of a backup';
      const store = opened();
      expect(await store.belongsToFolder(never)).toBe(false);
      await store.startAfresh();
      expect(store.rebuilt).toBe(true);
      expect(await rowsOf(store)).toEqual([]);
      await inner.baseline.put([row('b')]);
      expect(await store.belongsToFolder(never)).toBe(true);
    });

    it('does not need a stamp', async () => {
      await run('a');
      stamp.text = undefined;
      const store = opened();
      await store.startAfresh();
      await inner.baseline.put([row('b')]);
      expect(await store.belongsToFolder(never)).toBe(true);
      const without = new StampedStore(inner, { rootIdentity: () => stamp.rootIdentity() }, random);
      await without.startAfresh();
      expect(without.rebuilt).toBe(true);
    });

    it('changes no stamp by itself: after a crash right there the rows are found to be of another time again', async () => {
      await run('a');
      const before = await expected();
      const written = stamp.written.length;
      await opened().startAfresh();
      expect(await expected()).toEqual(before);
      expect(stamp.written).toHaveLength(written);
    });
  });

  describe('close', () => {
    it('settles, and closes the store below', async () => {
      const store = opened();
      await store.baseline.put([row('a')]);
      await store.close();
      expect(stamp.written).toHaveLength(2);
      await expect(inner.facts.get('stamps')).rejects.toMatchObject({ code: 'ERR_STATE_CLOSED' });
    });

    it('closes the store below also when the folder cannot be reached any more', async () => {
      const store = opened();
      await store.baseline.put([row('a')]);
      stamp.before = () => {
        throw Object.assign(new Error('stopped'), { name: 'AbortError' });
      };
      await expect(store.close()).rejects.toThrow('stopped');
      await expect(inner.facts.get('stamps')).rejects.toMatchObject({ code: 'ERR_STATE_CLOSED' });
    });
  });

  it('fails as a whole, and not for one path, where the stamp cannot be read before the first row', async () => {
    const store = opened();
    stamp.read = async () => {
      throw new PathError('ERR_DISK_IO', 'the stamp cannot be read', { retryable: true, data: { path: 'stamp' } });
    };
    const failed = await store.baseline.delete(['a']).catch((error: unknown) => error);
    expect(failed).toBeInstanceOf(FileCloudSyncError);
    expect(failed).not.toBeInstanceOf(PathError);
    expect(failed).toMatchObject({ code: 'ERR_DISK_IO', retryable: true, cause: expect.any(PathError) });
    expect(await inner.baseline.get('a')).toBeUndefined();
  });
});
