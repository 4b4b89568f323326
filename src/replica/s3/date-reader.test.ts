import { describe, expect, it } from 'vitest';
import { createDateReader } from './date-reader.js';

describe('the dates of headers', () => {
  it.each([
    ['Sat, 28 Nov 2026 03:04:05 GMT', Date.UTC(2026, 10, 28, 3, 4, 5)],
    ['', NaN],
    ['yesterday', NaN],
    [undefined, NaN],
  ])('are read: %s', (header, expected) => expect(createDateReader()(header)).toBe(expected));

  it('are read again when they are others, in any order', () => {
    const read = createDateReader();
    const first = 'Sat, 28 Nov 2026 03:04:05 GMT';
    const second = 'Sat, 28 Nov 2026 03:04:06 GMT';
    const found = [first, first, second, undefined, second, 'nonsense', first].map(read);
    const at = Date.UTC(2026, 10, 28, 3, 4, 5);
    expect(found).toEqual([at, at, at + 1000, NaN, at + 1000, NaN, at]);
  });
});
