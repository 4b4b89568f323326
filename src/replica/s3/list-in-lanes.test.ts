import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compareByteOrder } from '../../core/byte-order.js';
import { HaltError, S3ConnectionError } from '../../errors.js';
import { BoundaryFinder, type Boundary } from './list-hints.js';
import { listInLanes } from './list-in-lanes.js';
import type { PageStart } from './list-lane.js';
import type { ListedObject } from './list-scanner.js';
import { checkPage, type CheckedPage } from './listing-page.js';

/** A store that lists these keys, and what it makes of a place to begin at. */
interface Store {
  readonly keys: readonly string[];
  readonly pageKeys: number;
  readonly prefix?: string;
  /** The index of the first key that is given; default: the first one that is greater. */
  readonly seek?: (keys: readonly string[], after: string) => number;
  /** How long the n-th answer takes, in turns of the event loop. */
  readonly delays?: readonly number[];
}

function firstAfter(keys: readonly string[], after: string): number {
  const index = keys.findIndex((key) => compareByteOrder(key, after) > 0);
  return index === -1 ? keys.length : index;
}

const objectOf = (key: string): ListedObject => ({
  key,
  sizeBytes: 1,
  etag: 'e',
  lastModified: '2026-01-01T00:00:00Z',
});

/** Lists a store in lanes; counts what was asked, and the most pages that were asked for and not yet used. */
async function list(store: Store, boundaries: readonly Boundary[], mostAhead = 32) {
  const { keys, pageKeys, prefix = '', seek = firstAfter, delays = [] } = store;
  const finder = new BoundaryFinder(prefix);
  const found: string[] = [];
  let requests = 0;
  let used = 0;
  let most = 0;
  const fetch = async ({ startAfter, token }: PageStart): Promise<CheckedPage> => {
    const turns = delays[requests % Math.max(1, delays.length)] ?? 0;
    requests++;
    for (let turn = 0; turn < turns; turn++) await new Promise((resolve) => setImmediate(resolve));
    const at = token !== undefined ? Number(token) : startAfter === undefined ? 0 : seek(keys, startAfter);
    const given = keys.slice(at, at + pageKeys);
    const isTruncated = at + pageKeys < keys.length;
    const page = checkPage(
      {
        objects: given.map(objectOf),
        isTruncated,
        nextToken: isTruncated ? String(at + pageKeys) : undefined,
        urlEncoded: false,
        keyCount: given.length,
      },
      prefix,
    );
    finder.sawPage(given.length);
    return page;
  };
  const runs = listInLanes({ fetch, boundaries, mostAhead });
  let step = await runs.next();
  for (; step.done !== true; step = await runs.next()) {
    used++;
    most = Math.max(most, requests - used);
    found.push(...(step.value.keys as string[]));
    finder.add(step.value.keys);
  }
  return { found, requests, most, boundaries: finder.boundaries, cannotSeek: step.value.cannotSeek };
}

/** Random cases of a test; a mutation run asks for them once for each break. */
const RUNS = process.env['FCS_MUTATION_TESTS'] === undefined ? 600 : 120;

const unit = fc.constantFrom(
  'a',
  'b',
  'B',
  '/',
  '!',
  '+',
  ' ',
  '%',
  '2',
  '0',
  '.',
  '~',
  '-',
  '\u0001',
  '\u007F',
  'é',
  'e\u0301',
  '\uD7FF',
  '\uE000',
  '\uFF61',
  '\uFFFF',
  '\u{10000}',
  '\u{1F600}',
  '\u{10FFFF}',
);
const name = fc.oneof(
  fc.string({ unit, minLength: 1, maxLength: 5 }),
  // Keys that differ in their last character, and folders full of them.
  fc
    .tuple(fc.constantFrom('x/0000', 'x/000/', 'same-beginning-', 'a', 'a/', 'a//'), fc.nat({ max: 40 }))
    .map((each) => each.join('')),
);
const prefixes = fc.constantFrom('', 'p/', 'p//', '日本/', 'a b/');
const names = fc.array(name, { maxLength: 60 });
const delays = fc.array(fc.nat({ max: 4 }), { maxLength: 8 });
const sorted = (found: readonly string[]): string[] => [...new Set(found)].toSorted(compareByteOrder);
const under = (prefix: string, found: readonly string[]): string[] => sorted(found).map((each) => prefix + each);
/** What anything else than a listing may have left behind; in order, as whoever reads it makes sure. */
const anyBoundaries = fc
  .array(fc.tuple(name, fc.option(name, { nil: undefined })), { maxLength: 30 })
  .map((found) =>
    [...new Map(found)]
      .toSorted(([a], [b]) => compareByteOrder(a, b))
      .map(([after, expected]): Boundary => ({ after, expected })),
  );

/** Ways to begin somewhere else than asked. */
const wrongSeeks: Record<string, NonNullable<Store['seek']>> = {
  'at the beginning': () => 0,
  'at the key itself': (keys, after) => Math.max(0, firstAfter(keys, after) - 1),
  'at the end': (keys) => keys.length,
  'reading + as a space': (keys, after) => firstAfter(keys, after.replaceAll('+', ' ')),
  'reading a space as +': (keys, after) => firstAfter(keys, after.replaceAll(' ', '+')),
  'decoding twice': (keys, after) => firstAfter(keys, after.replaceAll('%20', ' ')),
  'putting the prefix before it': (keys, after) => firstAfter(keys, `p/${after}`),
  'by the first characters': (keys, after) => firstAfter(keys, after.slice(0, 3)),
  'by the composed form': (keys, after) => firstAfter(keys, after.normalize('NFC')),
  'in the order of UTF-16': (keys, after) => keys.filter((key) => key <= after).length,
};

/** How many turns of the event loop something takes: time without the speed of the machine. */
async function turnsOf<T>(work: () => Promise<T>): Promise<readonly [turns: number, result: T]> {
  let turns = 0;
  let done = false;
  const counting = (async () => {
    for (; !done; turns++) await new Promise((resolve) => setImmediate(resolve));
  })();
  const result = await work();
  done = true;
  await counting;
  return [turns, result];
}

describe('listInLanes', () => {
  it('gives what a serial listing gives, whatever the boundaries and however the answers overtake each other', async () => {
    await fc.assert(
      fc.asyncProperty(
        names,
        anyBoundaries,
        prefixes,
        fc.integer({ min: 1, max: 7 }),
        delays,
        fc.integer({ min: 1, max: 32 }),
        async (some, found, prefix, pageKeys, turns, mostAhead) => {
          const keys = under(prefix, some);
          const boundaries = found.map(({ after, expected }) => ({
            after: prefix + after,
            expected: expected === undefined ? undefined : prefix + expected,
          }));
          const listed = await list({ keys, pageKeys, prefix, delays: turns }, boundaries, mostAhead);
          expect(listed.found).toEqual(keys);
        },
      ),
      { numRuns: RUNS },
    );
  });

  it('gives what a serial listing gives when keys came and went since the last one', async () => {
    await fc.assert(
      fc.asyncProperty(
        names,
        names,
        fc.array(fc.nat(), { maxLength: 20 }),
        prefixes,
        fc.integer({ min: 1, max: 7 }),
        delays,
        async (some, added, removed, prefix, pageKeys, turns) => {
          const before = under(prefix, some);
          const { boundaries } = await list({ keys: before, pageKeys, prefix }, []);
          const gone = new Set(removed.map((at) => before[at % Math.max(1, before.length)]));
          const keys = sorted([...before, ...under(prefix, added)]).filter((key) => !gone.has(key));
          const { found } = await list({ keys, pageKeys, prefix, delays: turns }, boundaries);
          expect(found).toEqual(keys);
        },
      ),
      { numRuns: RUNS },
    );
  });

  it.each(Object.entries(wrongSeeks))('loses nothing on a store that begins %s', async (_how, seek) => {
    await fc.assert(
      fc.asyncProperty(
        names,
        names,
        prefixes,
        fc.integer({ min: 2, max: 7 }),
        delays,
        async (some, added, prefix, pageKeys, turns) => {
          const before = under(prefix, some);
          const { boundaries } = await list({ keys: before, pageKeys, prefix }, []);
          const keys = sorted([...before, ...under(prefix, added)]);
          const { found } = await list({ keys, pageKeys, prefix, delays: turns, seek }, boundaries);
          expect(found).toEqual(keys);
        },
      ),
      { numRuns: RUNS / 4 },
    );
  });

  it('asks for as many pages as a serial listing when nothing has changed', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 0, max: 400 }),
        fc.integer({ min: 1, max: 20 }),
        delays,
        async (count, pageKeys, turns) => {
          const keys = Array.from(
            { length: count },
            (_, n) => `folder-${String(n >> 3).padStart(4, '0')}/file-${n % 8}`,
          );
          const first = await list({ keys, pageKeys }, []);
          const again = await list({ keys, pageKeys, delays: turns }, first.boundaries);
          expect(again.found).toEqual(keys);
          expect(again.requests).toBe(Math.max(1, Math.ceil(count / pageKeys)));
        },
      ),
      { numRuns: RUNS / 3 },
    );
  });

  it('asks for one page in a thousand more where keys could be misread', async () => {
    const keys = Array.from({ length: 20_000 }, (_, n) => `a file ${String(n).padStart(6, '0')}.txt`);
    const { boundaries } = await list({ keys, pageKeys: 1000 }, []);
    const { found, requests } = await list({ keys, pageKeys: 1000 }, boundaries);
    expect(found).toEqual(keys);
    expect(requests).toBe(Math.ceil((20_000 - 1) / 999));
  });

  it('has many pages under way, but no more than it may', async () => {
    const keys = Array.from({ length: 4000 }, (_, n) => `same-beginning-${String(n).padStart(6, '0')}`);
    const { boundaries } = await list({ keys, pageKeys: 10 }, []);
    const slow = { keys, pageKeys: 10, delays: [3] };
    const { most, requests } = await list(slow, boundaries, 16);
    expect(requests).toBe(400);
    expect(most).toBeGreaterThanOrEqual(15);
    expect(most).toBeLessThanOrEqual(17);
  });

  it('waits at most an eighth as long as page by page for 100 pages that take long', async () => {
    const keys = Array.from({ length: 1000 }, (_, n) => `same-beginning-${String(n).padStart(6, '0')}`);
    const slow = { keys, pageKeys: 10, delays: [30] };
    const [serial, first] = await turnsOf(() => list(slow, []));
    const [lanes, again] = await turnsOf(() => list(slow, first.boundaries));
    expect(again.found).toEqual(keys);
    expect(again.requests).toBe(100);
    expect(serial / lanes).toBeGreaterThanOrEqual(8);
  });

  it('has few pages under way when it never has to wait', async () => {
    const keys = Array.from({ length: 4000 }, (_, n) => `same-beginning-${String(n).padStart(6, '0')}`);
    const { boundaries } = await list({ keys, pageKeys: 10 }, []);
    const fetch = async ({ startAfter, token }: PageStart): Promise<CheckedPage> => {
      asked++;
      const at = token !== undefined ? Number(token) : startAfter === undefined ? 0 : firstAfter(keys, startAfter);
      return {
        objects: keys.slice(at, at + 10).map(objectOf),
        keys: keys.slice(at, at + 10),
        nextToken: at + 10 < keys.length ? String(at + 10) : undefined,
        lastKey: keys[Math.min(at + 9, keys.length - 1)],
      };
    };
    let asked = 0;
    let used = 0;
    let most = 0;
    for await (const _run of listInLanes({ fetch, boundaries, mostAhead: 32 })) {
      used++;
      most = Math.max(most, asked - used);
      // Who uses a page takes longer than the store.
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(used).toBe(400);
    expect(most).toBeLessThanOrEqual(4);
  });

  it('takes notice of a store that does not begin where it is asked to', async () => {
    const keys = Array.from({ length: 100 }, (_, n) => `same-beginning-${String(n).padStart(3, '0')}`);
    const { boundaries } = await list({ keys, pageKeys: 5 }, []);
    for (const how of ['at the beginning', 'at the key itself', 'at the end']) {
      const { found, cannotSeek, requests } = await list(
        { keys, pageKeys: 5, seek: wrongSeeks[how] ?? firstAfter },
        boundaries,
      );
      expect(found).toEqual(keys);
      expect(cannotSeek).toBe(true);
      expect(requests).toBeLessThanOrEqual(20 + 19);
    }
    const slow = { keys, pageKeys: 5, seek: wrongSeeks['at the beginning'] ?? firstAfter, delays: [4, 1, 1] };
    // The second answer says it, long before the first lane would have to fit.
    expect((await list(slow, boundaries)).requests).toBeLessThanOrEqual(20 + 3);
    expect((await list({ keys, pageKeys: 5 }, boundaries)).cannotSeek).toBe(false);
  });

  it('goes on without lanes when the store refuses to begin after a key', async () => {
    const keys = Array.from({ length: 100 }, (_, n) => `same-beginning-${String(n).padStart(3, '0')}`);
    const { boundaries } = await list({ keys, pageKeys: 5 }, []);
    const seek = (): number => {
      throw new S3ConnectionError('ERR_S3_REFUSED', 'not implemented');
    };
    const { found, cannotSeek } = await list({ keys, pageKeys: 5, seek }, boundaries);
    expect(found).toEqual(keys);
    expect(cannotSeek).toBe(true);
  });

  it('fails when the page of a lane contradicts itself', async () => {
    const keys = Array.from({ length: 100 }, (_, n) => `same-beginning-${String(n).padStart(3, '0')}`);
    const { boundaries } = await list({ keys, pageKeys: 5 }, []);
    const seek = (): number => {
      throw new HaltError('ERR_S3_LISTING', 'contradiction');
    };
    await expect(list({ keys, pageKeys: 5, seek }, boundaries)).rejects.toMatchObject({ code: 'ERR_S3_LISTING' });
  });

  it('asks for nothing more once a lane has failed', async () => {
    const keys = Array.from({ length: 4000 }, (_, n) => `same-beginning-${String(n).padStart(4, '0')}`);
    const { boundaries } = await list({ keys, pageKeys: 5 }, []);
    let asked = 0;
    const fetch = async ({ startAfter }: PageStart): Promise<CheckedPage> => {
      asked++;
      if (asked > 6) throw new DOMException('stopped', 'AbortError');
      await new Promise((resolve) => setImmediate(resolve));
      const at = startAfter === undefined ? 0 : firstAfter(keys, startAfter);
      const objects = keys.slice(at, at + 5).map(objectOf);
      return checkPage({ objects, isTruncated: true, nextToken: String(at + 5), urlEncoded: false, keyCount: 5 }, '');
    };
    const whole = (async () => {
      for await (const _run of listInLanes({ fetch, boundaries, mostAhead: 32 }));
    })();
    await expect(whole).rejects.toMatchObject({ name: 'AbortError' });
    expect(asked).toBeLessThanOrEqual(6 + 32);
  });

  it('asks for nothing more once it is left', async () => {
    const keys = Array.from({ length: 400 }, (_, n) => `same-beginning-${String(n).padStart(3, '0')}`);
    const { boundaries } = await list({ keys, pageKeys: 5 }, []);
    let asked = 0;
    const fetch = async ({ startAfter }: PageStart): Promise<CheckedPage> => {
      asked++;
      await new Promise((resolve) => setImmediate(resolve));
      if (asked > 6) throw new Error('aborted');
      const at = startAfter === undefined ? 0 : firstAfter(keys, startAfter);
      return checkPage(
        {
          objects: keys.slice(at, at + 5).map(objectOf),
          isTruncated: true,
          nextToken: String(at + 5),
          urlEncoded: false,
          keyCount: 5,
        },
        '',
      );
    };
    for await (const _run of listInLanes({ fetch, boundaries, mostAhead: 32 })) break;
    const before = asked;
    for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
    expect(asked).toBe(before);
  });
});
