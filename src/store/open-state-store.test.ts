import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { BaselineRow } from '../core/baseline.js';
import { compareByteOrder } from '../core/byte-order.js';
import type { Decision } from '../core/decision.js';
import { SimulatedDatabaseHome } from '../testing/database/simulated-database.js';
import type { DatabaseHome } from './database.js';
import { LevelDatabaseHome } from './level-database-home.js';
import { openStateStore } from './open-state-store.js';
import type { StateStore } from './state-store.js';

const pairId = 'pair';
let root: string;
let next = 0;

beforeAll(async () => {
  root = await mkdtemp(path.join(tmpdir(), 'state-store-'));
});
afterAll(() => rm(root, { recursive: true, force: true }));

function row(rowPath: string, more: Partial<BaselineRow> = {}): BaselineRow {
  return {
    path: rowPath,
    sizeBytes: 12,
    local: '12:1700000000.5:1700000001:99',
    remote: '"d41d8cd98f00b204e9800998ecf8427e"',
    digest: 'md5:d41d8cd98f00b204e9800998ecf8427e',
    recordedAtMs: 1_700_000_000_123,
    ...more,
  };
}

function decision(decisionPath: string, more: Partial<Decision> = {}): Decision {
  return {
    path: decisionPath,
    rule: 'R12',
    action: 'download',
    local: null,
    remote: null,
    baseline: undefined,
    ...more,
  };
}

async function rowsOf(store: StateStore): Promise<BaselineRow[]> {
  const rows: BaselineRow[] = [];
  for await (const page of store.baseline.scan()) rows.push(...page);
  return rows;
}

const homes: readonly (readonly [string, () => DatabaseHome])[] = [
  ['LevelDB', () => new LevelDatabaseHome(path.join(root, `d${next++}`, 'db'), { nowMs: () => 0 })],
  ['the simulated database', () => new SimulatedDatabaseHome()],
];

describe.each(homes)('openStateStore over %s', (_name, newHome) => {
  it('starts empty, and is not called rebuilt', async () => {
    const store = await openStateStore(newHome(), { pairId });
    expect(store.rebuilt).toBe(false);
    expect(await rowsOf(store)).toEqual([]);
    expect(await store.uploads.list()).toEqual([]);
    expect(await store.facts.get('x')).toBeUndefined();
    await store.close();
  });

  it('gives the rows below a directory, and no others', async () => {
    const store = await openStateStore(newHome(), { pairId });
    const paths = ['d', 'd!', 'd/a', 'd/b/c', 'd/\u{1f600}', 'd/\uff61', 'd0', 'da', 'e'];
    await store.baseline.put(paths.map((each) => row(each)));
    const below: string[] = [];
    for await (const rows of store.baseline.scanBelow('d')) below.push(...rows.map((each) => each.path));
    expect(below).toEqual(['d/a', 'd/b/c', 'd/\uff61', 'd/\u{1f600}']);
    await store.close();
  });

  it('gives rows back as they were put, in the order of UTF-8 bytes, after it was opened again', async () => {
    const home = newHome();
    const rows = [
      row('b'),
      row('a/ü', { local: null, digest: undefined, replacing: true }),
      row('a'),
      row('a!', { sizeBytes: 0 }),
      row('\u{1f600}'),
      row('\uff61', { remote: 'quote " and \\ and \n' }),
    ];
    const first = await openStateStore(home, { pairId });
    await first.baseline.put(rows);
    await first.close();
    const second = await openStateStore(home, { pairId });
    expect(second.rebuilt).toBe(false);
    expect(await rowsOf(second)).toEqual(rows.toSorted((a, b) => compareByteOrder(a.path, b.path)));
    expect(await second.baseline.get('a/ü')).toEqual(rows[1]);
    expect(await second.baseline.get('missing')).toBeUndefined();
    await second.close();
  });

  it('keeps its tally right over replacing, deleting, repeating and clearing', async () => {
    const home = newHome();
    let store = await openStateStore(home, { pairId });
    await store.baseline.put([row('a'), row('b'), row('a', { sizeBytes: 7 })]);
    await store.baseline.delete(['b', 'missing', 'b']);
    await Promise.all([
      store.baseline.put([row('c')]),
      store.baseline.put([row('c', { sizeBytes: 3 })]),
      store.baseline.delete(['x']),
    ]);
    await store.close();
    store = await openStateStore(home, { pairId });
    expect(await rowsOf(store)).toEqual([row('a', { sizeBytes: 7 }), row('c', { sizeBytes: 3 })]);
    await store.baseline.clear();
    expect(await rowsOf(store)).toEqual([]);
    await store.baseline.put([row('z')]);
    await store.journal.clear();
    expect(await rowsOf(store)).toEqual([row('z')]);
    await store.close();
    store = await openStateStore(home, { pairId });
    expect([store.rebuilt, await rowsOf(store)]).toEqual([false, [row('z')]]);
    await store.close();
  });

  it('lets rows be changed while they are walked', async () => {
    const store = await openStateStore(newHome(), { pairId });
    const rows = Array.from({ length: 2500 }, (_, i) => row(`f${String(i).padStart(5, '0')}`));
    await store.baseline.put(rows);
    let seen = 0;
    for await (const page of store.baseline.scan()) {
      if (seen === 0) await store.baseline.delete(rows.slice(2000).map(({ path: rowPath }) => rowPath));
      seen += page.length;
    }
    expect(seen).toBe(2500);
    expect((await rowsOf(store)).length).toBe(2000);
    await store.close();
  });

  it.each([0, 1, 3, 20_000])(
    'keeps the journal by phase, in order, until it is begun or cleared, %i decisions of it in memory',
    async (mostHeldDecisions) => {
      const store = await openStateStore(newHome(), { pairId, mostHeldDecisions });
      const read = async (phase: 'room' | 'transfer' | 'delete'): Promise<Decision[]> => {
        const decisions: Decision[] = [];
        for await (const page of store.journal.read(phase)) decisions.push(...page);
        return decisions;
      };
      await store.journal.begin();
      const upload = decision('b', {
        rule: 'R03',
        action: 'upload',
        local: {
          kind: 'file',
          path: 'b',
          sizeBytes: 1,
          fingerprint: 'f',
          modifiedMs: undefined,
          modifiedSource: 'mtime',
          racy: true,
        },
        baseline: row('b'),
      });
      await store.journal.append('transfer', [upload, decision('a')]);
      await store.journal.append('transfer', [decision('\u{1f600}'), decision('\uff61')]);
      await store.journal.append('delete', [decision('a', { action: 'delete-local' })]);
      expect((await read('transfer')).map((each) => each.path)).toEqual(['a', 'b', '\uff61', '\u{1f600}']);
      expect((await read('transfer'))[1]).toEqual(upload);
      expect(await read('delete')).toEqual([decision('a', { action: 'delete-local' })]);
      expect(await read('room')).toEqual([]);
      await store.journal.begin();
      expect(await read('transfer')).toEqual([]);
      await store.journal.append('room', [decision('r')]);
      expect(await read('room')).toEqual([decision('r')]);
      await store.journal.clear();
      expect(await read('room')).toEqual([]);
      await store.close();
    },
  );

  it('empties a journal that an earlier run left', async () => {
    const home = newHome();
    const first = await openStateStore(home, { pairId, mostHeldDecisions: 0 });
    await first.journal.append('transfer', [decision('left')]);
    await first.close();
    const second = await openStateStore(home, { pairId, mostHeldDecisions: 0 });
    await second.journal.begin();
    for await (const page of second.journal.read('transfer')) expect(page).toEqual([]);
    await second.close();
  });

  it('knows every upload of a path, and answers the one that began last', async () => {
    const store = await openStateStore(newHome(), { pairId });
    const upload = (uploadPath: string, uploadId: string, startedAtMs: number) => ({
      path: uploadPath,
      uploadId,
      fingerprint: 'f',
      partSizeBytes: 8_388_608,
      startedAtMs,
    });
    await store.uploads.put(upload('a', 'z-old', 1));
    await store.uploads.put(upload('a', 'a-new', 2));
    await store.uploads.put(upload('ab', 'other', 3));
    expect((await store.uploads.get('a'))?.uploadId).toBe('a-new');
    expect((await store.uploads.list()).map(({ uploadId }) => uploadId).sort()).toEqual(['a-new', 'other', 'z-old']);
    await store.uploads.delete('a', 'a-new');
    await store.uploads.delete('a', 'unknown');
    expect((await store.uploads.get('a'))?.uploadId).toBe('z-old');
    await store.close();
  });

  it('keeps facts, lists them by prefix, and deletes them', async () => {
    const home = newHome();
    let store = await openStateStore(home, { pairId });
    await store.facts.put('probe', { trusted: true });
    await store.facts.put('conflict:b', 2);
    await store.facts.put('conflict:a', 1);
    await store.facts.put('gone', 1);
    await store.facts.put('gone', undefined);
    await store.facts.delete('never');
    await store.close();
    store = await openStateStore(home, { pairId });
    expect(await store.facts.get('probe')).toEqual({ trusted: true });
    expect(await store.facts.get('gone')).toBeUndefined();
    expect(await store.facts.list('conflict:')).toEqual([
      ['conflict:a', 1],
      ['conflict:b', 2],
    ]);
    await store.close();
  });

  it("puts another pair's state aside", async () => {
    const home = newHome();
    const first = await openStateStore(home, { pairId });
    await first.baseline.put([row('a')]);
    await first.close();
    const second = await openStateStore(home, { pairId: 'other' });
    expect([second.rebuilt, await rowsOf(second)]).toEqual([true, []]);
    await second.close();
    const third = await openStateStore(home, { pairId: 'other' });
    expect(third.rebuilt).toBe(false);
    await third.close();
  });

  it('rebuilds when it is told to', async () => {
    const home = newHome();
    const first = await openStateStore(home, { pairId });
    await first.baseline.put([row('a')]);
    await first.close();
    const second = await openStateStore(home, { pairId, rebuild: true });
    expect([second.rebuilt, await rowsOf(second)]).toEqual([true, []]);
    await second.close();
  });

  it('can be closed twice, and refuses to be opened twice', async () => {
    const home = newHome();
    const store = await openStateStore(home, { pairId });
    await expect(openStateStore(home, { pairId })).rejects.toMatchObject({ code: 'ERR_LOCKED' });
    await store.close();
    await store.close();
    await (await openStateStore(home, { pairId })).close();
  });
});

describe('openStateStore after a crash', () => {
  it('has every row that was put when the process was killed, and none that was not', async () => {
    const home = new SimulatedDatabaseHome();
    const first = await openStateStore(home, { pairId });
    await first.baseline.put([row('a'), row('b')]);
    await first.journal.clear();
    await first.baseline.put([row('c')]);
    await first.baseline.delete(['a']);
    home.crash('process');
    const second = await openStateStore(home, { pairId });
    expect([second.rebuilt, await rowsOf(second)]).toEqual([false, [row('b'), row('c')]]);
    await second.close();
  });

  it('has at least what was synced after a power loss, at every number of batches that reached the disk', async () => {
    for (let kept = 0; kept <= 4; kept++) {
      const home = new SimulatedDatabaseHome();
      const first = await openStateStore(home, { pairId });
      await first.baseline.put([row('a'), row('b')], { sync: true });
      await first.baseline.put([row('c')]);
      await first.baseline.delete(['a']);
      await first.baseline.put([row('d')]);
      home.crash('power', kept);
      const second = await openStateStore(home, { pairId });
      const paths = (await rowsOf(second)).map(({ path: rowPath }) => rowPath);
      expect([second.rebuilt, paths]).toEqual([
        false,
        [
          ['a', 'b'],
          ['a', 'b', 'c'],
          ['b', 'c'],
          ['b', 'c', 'd'],
          ['b', 'c', 'd'],
        ][kept],
      ]);
      await second.close();
    }
  });

  it('is right at every step at which the power can fail, during the first run and the second', async () => {
    let steps = 0;
    for (let crashAt = 1; ; crashAt++) {
      let count = 0;
      let armed = true;
      const home = new SimulatedDatabaseHome({
        step: async () => {
          if (!armed || ++count !== crashAt) return;
          home.crash('power');
          throw new Error('the power failed');
        },
      });
      const allowed: string[][] = [[]];
      const run = async (paths: string[]): Promise<void> => {
        const store = await openStateStore(home, { pairId });
        await store.journal.begin();
        for await (const page of store.baseline.scan()) expect(page.length).toBeGreaterThan(0);
        allowed.push(paths);
        await store.baseline.put(paths.map((each) => row(each)));
        await store.journal.clear();
        await store.close();
      };
      let crashed = true;
      try {
        await run(['a', 'b']);
        await run(['a', 'b', 'c']);
        crashed = false;
      } catch (error) {
        expect(error).toMatchObject({ message: 'the power failed' });
      }
      armed = false;
      const store = await openStateStore(home, { pairId });
      const paths = (await rowsOf(store)).map(({ path: rowPath }) => rowPath);
      expect(store.rebuilt).toBe(false);
      expect(allowed.slice(-2)).toContainEqual(paths);
      await store.close();
      if (!crashed) break;
      steps = crashAt;
    }
    expect(steps).toBeGreaterThan(20);
  });
});

describe('openStateStore on damage', () => {
  async function settled(): Promise<SimulatedDatabaseHome> {
    const home = new SimulatedDatabaseHome();
    const store = await openStateStore(home, { pairId });
    await store.baseline.put(
      Array.from({ length: 100 }, (_, i) => row(`f${String(i).padStart(3, '0')}`, { recordedAtMs: i })),
    );
    await store.baseline.put([row('f050', { sizeBytes: 50 })]);
    await store.facts.put('fact', 1);
    await store.close();
    return home;
  }

  const found: readonly (readonly [
    string,
    (rows: Map<string, string>, mark: string | undefined) => string | undefined,
  ])[] = [
    ['a mark that was altered', (_rows, mark) => `${mark}x`],
    ['a version row that is missing', (rows, mark) => (rows.delete('v'), mark)],
    ['a version row that was altered', (rows, mark) => (rows.set('v', `${rows.get('v')} `), mark)],
    ['all rows gone', (rows, mark) => (rows.clear(), mark)],
    ['an altered row, after a run that was killed', (rows) => (rows.set('f!fact', '000000002'), undefined)],
  ];
  it.each(found)('finds %s when it opens', async (_what, tamper) => {
    const home = await settled();
    home.tamper(tamper);
    const store = await openStateStore(home, { pairId });
    expect([store.rebuilt, await rowsOf(store), await store.facts.get('fact')]).toEqual([true, [], undefined]);
    expect(home.putAsideCount).toBe(1);
    await store.close();
  });

  const walked: readonly (readonly [string, (rows: Map<string, string>) => void])[] = [
    ['a row with a flipped bit', (rows) => rows.set('b!f020', (rows.get('b!f020') ?? '').replace('12', '13'))],
    ['a row under another path', (rows) => rows.set('b!f0200', rows.get('b!f020') ?? '')],
    [
      'two rows exchanged',
      (rows) => {
        const [one, two] = [rows.get('b!f020') ?? '', rows.get('b!f021') ?? ''];
        rows.set('b!f020', two).set('b!f021', one);
      },
    ],
    ['a row that is missing', (rows) => rows.delete('b!f099')],
    ['an old version of a row', (rows) => rows.set('b!f050', rows.get('b!f050:old') ?? '')],
  ];
  it.each(walked)('finds %s when the rows are walked, and rebuilds the next time', async (what, tamper) => {
    const home = await settled();
    // The value that f050 had first, sealed as it was then.
    let old = '';
    const twin = new SimulatedDatabaseHome();
    const store0 = await openStateStore(twin, { pairId });
    await store0.baseline.put([row('f050')]);
    await store0.close();
    twin.tamper((rows, mark) => {
      old = rows.get('b!f050') ?? '';
      return mark;
    });
    home.tamper((rows, mark) => {
      if (what.startsWith('an old')) rows.set('b!f050', old);
      else tamper(rows);
      return mark;
    });
    const store = await openStateStore(home, { pairId });
    expect(store.rebuilt).toBe(false);
    await expect(rowsOf(store)).rejects.toMatchObject({ code: 'ERR_STATE_DAMAGED' });
    // Whether the session closes it or dies: the next open knows.
    if (what.length % 2 === 0) await store.close();
    else home.crash('power');
    const again = await openStateStore(home, { pairId });
    expect([again.rebuilt, await rowsOf(again)]).toEqual([true, []]);
    await again.close();
  });

  it('finds a flipped bit in one row that is asked for, in a fact and in the journal', async () => {
    for (const key of ['b!f020', 'f!fact', 'j!transfer!p']) {
      const home = await settled();
      const before = await openStateStore(home, { pairId, mostHeldDecisions: 0 });
      await before.journal.append('transfer', [decision('p')]);
      await before.close();
      home.tamper((rows, mark) => {
        rows.set(key, (rows.get(key) ?? '').replace(/.$/, '~'));
        return mark;
      });
      const store = await openStateStore(home, { pairId, mostHeldDecisions: 0 });
      const ask: Record<string, () => Promise<unknown>> = {
        'b!f020': () => store.baseline.get('f020'),
        'f!fact': () => store.facts.get('fact'),
        'j!transfer!p': async () => {
          for await (const page of store.journal.read('transfer')) expect(page).toEqual([]);
        },
      };
      await expect(ask[key]?.()).rejects.toMatchObject({ code: 'ERR_STATE_DAMAGED' });
      await store.close();
      expect((await openStateStore(home, { pairId })).rebuilt).toBe(true);
    }
  });

  it('does not call the rows damaged that a killed run did not get to write', async () => {
    const home = await settled();
    const store = await openStateStore(home, { pairId });
    await store.baseline.delete(['f010']);
    home.crash('power');
    const again = await openStateStore(home, { pairId });
    expect([again.rebuilt, (await rowsOf(again)).length]).toEqual([false, 100]);
  });
});
