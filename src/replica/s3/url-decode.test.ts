import { describe, expect, it } from 'vitest';
import { decodeListedKey } from './url-decode.js';

describe('decodeListedKey', () => {
  it.each([
    ['a plain key', 'notes/today.md', 'notes/today.md'],
    ['a space that is written as a plus', 'two+words+here', 'two words here'],
    ['a space that is escaped', 'two%20words', 'two words'],
    ['a plus that is escaped', 'a%2Bb', 'a+b'],
    ['a per cent sign that is escaped', '100%25+sure', '100% sure'],
    ['several bytes of UTF-8', '%C3%A9%F0%9F%98%80', 'é\u{1F600}'],
    ['what looks like an escape once decoded', '%2541', '%41'],
    ['letters that are not escaped, beside one that is', 'ü+ü%C3%BC', 'ü üü'],
    ['nothing', '', ''],
  ])('decodes %s', (_, encoded, key) => {
    expect(decodeListedKey(encoded)).toBe(key);
  });

  it.each([
    ['a byte that is no UTF-8', 'a%FF'],
    ['half of a letter', '%C3'],
    ['an escape that is cut off', 'a%4'],
    ['a per cent sign alone', '100%'],
    ['half of a surrogate pair', '%ED%A0%80'],
  ])('has no name for %s', (_, encoded) => {
    expect(decodeListedKey(encoded)).toBeUndefined();
  });
});
