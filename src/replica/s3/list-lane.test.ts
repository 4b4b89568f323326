import { describe, expect, it } from 'vitest';
import { firstName, ListLane, type PageStart } from './list-lane.js';
import { checkPage, type CheckedPage } from './listing-page.js';

const pageOf = (keys: readonly string[], nextToken?: string): CheckedPage =>
  checkPage(
    {
      objects: keys.map((key) => ({ key, sizeBytes: 1, etag: 'e', lastModified: '2026-01-01T00:00:00Z' })),
      isTruncated: nextToken !== undefined,
      nextToken,
      urlEncoded: true,
      keyCount: undefined,
    },
    '',
  );

/** A lane of a store that gives these pages, in turn. */
function laneOf(
  pages: readonly (CheckedPage | Error)[],
  place: { readonly after?: string; readonly until?: string } = {},
) {
  const asked: PageStart[] = [];
  let arrivals = 0;
  const lane = new ListLane(
    { after: place.after, expected: undefined, until: place.until },
    {
      fetch: async (start) => {
        const page = pages[asked.length];
        asked.push(start);
        if (page === undefined) throw new Error('asked for more than there is');
        if (page instanceof Error) throw page;
        return page;
      },
      onArrival: () => void arrivals++,
    },
  );
  const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
  return { lane, asked, arrivals: () => arrivals, settle };
}

describe('ListLane', () => {
  it('begins where it is told to, and goes on by the tokens of the store', async () => {
    const { lane, asked, arrivals } = laneOf([pageOf(['b'], '1'), pageOf(['c'], '2'), pageOf(['d'])], { after: 'a' });
    expect((await lane.take())?.lastKey).toBe('b');
    expect((await lane.take())?.lastKey).toBe('c');
    expect((await lane.take())?.lastKey).toBe('d');
    expect(await lane.take()).toBeUndefined();
    expect(asked).toEqual([
      { startAfter: 'a', token: undefined },
      { startAfter: undefined, token: '1' },
      { startAfter: undefined, token: '2' },
    ]);
    expect(arrivals()).toBe(3);
  });

  it('shows the next page without taking it', async () => {
    const { lane, asked } = laneOf([pageOf(['a'])]);
    expect((await lane.peek())?.lastKey).toBe('a');
    expect((await lane.peek())?.lastKey).toBe('a');
    expect((await lane.take())?.lastKey).toBe('a');
    expect(await lane.peek()).toBeUndefined();
    expect(asked).toHaveLength(1);
  });

  it('counts what it holds: pages that are here or under way', async () => {
    const { lane, asked, settle } = laneOf([pageOf(['a'], '1'), pageOf(['b'])]);
    expect([lane.held, lane.isReady]).toEqual([0, false]);
    lane.request();
    lane.request();
    expect([lane.held, lane.isReady, asked.length]).toEqual([1, false, 1]);
    await settle();
    expect([lane.held, lane.isReady]).toEqual([1, true]);
    lane.request();
    expect(lane.held).toBe(2);
    await settle();
    // It has ended.
    lane.request();
    expect([lane.held, asked.length]).toEqual([2, 2]);
  });

  it('wants one page ahead where it has no end', async () => {
    const { lane, settle } = laneOf([pageOf(['a'], '1'), pageOf(['b'])]);
    expect(lane.wantsMore).toBe(true);
    lane.request();
    expect(lane.wantsMore).toBe(false);
    await settle();
    expect(lane.wantsMore).toBe(false);
    await lane.take();
    expect(lane.wantsMore).toBe(true);
    await lane.take();
    expect([lane.wantsMore, lane.isReady]).toEqual([false, true]);
  });

  it('wants all pages up to where the next lane begins', async () => {
    const { lane, settle } = laneOf([pageOf(['a'], '1'), pageOf(['c'], '2')], { until: 'c' });
    expect(lane.wantsMore).toBe(true);
    lane.request();
    await settle();
    expect(lane.wantsMore).toBe(true);
    lane.request();
    expect(lane.wantsMore).toBe(false);
    await settle();
    expect(lane.wantsMore).toBe(false);
  });

  it('throws what fetching threw, each time, and asks for nothing more', async () => {
    const { lane, asked, arrivals, settle } = laneOf([new Error('refused')]);
    expect(lane.hasFailed).toBe(false);
    lane.request();
    await settle();
    expect([lane.hasFailed, lane.isReady, lane.wantsMore, lane.held, arrivals()]).toEqual([true, true, false, 0, 1]);
    lane.request();
    await expect(lane.take()).rejects.toThrow('refused');
    await expect(lane.peek()).rejects.toThrow('refused');
    expect(asked).toHaveLength(1);
  });

  it('gives the pages that came before a failure', async () => {
    const { lane, settle } = laneOf([pageOf(['a'], '1'), new Error('refused')]);
    lane.request();
    await settle();
    lane.request();
    await settle();
    expect((await lane.take())?.lastKey).toBe('a');
    await expect(lane.take()).rejects.toThrow('refused');
  });

  it.each([
    ['the key itself', ['m'], true],
    ['a key before it', ['l', 'z'], true],
    ['the key after it', ['n'], false],
    ['a key that is no name, and then one after it', ['a%FF', 'n'], false],
  ])('sees that a store began at %s', async (_, keys, isMisplaced) => {
    const { lane } = laneOf([pageOf(keys)], { after: 'm' });
    expect(lane.isMisplaced).toBe(false);
    await lane.peek();
    expect(lane.isMisplaced).toBe(isMisplaced);
  });

  it('cannot be misplaced at the beginning', async () => {
    const { lane } = laneOf([pageOf(['a'])]);
    await lane.peek();
    expect(lane.isMisplaced).toBe(false);
  });

  it('passes over a hundred pages without a key in a row, and does not trust another', async () => {
    const empty = (count: number): CheckedPage[] => Array.from({ length: count }, (_, i) => pageOf([], `${i}`));
    const lazy = laneOf([...empty(100), pageOf(['a'], 'x'), ...empty(100), pageOf(['b'])]);
    expect((await lazy.lane.take())?.lastKey).toBe('a');
    expect((await lazy.lane.take())?.lastKey).toBe('b');
    const endless = laneOf([...empty(101), pageOf(['a'])]);
    await expect(endless.lane.take()).rejects.toMatchObject({
      code: 'ERR_S3_LISTING',
      message: expect.stringContaining('101 pages in a row held no key'),
    });
  });

  it('ends with a page without a key', async () => {
    const { lane } = laneOf([pageOf(['a'], '1'), pageOf([])], { until: 'b' });
    await lane.take();
    expect(await lane.take()).toBeUndefined();
    expect(lane.wantsMore).toBe(false);
  });

  it('does not trust a page that leads to itself', async () => {
    const { lane } = laneOf([pageOf(['a'], '1'), pageOf(['b'], '1')]);
    await lane.take();
    await expect(lane.take()).rejects.toMatchObject({
      code: 'ERR_S3_LISTING',
      message: expect.stringContaining('a page leads to itself'),
    });
  });

  it('remembers how far it is over a page without a name', async () => {
    const { lane, settle } = laneOf([pageOf(['c'], '1'), pageOf(['a%FF'], '2')], { until: 'b' });
    lane.request();
    await settle();
    lane.request();
    await settle();
    expect(lane.wantsMore).toBe(false);
  });
});

describe('firstName', () => {
  it('is the first key that is a name, and its place', () => {
    expect(firstName(pageOf(['a', 'b']))).toEqual({ key: 'a', index: 0 });
    expect(firstName(pageOf(['a%FF', 'b']))).toEqual({ key: 'b', index: 1 });
    expect(firstName(pageOf(['a%FF']))).toBeUndefined();
    expect(firstName(pageOf([]))).toBeUndefined();
    expect(firstName(undefined)).toBeUndefined();
  });
});
