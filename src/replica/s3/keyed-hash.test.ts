import { createHmac } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createKeyedHash } from './keyed-hash.js';

describe('createKeyedHash', () => {
  const reference = (key: Uint8Array, text: string): string => createHmac('sha256', key).update(text).digest('hex');

  it('makes what Node.js makes, of one text after another under one key', () => {
    const texts = fc.array(fc.oneof(fc.string(), fc.string({ unit: 'grapheme', maxLength: 400 })), { minLength: 1 });
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), texts, (key, all) => {
        const sign = createKeyedHash(key);
        for (const text of all) expect(sign(text)).toBe(reference(key, text));
      }),
    );
  });

  it.each([0, 1, 63, 64, 1364, 1365, 1366, 4095, 4096, 4097, 100_000])('takes a text of %i characters', (length) => {
    const key = new Uint8Array(32).fill(7);
    for (const character of ['a', 'é', '€', '\uD800'])
      expect(createKeyedHash(key)(character.repeat(length))).toBe(reference(key, character.repeat(length)));
  });

  it('refuses a key that would have to be hashed first', () => {
    expect(createKeyedHash(new Uint8Array(64))('x')).toBe(reference(new Uint8Array(64), 'x'));
    expect(() => createKeyedHash(new Uint8Array(65))).toThrow(RangeError);
  });
});
