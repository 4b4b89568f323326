import { describe, expect, it } from 'vitest';
import { ListingMark } from './listing-mark.js';
import type { CheckedPage } from './listing-page.js';
import type { PageDigest } from './page-digest.js';

const pageOf = (nextToken: string | undefined): CheckedPage => ({
  objects: [],
  keys: [],
  lastKey: undefined,
  nextToken,
});
const digestOf = (objects: string): PageDigest => ({ objects, isTruncated: false, urlEncoded: true });

/** A mark of pages, and what was asked for to compare it. */
function markOf(pages: readonly (readonly [after: string | undefined, digest: string | undefined, next?: string])[]) {
  const asked: (string | undefined)[] = [];
  const mark = new ListingMark(async (after) => {
    asked.push(after);
    return digestOf(`after ${after}`);
  }, 2);
  for (const [after, digest, next] of pages) {
    const page = pageOf(next);
    mark.fetched(page, after, digest === undefined ? undefined : digestOf(digest));
    mark.took(page);
  }
  return { mark, asked };
}

describe('ListingMark', () => {
  it('holds where each page is as it was', async () => {
    const { mark, asked } = markOf([
      [undefined, 'after undefined', '1'],
      ['a', 'after a', '2'],
      ['b', 'after b'],
    ]);
    expect([mark.isWhole, await mark.holds(), asked]).toEqual([true, true, [undefined, 'a', 'b']]);
  });

  it('does not hold where one is another, and asks for no more then', async () => {
    const pages = ['a', 'b', 'c', 'd', 'e', 'f'].map((key) => [key, `after ${key}`, '1'] as const);
    const { mark, asked } = markOf([[undefined, 'other', '1'], ...pages, ['g', 'after g']]);
    expect([mark.isWhole, await mark.holds()]).toEqual([true, false]);
    expect(asked.length).toBeLessThan(4);
  });

  it.each([
    ['the last page says that there is more', [[undefined, 'x', '1']]],
    ['nothing was listed', []],
    [
      'a page has no digest',
      [
        [undefined, undefined, '1'],
        ['a', 'after a'],
      ],
    ],
    [
      'a page comes after a key that cannot be sent',
      [
        [undefined, 'x', '1'],
        ['a\u0001', 'y'],
      ],
    ],
  ] as const)('is not whole where %s', async (_what, pages) => {
    const { mark } = markOf(pages);
    expect([mark.isWhole, await mark.holds()]).toEqual([false, false]);
  });
});
