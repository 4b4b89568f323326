import { describe, expect, it } from 'vitest';
import { HaltError } from '../../errors.js';
import type { ListedPage } from './list-scanner.js';
import { checkOrder, checkPage } from './listing-page.js';

const page = (keys: readonly string[], more: Partial<ListedPage> = {}): ListedPage => ({
  objects: keys.map((key) => ({ key, sizeBytes: 1, etag: 'e', lastModified: '2026-01-01T00:00:00Z' })),
  isTruncated: false,
  nextToken: undefined,
  urlEncoded: false,
  keyCount: keys.length,
  ...more,
});
const distrusts = (work: () => unknown, what: string): void => {
  expect(work).toThrow(HaltError);
  expect(work).toThrow(
    expect.objectContaining({
      code: 'ERR_S3_LISTING',
      retryable: true,
      message: `The listing of the bucket cannot be trusted: ${what}. Nothing was changed; run again, and report it to the store's makers if it stays.`,
    }),
  );
};

describe('checkPage', () => {
  it('gives the keys in order, and the last of them', () => {
    const whole = page(['p/a', 'p/b']);
    expect(checkPage(whole, 'p/')).toEqual({
      objects: whole.objects,
      keys: ['p/a', 'p/b'],
      nextToken: undefined,
      lastKey: 'p/b',
    });
    expect(checkPage(page([]), '')).toMatchObject({ keys: [], lastKey: undefined });
  });

  it('decodes keys where the store says that they are encoded, and only there', () => {
    expect(checkPage(page(['a%20b'], { urlEncoded: true }), '').keys).toEqual(['a b']);
    expect(checkPage(page(['a%20b']), '').keys).toEqual(['a%20b']);
  });

  it('keeps the place of a key that is no name, and goes on', () => {
    expect(checkPage(page(['p/a', 'p/%FF', 'p/z', 'zz%FF'], { urlEncoded: true }), 'p/')).toMatchObject({
      keys: ['p/a', undefined, 'p/z', undefined],
      lastKey: 'p/z',
    });
  });

  it('knows where to go on only when the store says that there is more', () => {
    expect(checkPage(page(['a'], { isTruncated: true, nextToken: 't' }), '').nextToken).toBe('t');
    expect(checkPage(page(['a'], { isTruncated: false, nextToken: 't' }), '').nextToken).toBeUndefined();
  });

  it('does not trust more without a place to go on', () => {
    distrusts(() => checkPage(page(['a'], { isTruncated: true }), ''), 'a page says that there is more, but not where');
  });

  it('does not trust a page that holds fewer keys than it counts; more do no harm, and no count is none', () => {
    distrusts(() => checkPage(page(['a'], { keyCount: 2 }), ''), 'a page counts 2 keys and holds 1');
    expect(checkPage(page(['a'], { keyCount: 0 }), '').keys).toEqual(['a']);
    expect(checkPage(page(['a'], { keyCount: undefined }), '').keys).toEqual(['a']);
  });

  it('does not trust a key outside the prefix', () => {
    distrusts(() => checkPage(page(['p/a', 'q/b']), 'p/'), 'the key "q/b" lies outside the prefix "p/"');
  });

  it.each([
    ['out of order', ['b', 'a'], 'the key "a" comes after "b", which is not the order of their bytes'],
    ['that come twice', ['a', 'a'], 'the key "a" comes after "a", which is not the order of their bytes'],
  ])('does not trust keys %s', (_, keys, what) => {
    distrusts(() => checkPage(page(keys), ''), what);
  });
});

describe('checkOrder', () => {
  it('lets anything be the first, and wants the order of bytes after it', () => {
    expect(() => checkOrder(undefined, 'a')).not.toThrow();
    expect(() => checkOrder('\uFF61', '\u{1F600}')).not.toThrow();
    distrusts(
      () => checkOrder('\u{1F600}', '\uFF61'),
      'the key "\uFF61" comes after "\u{1F600}", which is not the order of their bytes',
    );
  });
});
