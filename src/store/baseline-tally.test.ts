import { describe, expect, it } from 'vitest';
import { SimulatedDatabaseHome } from '../testing/database/simulated-database.js';
import { addToTally, EMPTY_TALLY, readMark, removeFromTally, sameTally, writeMark } from './baseline-tally.js';
import type { Mark } from './baseline-tally.js';
import { checksumOf, sealValue } from './sealed-value.js';

const one = sealValue('b!one', '[1]');
const two = sealValue('b!two', '[2]');

describe('the tally', () => {
  it('counts rows and sums their checksums', () => {
    expect(EMPTY_TALLY).toEqual({ rows: 0, sum: 0 });
    const both = addToTally(addToTally(EMPTY_TALLY, one), two);
    expect(both).toEqual({ rows: 2, sum: checksumOf(one) + checksumOf(two) });
  });

  it('is the same whatever the order in which rows came and went', () => {
    const there = addToTally(addToTally(EMPTY_TALLY, one), two);
    const back = addToTally(addToTally(EMPTY_TALLY, two), one);
    expect(sameTally(there, back)).toBe(true);
    expect(removeFromTally(there, one)).toEqual(addToTally(EMPTY_TALLY, two));
    expect(removeFromTally(removeFromTally(there, two), one)).toEqual(EMPTY_TALLY);
  });

  it('tells a lost row, an old version of a row, and one row in place of another', () => {
    const both = addToTally(addToTally(EMPTY_TALLY, one), two);
    expect(sameTally(both, addToTally(EMPTY_TALLY, one))).toBe(false);
    const old = addToTally(addToTally(EMPTY_TALLY, one), sealValue('b!two', '[1]'));
    expect(old.rows).toBe(both.rows);
    expect(sameTally(both, old)).toBe(false);
    // As many and the same sum by chance is what 32 bits leave; another number with the same sum is not the same.
    expect(sameTally({ rows: 1, sum: 5 }, { rows: 2, sum: 5 })).toBe(false);
  });

  it('stays exact over so many rows that their sum would not fit a double', () => {
    const nearlyFull = { rows: 2 ** 21, sum: 2 ** 52 - 1 };
    const more = addToTally(nearlyFull, one);
    expect(more.sum).toBe(checksumOf(one) - 1);
    expect(more.sum).toBeGreaterThanOrEqual(0);
    expect(removeFromTally(more, one)).toEqual(nearlyFull);
  });
});

describe('the mark', () => {
  const stored = async (text: string): Promise<Mark | undefined> => {
    const database = await new SimulatedDatabaseHome().open();
    await database.writeMark(text);
    return await readMark(database);
  };

  it.each<Mark>([
    { state: 'clean', tally: { rows: 3, sum: 12345 } },
    { state: 'clean', tally: EMPTY_TALLY },
    { state: 'open' },
    { state: 'damaged' },
  ])('reads back %j', async (mark) => {
    const database = await new SimulatedDatabaseHome().open();
    await writeMark(database, mark);
    expect(await readMark(database)).toEqual(mark);
  });

  it('is not there in a database that never had one', async () => {
    expect(await readMark(await new SimulatedDatabaseHome().open())).toBeUndefined();
  });

  it.each([
    ['was altered', sealValue('mark', '["open"]').replace('open', 'opem')],
    ['belongs to another key', sealValue('b!mark', '["open"]')],
    ['was cut short', sealValue('mark', '["open"]').slice(0, 5)],
    ['is no list', sealValue('mark', '{"0":"open"}')],
    ['says nothing', sealValue('mark', '[]')],
    ['says what nobody writes', sealValue('mark', '["tidy",1,2]')],
    ['has no number of rows', sealValue('mark', '["clean",null,2]')],
    ['has a number in words', sealValue('mark', '["clean","1",2]')],
    ['has no sum', sealValue('mark', '["clean",1]')],
  ])('is damaged when it %s', async (_, text) => {
    expect(await stored(text)).toEqual({ state: 'damaged' });
  });
});
