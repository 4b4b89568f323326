import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compareByteOrder } from './byte-order.js';

describe('compareByteOrder', () => {
  it('orders as the bytes of UTF-8 do, where units of UTF-16 would not', () => {
    expect('\u{1F600}' < '\uFF61').toBe(true);
    expect(compareByteOrder('\u{1F600}', '\uFF61')).toBeGreaterThan(0);
  });

  it('agrees with Buffer.compare for any two strings', () => {
    const unit = fc.constantFrom(
      'a',
      '/',
      '!',
      '\u00E9',
      '\uD7FF',
      '\uE000',
      '\uFF61',
      '\uFFFF',
      '\u{10000}',
      '\u{1F600}',
      '\u{10FFFF}',
    );
    const text = fc.oneof(fc.string({ unit, maxLength: 6 }), fc.string({ unit: 'binary', maxLength: 6 }));
    fc.assert(
      fc.property(text, text, (a, b) => {
        expect(Math.sign(compareByteOrder(a, b))).toBe(Buffer.compare(Buffer.from(a), Buffer.from(b)));
      }),
      { numRuns: 20_000 },
    );
  });
});
