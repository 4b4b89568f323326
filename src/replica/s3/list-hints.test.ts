import { describe, expect, it } from 'vitest';
import { memoryFacts } from '../../../test/replica-s3/bucket-under-test.js';
import {
  BoundaryFinder,
  hintsFact,
  MAX_BOUNDARIES,
  readHints,
  writeHints,
  type Boundary,
  type ListHints,
  type ListingFindings,
} from './list-hints.js';

const NOW_MS = Date.UTC(2026, 10, 26);
const WEEK_MS = 7 * 24 * 3_600_000;
const NAME = hintsFact('bucket', 'p/');
const NOTHING: ListHints = { boundaries: [] };

async function read(value: unknown, prefix = 'p/'): Promise<ListHints> {
  const facts = memoryFacts();
  await facts.put(NAME, value);
  return await readHints(facts, NAME, prefix, NOW_MS);
}

describe('hintsFact', () => {
  it('names one fact for each bucket and prefix', () => {
    expect(hintsFact('bucket', 'p/')).toBe('s3-list-hints-1 bucket p/');
    expect(new Set([hintsFact('a', ''), hintsFact('b', ''), hintsFact('a', 'p/')]).size).toBe(3);
  });
});

describe('readHints', () => {
  it('knows nothing where nothing was written', async () => {
    expect(await readHints(memoryFacts(), NAME, 'p/', NOW_MS)).toEqual(NOTHING);
  });

  it.each([
    ['null', null],
    ['a text', 'p/aaaaa'],
    ['a number', 7],
    ['an empty object', {}],
    ['boundaries that are no list', { boundaries: 'p/aaaaa' }],
    ['boundaries that are no pairs', { boundaries: ['p/aaaaa', 7, null, {}] }],
    ['boundaries of numbers', { boundaries: [[7, 8]] }],
    ['boundaries of nothing', { boundaries: [[]] }],
  ])('takes %s for nothing', async (_, value) => {
    expect(await read(value)).toEqual(NOTHING);
  });

  it('gives the boundaries that it can use, in order, and drops the others one by one', async () => {
    const boundaries = [
      ['p/aaaa1', 'p/aaaa2'],
      ['q/aaaa1'],
      ['p/aaaa1'],
      ['p/aaaa0'],
      ['p/b\u0001'],
      ['p/c'],
      ['p/d', 7],
    ];
    expect(await read({ boundaries })).toEqual({
      boundaries: [
        { after: 'p/aaaa1', expected: 'p/aaaa2' },
        { after: 'p/c', expected: undefined },
        { after: 'p/d', expected: undefined },
      ],
    });
  });

  it('does not read more than can have been written', async () => {
    const boundaries = Array.from({ length: MAX_BOUNDARIES + 5 }, (_, i) => [`p/${String(i).padStart(6, '0')}`]);
    expect((await read({ boundaries })).boundaries).toHaveLength(MAX_BOUNDARIES);
  });

  it.each([
    ['a control character', 'p/\u0000'],
    ['half a character', 'p/\uD800'],
    ['U+FFFE', 'p/\uFFFE'],
    ['U+FFFF', 'p/\uFFFF'],
    ['more units than a key can have', `p/${'x'.repeat(1023)}`],
  ])('does not begin after a key with %s', async (_, after) => {
    expect(await read({ boundaries: [[after]] })).toEqual(NOTHING);
  });

  it('begins after any other key', async () => {
    const keys = ['p/ +%', 'p/é\u{1F600}', `p/${'z'.repeat(1022)}`].toSorted();
    const { boundaries } = await read({ boundaries: keys.map((key) => [key]) });
    expect(boundaries.map(({ after }) => after).toSorted()).toEqual(keys);
  });

  it('does not begin after the empty key', async () => {
    expect(await read({ boundaries: [['']] }, '')).toEqual(NOTHING);
  });

  it.each([
    ['share four characters after the prefix', 'p/abcd1', 'p/abcd2', true],
    ['share three', 'p/abc11', 'p/abc21', false],
    ['share four, of which the first is no longer than that', 'p/abcd', 'p/abcd2', false],
    ['have a space in the first', 'p/abcd 1', 'p/abcd 2', false],
    ['have a + in the second only', 'p/abcd1', 'p/abcd1+', false],
    ['begin with what would have to be escaped', 'p/ébcde', 'p/ébcdf', false],
    ['are as long as a key can be', `p/${'a'.repeat(1022)}`, `p/${'a'.repeat(1021)}b`, true],
    ['have all plain signs', 'p/./~-_A0', 'p/./~-_A1', true],
  ])('believes what comes next where both keys %s: %s, %s: %s', async (_, after, expected, isBelieved) => {
    expect(await read({ boundaries: [[after, expected]] })).toEqual({
      boundaries: [{ after, expected: isBelieved ? expected : undefined }],
    });
  });

  it.each([
    ['until a time to come', NOW_MS + 1, true],
    ['for a week at most', NOW_MS + WEEK_MS, true],
    ['until now', NOW_MS, false],
    ['for longer than is ever written: the clock was wrong', NOW_MS + WEEK_MS + 1, false],
    ['until a time that is none', 'tomorrow', false],
  ])('rests %s', async (_, pausedUntilMs, rests) => {
    const boundaries = [['p/a']];
    expect(await read({ boundaries, pausedUntilMs })).toEqual(
      rests ? { boundaries: [], pausedUntilMs } : { boundaries: [{ after: 'p/a', expected: undefined }] },
    );
  });
});

describe('writeHints', () => {
  const a: Boundary = { after: 'p/aaaa1', expected: 'p/aaaa2' };
  const b: Boundary = { after: 'p/b', expected: undefined };

  async function write(known: ListHints, more: Partial<ListingFindings>): Promise<unknown> {
    const facts = memoryFacts();
    const found = { cannotSeek: false, requests: 3, leastRequests: 2, boundaries: [a, b], ...more };
    await writeHints(facts, NAME, { known, found, nowMs: NOW_MS });
    return await facts.get(NAME);
  }

  it('writes what readHints reads', async () => {
    const facts = memoryFacts();
    const found = { cannotSeek: false, requests: 1, leastRequests: 1, boundaries: [a, b] };
    await writeHints(facts, NAME, { known: NOTHING, found, nowMs: NOW_MS });
    expect(await facts.get(NAME)).toEqual({ boundaries: [['p/aaaa1', 'p/aaaa2'], ['p/b']] });
    expect(await readHints(facts, NAME, 'p/', NOW_MS)).toEqual({ boundaries: [a, b] });
  });

  it('lets a store that cannot begin after a key rest for a week', async () => {
    expect(await write({ boundaries: [a] }, { cannotSeek: true })).toEqual({
      boundaries: [],
      pausedUntilMs: NOW_MS + WEEK_MS,
    });
  });

  it('writes nothing while the store rests', async () => {
    const known = { boundaries: [], pausedUntilMs: NOW_MS + 1 };
    expect(await write(known, {})).toBeUndefined();
    expect(await write(known, { cannotSeek: true })).toBeUndefined();
  });

  it.each([
    ['keeps boundaries with which no request was wasted', [b], 2, false],
    ['replaces boundaries with which one was', [b], 3, true],
    ['writes the first boundaries', [], 2, true],
    ['does not write again what it knows', [a, b], 3, false],
    ['sees that one more was found', [a], 3, true],
    ['sees that one less was found', [a, b, { after: 'p/c', expected: undefined }], 3, true],
    ['sees another place', [a, { after: 'p/c', expected: undefined }], 3, true],
    ['sees another key that came next', [{ ...a, expected: undefined }, b], 3, true],
  ] as const)('%s', async (_, boundaries, requests, isWritten) => {
    expect((await write({ boundaries }, { requests })) !== undefined).toBe(isWritten);
  });
});

describe('BoundaryFinder', () => {
  const keysOf = (count: number, name = (i: number) => `p/same/${String(i).padStart(4, '0')}`): string[] =>
    Array.from({ length: count }, (_, i) => name(i));

  it('finds one place for each page, where the one page ends and the next begins', () => {
    const finder = new BoundaryFinder('p/');
    finder.sawPage(3);
    finder.add(keysOf(8));
    expect(finder.boundaries).toEqual([
      { after: 'p/same/0002', expected: 'p/same/0003' },
      { after: 'p/same/0005', expected: 'p/same/0006' },
    ]);
    expect([finder.count, finder.pageKeys]).toEqual([8, 3]);
  });

  it('finds the same however the keys come', () => {
    const finder = new BoundaryFinder('p/');
    finder.sawPage(3);
    for (const key of keysOf(8)) finder.add([key]);
    const atOnce = new BoundaryFinder('p/');
    atOnce.sawPage(3);
    atOnce.add(keysOf(8));
    expect(finder.boundaries).toEqual(atOnce.boundaries);
  });

  it('cuts no bucket of one page', () => {
    const finder = new BoundaryFinder('p/');
    finder.sawPage(8);
    finder.add(keysOf(8));
    expect(finder.boundaries).toEqual([]);
  });

  it('lays a place one key earlier where the keys could be misread, so that both parts have one key', () => {
    const finder = new BoundaryFinder('p/');
    finder.sawPage(3);
    finder.add(keysOf(8, (i) => `p/s ${i}`));
    expect(finder.boundaries).toEqual([
      { after: 'p/s 1', expected: undefined },
      { after: 'p/s 3', expected: undefined },
      { after: 'p/s 5', expected: undefined },
    ]);
  });

  it.each([
    ['one key earlier before a key that is no name', ['same1', 'same2', undefined, 'same4'], ['same1', 'same2']],
    ['one key earlier than a key that is no name', ['same1', undefined, 'same3', 'same4'], ['same1', 'same3']],
    ['nowhere where that key cannot be sent', ['\u0001', ' 2', ' 3'], []],
    ['nowhere where that key is no name', [undefined, ' 2', ' 3'], []],
  ])('lays a place %s', (_, keys, places) => {
    const finder = new BoundaryFinder('');
    finder.sawPage(2);
    finder.add(keys);
    expect(finder.boundaries.map(({ after }) => after)).toEqual(places);
  });

  it('drops places that are too near when the pages turn out to be larger', () => {
    const finder = new BoundaryFinder('p/');
    finder.sawPage(2);
    finder.add(keysOf(9));
    expect(finder.boundaries).toHaveLength(4);
    finder.sawPage(1);
    expect([finder.boundaries.length, finder.pageKeys]).toEqual([4, 2]);
    finder.sawPage(4);
    expect(finder.boundaries.map(({ after }) => after)).toEqual(['p/same/0003', 'p/same/0007']);
    finder.add(['p/same/0009', 'p/same/0010', 'p/same/0011', 'p/same/0012']);
    expect(finder.boundaries.map(({ after }) => after)).toEqual(['p/same/0003', 'p/same/0007', 'p/same/0011']);
  });

  it('drops each second place when there are more than are kept', () => {
    const finder = new BoundaryFinder('');
    finder.sawPage(1);
    const keys = Array.from({ length: MAX_BOUNDARIES + 2 }, (_, i) => `same/${String(i).padStart(6, '0')}`);
    finder.add(keys.slice(0, MAX_BOUNDARIES + 1));
    expect(finder.boundaries).toHaveLength(MAX_BOUNDARIES);
    finder.add(keys.slice(MAX_BOUNDARIES + 1));
    expect(finder.boundaries).toHaveLength(MAX_BOUNDARIES / 2);
    expect(finder.boundaries.slice(0, 2).map(({ after }) => after)).toEqual(['same/000001', 'same/000003']);
  });

  it('keeps no more characters than four MiB', () => {
    const finder = new BoundaryFinder('');
    finder.sawPage(1);
    finder.add(Array.from({ length: 5000 }, (_, i) => `same/${String(i).padStart(1000, '0')}`));
    const characters = finder.boundaries.reduce(
      (sum, { after, expected }) => sum + after.length + (expected?.length ?? 0),
      0,
    );
    expect(characters).toBeLessThanOrEqual(4 * 1024 * 1024);
    expect(characters).toBeGreaterThan(2 * 1024 * 1024);
  });
});
