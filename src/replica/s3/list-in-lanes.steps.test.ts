import { describe, expect, it } from 'vitest';
import { compareByteOrder } from '../../core/byte-order.js';
import { HaltError, S3ConnectionError } from '../../errors.js';
import type { Boundary } from './list-hints.js';
import { listInLanes } from './list-in-lanes.js';
import type { PageStart } from './list-lane.js';
import { checkPage, type CheckedPage } from './listing-page.js';

/** Letters as keys: `abc` is three of them. */
const KEYS = [...'abcdefghijklmnopqrstuvwxyz'];

interface Options {
  readonly keys?: readonly string[];
  readonly pageKeys?: number;
  readonly mostAhead?: number;
  /** What happens instead of the n-th request, counted from 1. */
  readonly instead?: (nth: number, start: PageStart) => CheckedPage | undefined;
  /** Turns of the event loop that the n-th answer takes. */
  readonly turns?: (nth: number) => number;
  /** Turns that it takes to use a run. */
  readonly useTurns?: number;
}

async function pass(turns: number): Promise<void> {
  for (let turn = 0; turn < turns; turn++) await new Promise((resolve) => setImmediate(resolve));
}

/** Lists a store in lanes: what was asked for, and what was given, `?` for a key that is no name. */
async function list(boundaries: readonly (readonly [after: string, expected?: string])[], options: Options = {}) {
  const { keys = KEYS, pageKeys = 4, mostAhead = 32, instead, turns = () => 0, useTurns = 0 } = options;
  const steps: string[] = [];
  const asked: string[] = [];
  /** How many runs were given before the page came. */
  const cameAfter: Record<string, number> = {};
  const given: string[] = [];
  let count = 0;
  const fetch = async (start: PageStart): Promise<CheckedPage> => {
    const nth = ++count;
    const { startAfter, token } = start;
    const name = token ?? (startAfter === undefined ? '' : `>${startAfter}`);
    asked.push(name);
    steps.push(`? ${name}`);
    await pass(turns(nth));
    cameAfter[name] = given.length;
    const other = instead?.(nth, start);
    if (other !== undefined) return other;
    const found = keys.findIndex((key) =>
      token === undefined ? startAfter === undefined || compareByteOrder(key, startAfter) > 0 : key === token,
    );
    const at = found === -1 ? keys.length : found;
    return pageOf(keys.slice(at, at + pageKeys), keys[at + pageKeys]);
  };
  const runs = listInLanes({
    fetch,
    boundaries: boundaries.map(([after, expected]): Boundary => ({ after, expected })),
    mostAhead,
  });
  let step = await runs.next();
  for (; step.done !== true; step = await runs.next()) {
    const { objects, keys: names } = step.value;
    expect(objects.map(({ key }, i) => (names[i] === undefined ? undefined : key))).toEqual(names);
    given.push(names.map((name) => name ?? '?').join(''));
    steps.push(given.at(-1) ?? '');
    await pass(useTurns);
  }
  return { asked, given, steps, cameAfter, cannotSeek: step.value.cannotSeek };
}

function pageOf(keys: readonly string[], nextToken: string | undefined): CheckedPage {
  const objects = keys.map((key) => ({ key, sizeBytes: 1, etag: 'e', lastModified: '2026-01-01T00:00:00Z' }));
  return checkPage(
    { objects, isTruncated: nextToken !== undefined, nextToken, urlEncoded: true, keyCount: undefined },
    '',
  );
}

/** Where the pages of four end, and what came next. */
const ENDS = [
  ['d', 'e'],
  ['h', 'i'],
  ['l', 'm'],
  ['p', 'q'],
  ['t', 'u'],
  ['x', 'y'],
] as const;
const PAGES = ['abcd', 'efgh', 'ijkl', 'mnop', 'qrst', 'uvwx', 'yz'];
/** The requests of a listing without lanes, by the first key of each page. */
const SERIAL = ['', 'e', 'i', 'm', 'q', 'u', 'y'];

/** A store that begins at this key, whatever it is asked to begin after. */
const beginningAt =
  (key: string, isMeant: (after: string) => boolean = () => true): Options['instead'] =>
  (_, { startAfter }) => {
    if (startAfter === undefined || !isMeant(startAfter)) return undefined;
    const at = KEYS.indexOf(key);
    return pageOf(KEYS.slice(at, at + 4), KEYS[at + 4]);
  };

/** A store that fails at the n-th request. */
const failingAt =
  (wanted: number, error: Error): Options['instead'] =>
  (nth) => {
    if (nth === wanted) throw error;
    return undefined;
  };

describe('listInLanes, step by step', () => {
  it('asks for each page once, one ahead, where it knows of no boundary', async () => {
    const { steps } = await list([], { useTurns: 3 });
    expect(steps.slice(0, 6)).toEqual(['? ', '? e', 'abcd', '? i', 'efgh', '? m']);
    expect(steps.filter((step) => step.startsWith('?'))).toEqual(SERIAL.map((key) => `? ${key}`));
  });

  it('asks each lane for its one page where the boundaries are the ends of the pages', async () => {
    const { asked, given, cannotSeek } = await list(ENDS);
    expect(asked).toEqual(['', '>d', '>h', '>l', '>p', '>t', '>x']);
    expect([given, cannotSeek]).toEqual([PAGES, false]);
  });

  it('does not ask again where nothing comes after a boundary any more', async () => {
    const { asked, given } = await list([
      ['d', 'e'],
      ['z', 'zz'],
    ]);
    expect(asked).toEqual(['', '>d', 'i', 'm', 'q', 'u', 'y', '>z']);
    expect(given).toEqual(PAGES);
  });

  describe('how many pages it has under way', () => {
    it('is twice as many each time that it has to wait', async () => {
      const { steps } = await list(ENDS, { turns: () => 5 });
      expect(steps).toEqual([
        '? ',
        '? >d',
        '? >h',
        '? >l',
        '? >p',
        'abcd',
        '? >t',
        '? >x',
        'efgh',
        'ijkl',
        'mnop',
        'qrst',
        'uvwx',
        'yz',
      ]);
    });

    it('stays as it is while it has not to wait', async () => {
      const { steps } = await list(ENDS, { turns: (nth) => (nth === 2 ? 20 : 0), useTurns: 2 });
      expect(steps).toEqual([
        '? ',
        '? >d',
        '? >h',
        '? >l',
        '? >p',
        'abcd',
        '? >t',
        'efgh',
        '? >x',
        'ijkl',
        'mnop',
        'qrst',
        'uvwx',
        'yz',
      ]);
    });

    it.each([
      [1, ['? ', '? >d', 'abcd', '? >h', 'efgh', '? >l', 'ijkl', '? >p', 'mnop', '? >t', 'qrst', '? >x', 'uvwx', 'yz']],
      [3, ['? ', '? >d', '? >h', '? >l', 'abcd', '? >p', 'efgh', '? >t', 'ijkl', '? >x', 'mnop', 'qrst', 'uvwx', 'yz']],
    ])('is %i at most where it may not be more, beside the one that is given', async (mostAhead, expected) => {
      expect((await list(ENDS, { mostAhead, turns: () => 5 })).steps).toEqual(expected);
    });
  });

  it('asks a lane of many pages for no more of them than it may', async () => {
    const boundaries = [
      ['d', 'e'],
      ['t', 'u'],
    ] as const;
    const { steps } = await list(boundaries, { mostAhead: 2, turns: () => 5 });
    expect(steps.slice(0, 8)).toEqual(['? ', '? >d', '? >t', 'abcd', '? i', 'efgh', '? m', 'ijkl']);
  });

  describe('goes on with a lane', () => {
    it('in the middle of its page, from the first key that both have', async () => {
      const { asked, given } = await list([['b'], ['f'], ['n']]);
      expect(given).toEqual(['ab', 'cdef', 'ghij', 'klmn', 'opqr', 'stuv', 'wxyz']);
      expect(asked.filter((name) => name.startsWith('>'))).toEqual(['>b', '>f', '>n']);
      expect(asked).toHaveLength(9);
    });

    it('the last one that a page reaches into, and leaves out those before it', async () => {
      const { asked, given, cannotSeek } = await list([['a'], ['b'], ['n']]);
      expect(asked.slice(0, 3)).toEqual(['', '>a', '>b']);
      expect(given).toEqual(['ab', 'cdef', 'ghij', 'klmn', 'opqr', 'stuv', 'wxyz']);
      expect(cannotSeek).toBe(false);
    });

    it('from its first name on, where a key that is no name comes first', async () => {
      const { given } = await list([['b']], { keys: ['a', 'b', 'c%FF', 'd', 'e', 'f'] });
      expect(given).toEqual(['ab?', 'def']);
    });
  });

  describe('goes on by itself', () => {
    it.each<[string, (readonly [string, string?])[], readonly string[]]>([
      ['where it is not known what came after the boundary', [['d'], ['h', 'i']], KEYS],
      [
        'where something else came after it',
        [
          ['d', 'f'],
          ['h', 'i'],
        ],
        KEYS,
      ],
      [
        'where that key is gone',
        [
          ['d', 'e'],
          ['h', 'i'],
        ],
        KEYS.filter((key) => key !== 'e'),
      ],
    ])('%s, until its pages reach into a lane', async (_, boundaries, keys) => {
      const { asked, given, cannotSeek } = await list(boundaries, { keys });
      expect(given.join('')).toBe(keys.join(''));
      expect(given[0]).toBe('abcd');
      expect(asked.slice(0, 4)).toEqual(['', '>d', '>h', keys[4]]);
      expect(asked).toHaveLength(8);
      expect(cannotSeek).toBe(false);
    });

    it('and does not wait for a lane that it cannot be joined to', async () => {
      const { given, cameAfter } = await list([['d'], ['h', 'i']], { turns: (nth) => (nth === 2 ? 20 : 0) });
      expect(given).toEqual(PAGES);
      expect(cameAfter['>d']).toBe(1);
    });

    it('where a page holds no name', async () => {
      const keys = ['a%FF', 'b%FF', 'c', 'd', 'e', 'f'];
      const { given } = await list([['b'], ['d', 'e']], { keys, pageKeys: 2 });
      expect(given.join('')).toBe('??cdef');
    });

    it('where a lane does not fit, past all boundaries that it has overtaken', async () => {
      const instead = beginningAt('w', (after) => after === 'b');
      const { asked, given } = await list([['b'], ['c'], ['d'], ['h', 'i']], { mostAhead: 1, instead });
      expect(asked.slice(0, 4)).toEqual(['', '>b', 'e', '>h']);
      expect(given).toEqual(PAGES);
    });

    it('where another lane shows that the store cannot be believed, while it waits for the next', async () => {
      const instead = beginningAt('a', (after) => after === 'f');
      const { given, cannotSeek } = await list([['b'], ['f']], { instead, turns: (nth) => (nth === 2 ? 20 : 0) });
      expect([given, cannotSeek]).toEqual([PAGES, true]);
    });

    it('where four lanes do not fit, and asks for no other: the store cannot be believed', async () => {
      const boundaries = [['b'], ['f'], ['j'], ['n'], ['r'], ['v']] as const;
      const { asked, given, cannotSeek } = await list(boundaries, { instead: beginningAt('w') });
      expect([given, cannotSeek]).toEqual([PAGES, true]);
      expect(asked).toEqual(['', '>b', '>f', 'e', '>j', 'i', '>n', 'm', '>r', 'q', 'u', 'y']);
    });

    it('where three do not, and believes the next', async () => {
      const boundaries = [['b'], ['f'], ['j'], ['m', 'n'], ['r'], ['v']] as const;
      const instead = beginningAt('w', (after) => 'bfj'.includes(after));
      const { given, cannotSeek } = await list(boundaries, { instead });
      expect(given).toEqual(['abcd', 'efgh', 'ijkl', 'm', 'nopq', 'r', 'stuv', 'wxyz']);
      expect(cannotSeek).toBe(false);
    });

    it('as soon as a lane begins before its boundary', async () => {
      const { asked, given, cannotSeek } = await list([['b'], ['f'], ['j']], { instead: beginningAt('a') });
      expect(asked).toEqual(['', '>b', ...SERIAL.slice(1)]);
      expect([given, cannotSeek]).toEqual([PAGES, true]);
    });

    it.each<[string, Error, boolean]>([
      ['refuses', new S3ConnectionError('ERR_S3_REFUSED', 'no'), true],
      ['is busy', new S3ConnectionError('ERR_S3_UNAVAILABLE', 'later', { retryable: true }), false],
      ['breaks off', new Error('the connection broke'), false],
    ])('when the store %s, which says that it cannot begin there: %#', async (_, error, cannotSeek) => {
      const second = await list(ENDS, { instead: failingAt(2, error) });
      expect(second.asked).toEqual(['', '>d', ...SERIAL.slice(1)]);
      expect([second.given, second.cannotSeek]).toEqual([PAGES, cannotSeek]);
      const last = await list(ENDS, { instead: failingAt(7, error) });
      expect(last.asked).toEqual(['', '>d', '>h', '>l', '>p', '>t', '>x', 'y']);
      expect([last.given, last.cannotSeek]).toEqual([PAGES, cannotSeek]);
    });
  });

  it.each([
    ['a page that contradicts itself', new HaltError('ERR_S3_LISTING', 'contradiction')],
    ['the caller who stops', new DOMException('stopped', 'AbortError')],
  ])('fails in a lane ahead with %s', async (_, error) => {
    await expect(list(ENDS, { instead: failingAt(2, error) })).rejects.toBe(error);
  });

  it('fails with what happens to the pages that are needed', async () => {
    const error = new S3ConnectionError('ERR_S3_UNAVAILABLE', 'later', { retryable: true });
    await expect(list(ENDS, { instead: failingAt(1, error) })).rejects.toBe(error);
  });
});
