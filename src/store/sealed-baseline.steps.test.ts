import { beforeEach, describe, expect, it } from 'vitest';
import type { BaselineRow } from '../core/baseline.js';
import { SimulatedDatabaseHome, type DatabaseStep } from '../testing/database/simulated-database.js';
import { addToTally, EMPTY_TALLY, readMark, type Tally } from './baseline-tally.js';
import type { Database } from './database.js';
import { DatabaseParts } from './database-parts.js';
import { SealedBaseline } from './sealed-baseline.js';
import { sealValue } from './sealed-value.js';
import { StateContext } from './state-context.js';

const row = (path: string, sizeBytes = 1): BaselineRow => ({
  path,
  sizeBytes,
  local: 'l',
  remote: 'r',
  digest: undefined,
  recordedAtMs: 1,
});

describe('SealedBaseline, step by step', () => {
  let home: SimulatedDatabaseHome;
  let database: Database;
  let context: StateContext;
  let baseline: SealedBaseline;
  let trace: DatabaseStep[];
  /** Called at each step; may wait or throw. */
  let at: (step: DatabaseStep) => void | Promise<void>;
  beforeEach(async () => {
    trace = [];
    at = () => {};
    home = new SimulatedDatabaseHome({
      step: (step) => {
        trace.push(step);
        return at(step);
      },
    });
    database = await home.open();
    context = new StateContext(database, 'test');
    baseline = new SealedBaseline(context, EMPTY_TALLY, 'clean');
    trace = [];
  });

  /** The tally of what is really there. */
  function counted(): Tally {
    let tally = EMPTY_TALLY;
    home.tamper((rows, mark) => {
      for (const [key, value] of rows) if (key.startsWith('b!')) tally = addToTally(tally, value);
      return mark;
    });
    return tally;
  }
  async function paths(of = baseline): Promise<string[]> {
    const found: string[] = [];
    for await (const page of of.scan()) found.push(...page.map(({ path }) => path));
    return found;
  }
  const failsOnce = (step: DatabaseStep): void => {
    at = (each) => {
      if (each !== step) return;
      at = () => {};
      throw new Error(`${step} failed`);
    };
  };

  it('says open before the first row changes, once, and clean after the rows are durable', async () => {
    await baseline.put([row('a')]);
    await baseline.put([row('b')]);
    expect(trace).toEqual(['database.write-mark', 'database.batch', 'database.batch']);
    expect(await readMark(database)).toEqual({ state: 'open' });
    expect(home.unsyncedBatches).toBe(2);
    trace = [];
    await baseline.settle();
    expect(trace).toEqual(['database.batch', 'database.write-mark']);
    expect(home.unsyncedBatches).toBe(0);
    expect(await readMark(database)).toEqual({ state: 'clean', tally: counted() });
  });

  it('does nothing in a settle when no row changed since', async () => {
    await baseline.settle();
    expect(trace).toEqual([]);
    await baseline.put([row('a')]);
    await baseline.settle();
    trace = [];
    await baseline.settle();
    expect(trace).toEqual([]);
  });

  it('says open again for the first change after a settle', async () => {
    await baseline.put([row('a')]);
    await baseline.settle();
    trace = [];
    await baseline.delete(['a']);
    expect(trace[0]).toBe('database.write-mark');
    expect(await readMark(database)).toEqual({ state: 'open' });
  });

  it('asks nothing of the database for no rows', async () => {
    await baseline.put([]);
    await baseline.delete([]);
    expect(trace).toEqual([]);
  });

  it('counts what is there over adding, replacing, deleting, deleting what is not there, and clearing', async () => {
    await baseline.put([row('a'), row('b'), row('c')]);
    await baseline.put([row('b', 2)]);
    await baseline.delete(['a', 'nowhere']);
    await baseline.settle();
    expect(await readMark(database)).toEqual({ state: 'clean', tally: counted() });
    expect(counted().rows).toBe(2);
    await baseline.clear();
    await baseline.put([row('d')]);
    await baseline.settle();
    expect(await readMark(database)).toEqual({ state: 'clean', tally: counted() });
    expect(await paths()).toEqual(['d']);
  });

  describe('the rows before a change', () => {
    const asks = async (change: Promise<void>): Promise<boolean> => {
      trace = [];
      await change;
      return trace.includes('database.get');
    };
    /** Opened over the rows that are there. */
    const reopen = (): void => {
      baseline = new SealedBaseline(context, counted(), 'open');
    };

    it('are looked for where there were rows when it was opened', async () => {
      await baseline.put([row('a')]);
      reopen();
      expect(await asks(baseline.put([row('b')]))).toBe(true);
      await baseline.put([row('a', 2)]);
      await baseline.delete(['b']);
      await baseline.settle();
      expect(await readMark(database)).toEqual({ state: 'clean', tally: counted() });
    });

    it('are looked for only where some were written since there was none', async () => {
      expect(await asks(baseline.put([row('a'), row('b')]))).toBe(false);
      expect(await asks(baseline.delete(['c']))).toBe(false);
      expect(await asks(baseline.put([row('a', 2), row('d')]))).toBe(true);
      expect(await asks(baseline.delete(['a']))).toBe(true);
      expect(await asks(baseline.put([row('a', 3)]))).toBe(false);
      await baseline.settle();
      expect(await readMark(database)).toEqual({ state: 'clean', tally: counted() });
      reopen();
      await baseline.clear();
      expect(await asks(baseline.put([row('a')]))).toBe(false);
    });

    it('are looked for again after a change that failed half way', async () => {
      await baseline.put([row('a')]);
      failsOnce('database.batch');
      await expect(baseline.put([row('b')])).rejects.toThrow('database.batch failed');
      expect(await asks(baseline.put([row('c')]))).toBe(true);
    });

    it('are looked for again once they are many', async () => {
      const rows = (count: number): BaselineRow[] => Array.from({ length: count }, (_, n) => row(`many/${n}`));
      await baseline.put(rows(20_000));
      expect(await asks(baseline.delete(['few']))).toBe(false);
      await baseline.put(rows(20_001));
      expect(await asks(baseline.delete(['few']))).toBe(true);
    });
  });

  it('makes rows durable at once only when it is asked to', async () => {
    await baseline.put([row('a')], { sync: false });
    await baseline.put([row('b')], {});
    expect(home.unsyncedBatches).toBe(2);
    await baseline.put([row('c')], { sync: true });
    expect(home.unsyncedBatches).toBe(0);
  });

  it('keeps a batch durable when a later caller of it does not ask', async () => {
    await Promise.all([baseline.put([row('a')], { sync: true }), baseline.put([row('b')])]);
    expect(home.unsyncedBatches).toBe(0);
  });

  it('gives one row, and nothing for a path that is not known', async () => {
    await baseline.put([row('a', 7)]);
    expect(await baseline.get('a')).toEqual(row('a', 7));
    expect(await baseline.get('b')).toBeUndefined();
  });

  describe('scanBelow', () => {
    const below = async (directory: string): Promise<string[]> => {
      const found: string[] = [];
      for await (const page of baseline.scanBelow(directory)) found.push(...page.map(({ path }) => path));
      return found;
    };

    it('gives the rows below a directory, in order, and none beside it', async () => {
      await baseline.put(['d', 'd!', 'd/b', 'd/a/x', 'd0', 'da/x', 'c/d/x'].map((path) => row(path)));
      expect(await below('d')).toEqual(['d/a/x', 'd/b']);
      expect(await below('nowhere')).toEqual([]);
    });

    it('names a damaged row', async () => {
      await baseline.put([row('d/a')]);
      home.tamper((rows, mark) => {
        rows.set('b!d/a', 'rubbish');
        return mark;
      });
      await expect(below('d')).rejects.toMatchObject({ message: expect.stringContaining('d/a') });
    });

    it('lets go of the database when it is left early', async () => {
      await baseline.put([row('d/a')]);
      let returned = 0;
      const iterate = database.iterate.bind(database);
      database.iterate = (range) => {
        const iterator = iterate(range)[Symbol.asyncIterator]();
        return {
          [Symbol.asyncIterator]: () => ({
            next: () => iterator.next(),
            return: async () => {
              returned++;
              return { done: true, value: undefined };
            },
          }),
        };
      };
      for await (const _page of baseline.scanBelow('d')) break;
      expect(returned).toBe(1);
    });
  });

  describe('the digests of parts', () => {
    const MD5 = 'ab'.repeat(16);
    const inParts = (path: string): BaselineRow => ({ ...row(path), digest: `md5-1024:${MD5}-3` });
    const known = async (...all: readonly string[]): Promise<string[]> => {
      const parts = new DatabaseParts(context);
      const found = await Promise.all(all.map((path) => parts.get(path, 'r')));
      return all.filter((_, i) => found[i] !== undefined);
    };
    beforeEach(async () => {
      const parts = new DatabaseParts(context);
      for (const path of ['a', 'b', 'c']) await parts.put(path, 'r', { partSizeBytes: 1024, md5s: [MD5] });
    });

    it('go with their row, and stay when it is replaced', async () => {
      await baseline.put([inParts('a'), inParts('b'), row('c')]);
      await baseline.put([row('b', 2)]);
      expect(await known('a', 'b', 'c')).toEqual(['a', 'b', 'c']);
      await baseline.delete(['a']);
      expect(await known('a', 'b', 'c')).toEqual(['b', 'c']);
    });

    it('are not looked for where the content was not in parts', async () => {
      await baseline.put([row('c'), { ...row('d'), digest: `md5:${MD5}` }, { ...row('b'), digest: 'x:md5-' }]);
      await baseline.delete(['b', 'c', 'd', 'nowhere']);
      expect(await known('a', 'b', 'c')).toEqual(['a', 'b', 'c']);
    });

    it('go with all rows', async () => {
      await baseline.put([inParts('a'), row('b')]);
      await baseline.clear();
      expect(await known('a', 'b', 'c')).toEqual([]);
    });
  });

  describe('damage', () => {
    const damaged = { name: 'StateDamagedError' };
    const alter = (path: string, change: (value: string | undefined) => string | undefined): void =>
      home.tamper((rows, mark) => {
        const value = change(rows.get(`b!${path}`));
        if (value === undefined) rows.delete(`b!${path}`);
        else rows.set(`b!${path}`, value);
        return mark;
      });

    it('is found in a row that is asked for, and in the walk, and names the row', async () => {
      await baseline.put([row('a'), row('b')]);
      alter('b', (value) => value?.replace('"l"', '"m"'));
      await expect(baseline.get('b')).rejects.toMatchObject(damaged);
      await expect(paths()).rejects.toThrow(
        'What is remembered about this folder is not what was written (b!b). It is put aside and rebuilt when it is opened again; no file is deleted because of it.',
      );
      expect(await readMark(database)).toEqual({ state: 'damaged' });
    });

    it('is found at the end of the walk when a row is gone, with how many were expected', async () => {
      await baseline.put([row('a'), row('b'), row('c')]);
      alter('b', () => undefined);
      await expect(paths()).rejects.toThrow('(2 rows instead of 3)');
    });

    it('is found at the end of the walk when an old version of a row has come back', async () => {
      await baseline.put([row('a', 1)]);
      let old: string | undefined;
      alter('a', (value) => (old = value));
      await baseline.put([row('a', 2)]);
      alter('a', () => old);
      await expect(paths()).rejects.toMatchObject(damaged);
    });

    it('is no business of a walk after a change that failed half way: nobody knows what to expect', async () => {
      await baseline.put([row('a'), row('b')]);
      failsOnce('database.batch');
      await expect(baseline.put([row('c')])).rejects.toThrow('database.batch failed');
      alter('b', () => undefined);
      expect(await paths()).toEqual(['a']);
      // Nor can it be called clean.
      trace = [];
      await baseline.settle();
      expect(trace).toEqual([]);
      expect(await readMark(database)).toEqual({ state: 'open' });
    });

    it('leaves the tally as it was when nothing of a change was written', async () => {
      await baseline.put([row('a')]);
      failsOnce('database.get');
      await expect(baseline.put([row('a', 2), row('b')])).rejects.toThrow('database.get failed');
      await baseline.put([row('c')]);
      await baseline.settle();
      expect(await readMark(database)).toEqual({ state: 'clean', tally: counted() });
    });

    it('knows nothing to expect after a clear that failed half way, and everything after one that succeeded', async () => {
      await baseline.put([row('a')]);
      failsOnce('database.clear');
      await expect(baseline.clear()).rejects.toThrow('database.clear failed');
      await baseline.settle();
      expect(await readMark(database)).toEqual({ state: 'open' });
      await baseline.clear();
      await baseline.put([row('b')]);
      await baseline.settle();
      expect(await readMark(database)).toEqual({ state: 'clean', tally: counted() });
    });

    it('is remembered: no later change or settle calls the rows open or clean again', async () => {
      await baseline.put([row('a')]);
      await baseline.settle();
      alter('a', (value) => value?.replace('"l"', '"m"'));
      await expect(baseline.get('a')).rejects.toMatchObject(damaged);
      await baseline.put([row('b')]);
      await baseline.settle();
      expect(await readMark(database)).toEqual({ state: 'damaged' });
    });

    it('is written into the mark also when the database itself reports it', async () => {
      const { StateDamagedError } = await import('../errors.js');
      for (const [step, use] of [
        ['database.get', () => baseline.get('a')],
        ['database.page', () => paths()],
        ['database.get', () => baseline.put([row('b')])],
        ['database.batch', () => baseline.put([row('b')])],
        ['database.clear', () => baseline.clear()],
      ] as const) {
        await database.writeMark(sealValue('mark', '["open"]'));
        context = new StateContext(database, 'test');
        baseline = new SealedBaseline(context, { rows: 1, sum: 0 }, 'open');
        at = (each) => {
          if (each === step) throw new StateDamagedError('the database says so');
        };
        await expect(use(), step).rejects.toMatchObject(damaged);
        at = () => {};
        expect(await readMark(database), step).toEqual({ state: 'damaged' });
      }
    });
  });

  describe('a walk', () => {
    const many = Array.from({ length: 40 }, (_, n) => row(`p${String(n).padStart(2, '0')}`));

    it('gives the rows of all pages, in order', async () => {
      await baseline.put(many);
      expect(await paths()).toEqual(many.map(({ path }) => path));
    });

    it('is of one instant: what is put meanwhile is neither missed nor taken for damage', async () => {
      await baseline.put(many);
      const walk = baseline.scan()[Symbol.asyncIterator]();
      await walk.next();
      await baseline.put([row('p39x')]);
      let rows = 16;
      for (;;) {
        const page = await walk.next();
        if (page.done === true) break;
        rows += page.value.length;
      }
      expect(rows).toBe(40);
    });

    it('takes its instant between two changes, also when one is on its way', async () => {
      await baseline.put(many);
      const put = baseline.put([row('p40')]);
      const walked = paths();
      await put;
      expect([40, 41]).toContain((await walked).length);
    });

    it('lets go of the database when it is left early', async () => {
      await baseline.put(many);
      let returned = 0;
      const iterate = database.iterate.bind(database);
      database.iterate = (range) => {
        const iterator = iterate(range)[Symbol.asyncIterator]();
        return {
          [Symbol.asyncIterator]: () => ({
            next: () => iterator.next(),
            return: async () => {
              returned++;
              return (await iterator.return?.()) ?? { done: true, value: undefined };
            },
          }),
        };
      };
      for await (const _page of baseline.scan()) break;
      expect(returned).toBe(1);
      await paths();
      expect(returned).toBe(2);
    });
  });

  it('does not let a change join a batch that is being written', async () => {
    let release = (): void => {};
    at = (step) => (step === 'database.batch' ? new Promise((resolve) => (release = resolve)) : undefined);
    const first = baseline.put([row('a')]);
    while (!trace.includes('database.batch')) await Promise.resolve();
    at = () => {};
    const second = baseline.put([row('b')]);
    release();
    await Promise.all([first, second]);
    expect(trace.filter((step) => step === 'database.batch')).toHaveLength(2);
    expect(await paths()).toEqual(['a', 'b']);
  });

  it('does not let a change that waits be joined by one that comes after a clear or a settle', async () => {
    const put = baseline.put([row('a')]);
    const cleared = baseline.clear();
    const late = baseline.put([row('b')]);
    await Promise.all([put, cleared, late]);
    expect(await paths()).toEqual(['b']);
    const before = baseline.put([row('c')]);
    const settled = baseline.settle();
    const after = baseline.put([row('d')]);
    await settled;
    await Promise.all([before, after]);
    expect(await readMark(database)).toEqual({ state: 'open' });
  });
});
