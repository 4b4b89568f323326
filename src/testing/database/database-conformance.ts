import assert from 'node:assert/strict';
import type { Database, DatabaseHome, KeyRange } from '../../store/database.js';

/** One duty of a {@link Database}, to be run on a home that has never been opened. */
export interface DatabaseDuty {
  readonly title: string;
  /** Throws when the duty is not done. */
  run(home: DatabaseHome): Promise<void>;
}

/** What every {@link Database} has to do, for any test runner: run each duty on a home of its own. */
export const databaseDuties: readonly DatabaseDuty[] = [
  {
    title: 'gives back what was put, and undefined for what was not',
    run: withDatabase(async (database) => {
      await database.batch([
        { type: 'put', key: 'a', value: '1' },
        { type: 'put', key: 'b', value: '' },
      ]);
      assert.equal(await database.get('a'), '1');
      assert.equal(await database.get('b'), '');
      assert.equal(await database.get('c'), undefined);
      assert.deepEqual(await database.getMany(['c', 'b', 'a', 'a']), [undefined, '', '1', '1']);
      assert.deepEqual(await database.getMany([]), []);
    }),
  },
  {
    title: 'replaces, deletes, and takes the last of two changes of one key in a batch',
    run: withDatabase(async (database) => {
      await database.batch([{ type: 'put', key: 'a', value: '1' }]);
      await database.batch([
        { type: 'put', key: 'a', value: '2' },
        { type: 'del', key: 'a' },
        { type: 'put', key: 'b', value: '3' },
      ]);
      assert.deepEqual(await rowsOf(database, {}), [['b', '3']]);
      await database.batch(
        [
          { type: 'del', key: 'missing' },
          { type: 'put', key: 'b', value: '4' },
        ],
        { sync: true },
      );
      assert.equal(await database.get('b'), '4');
    }),
  },
  {
    title: 'walks in the order of UTF-8 bytes, which is not that of JavaScript',
    run: withDatabase(async (database) => {
      const keys = ['a', 'a!', 'a/b', 'a\u0001', 'é', '\uff61', '\u{1f600}', '日本', 'Z', ''];
      const named = keys.filter((key) => key !== '');
      await database.batch(named.map((key) => ({ type: 'put', key, value: key })));
      const expected = [...named].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
      assert.deepEqual(
        (await rowsOf(database, {})).map(([key]) => key),
        expected,
      );
      assert.notDeepEqual(expected, [...named].sort());
    }),
  },
  {
    title: 'keeps to the ends of a range',
    run: withDatabase(async (database) => {
      await database.batch(['a', 'b', 'b!', 'c', 'd'].map((key) => ({ type: 'put', key, value: key })));
      const keys = async (range: KeyRange): Promise<string[]> => (await rowsOf(database, range)).map(([key]) => key);
      assert.deepEqual(await keys({ gte: 'b', lt: 'd' }), ['b', 'b!', 'c']);
      assert.deepEqual(await keys({ gt: 'b' }), ['b!', 'c', 'd']);
      assert.deepEqual(await keys({ lt: 'b' }), ['a']);
      assert.deepEqual(await keys({ gte: 'x' }), []);
    }),
  },
  {
    title: 'walks thousands of rows in pages, none of them empty, each row once',
    run: withDatabase(async (database) => {
      const keys = Array.from({ length: 3500 }, (_, i) => `k${String(i).padStart(5, '0')}`);
      await database.batch(keys.map((key) => ({ type: 'put', key, value: 'x'.repeat(100) })));
      const seen: string[] = [];
      let pages = 0;
      for await (const page of database.iterate({})) {
        assert.ok(page.length > 0);
        pages++;
        for (const [key] of page) seen.push(key);
      }
      assert.deepEqual(seen, keys);
      assert.ok(pages > 1);
    }),
  },
  {
    title: 'walks the rows as they were at the first page, whatever is changed meanwhile',
    run: withDatabase(async (database) => {
      const keys = Array.from({ length: 2500 }, (_, i) => `k${String(i).padStart(5, '0')}`);
      await database.batch(keys.map((key) => ({ type: 'put', key, value: 'before' })));
      const seen: (readonly [string, string])[] = [];
      for await (const page of database.iterate({})) {
        if (seen.length === 0) {
          await database.batch([
            { type: 'put', key: 'k02400', value: 'after' },
            { type: 'del', key: 'k02401' },
            { type: 'put', key: 'k02402x', value: 'after' },
          ]);
        }
        seen.push(...page);
      }
      assert.deepEqual(
        seen,
        keys.map((key) => [key, 'before']),
      );
      assert.equal(await database.get('k02400'), 'after');
    }),
  },
  {
    title: 'lets a walk be left in the middle',
    run: withDatabase(async (database) => {
      await database.batch(Array.from({ length: 2500 }, (_, i) => ({ type: 'put', key: `k${i}`, value: 'x' })));
      for await (const page of database.iterate({})) {
        assert.ok(page.length > 0);
        break;
      }
      assert.equal((await rowsOf(database, {})).length, 2500);
    }),
  },
  {
    title: 'clears a range and nothing else',
    run: withDatabase(async (database) => {
      await database.batch(['a', 'j!1', 'j!2', 'j"', 'k'].map((key) => ({ type: 'put', key, value: key })));
      await database.clear({ gte: 'j!', lt: 'j"' });
      assert.deepEqual(
        (await rowsOf(database, {})).map(([key]) => key),
        ['a', 'j"', 'k'],
      );
      await database.clear({});
      assert.deepEqual(await rowsOf(database, {}), []);
    }),
  },
  {
    title: 'keeps rows and mark over a close',
    async run(home) {
      const first = await home.open();
      assert.equal(await first.readMark(), undefined);
      await first.batch([{ type: 'put', key: 'ключ', value: 'значение \u{1f600}\0' }]);
      await first.writeMark('one');
      await first.writeMark('two');
      await first.close();
      const second = await home.open();
      assert.equal(await second.get('ключ'), 'значение \u{1f600}\0');
      assert.equal(await second.readMark(), 'two');
      await second.close();
    },
  },
  {
    title: 'refuses a second open with ERR_LOCKED until the first is closed',
    async run(home) {
      const first = await home.open();
      await assert.rejects(home.open(), { code: 'ERR_LOCKED' });
      await first.batch([{ type: 'put', key: 'a', value: '1' }]);
      await first.close();
      const second = await home.open();
      assert.equal(await second.get('a'), '1');
      await second.close();
    },
  },
  {
    title: 'refuses every call after close, except close itself',
    async run(home) {
      const database = await home.open();
      await database.close();
      await database.close();
      await assert.rejects(database.get('a'), { code: 'ERR_STATE_CLOSED' });
      await assert.rejects(database.getMany(['a']), { code: 'ERR_STATE_CLOSED' });
      await assert.rejects(database.batch([{ type: 'put', key: 'a', value: '1' }]), { code: 'ERR_STATE_CLOSED' });
      await assert.rejects(database.clear({}), { code: 'ERR_STATE_CLOSED' });
      await assert.rejects(rowsOf(database, {}), { code: 'ERR_STATE_CLOSED' });
      await assert.rejects(database.readMark(), { code: 'ERR_STATE_CLOSED' });
      await assert.rejects(database.writeMark('x'), { code: 'ERR_STATE_CLOSED' });
    },
  },
  {
    title: 'starts empty, mark included, after it was put aside',
    async run(home) {
      const first = await home.open();
      await first.batch([{ type: 'put', key: 'a', value: '1' }], { sync: true });
      await first.writeMark('mark');
      await first.close();
      await home.putAside();
      const second = await home.open();
      assert.deepEqual(await rowsOf(second, {}), []);
      assert.equal(await second.readMark(), undefined);
      await second.close();
    },
  },
  {
    title: 'can be put aside before there is anything',
    async run(home) {
      await home.putAside();
      const database = await home.open();
      assert.deepEqual(await rowsOf(database, {}), []);
      await database.close();
    },
  },
];

function withDatabase(use: (database: Database) => Promise<void>): (home: DatabaseHome) => Promise<void> {
  return async (home) => {
    const database = await home.open();
    try {
      await use(database);
    } finally {
      await database.close();
    }
  };
}

async function rowsOf(database: Database, range: KeyRange): Promise<(readonly [string, string])[]> {
  const rows: (readonly [string, string])[] = [];
  for await (const page of database.iterate(range)) rows.push(...page);
  return rows;
}
