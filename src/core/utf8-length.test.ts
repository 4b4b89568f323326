import { describe, expect, it } from 'vitest';
import { utf8Length } from './utf8-length.js';

describe('utf8Length', () => {
  it.each([
    ['nothing', ''],
    ['the last of one byte', '\u007F'],
    ['the first of two bytes', '\u0080'],
    ['the last of two bytes', '\u07FF'],
    ['the first of three bytes', '\u0800'],
    ['the last before the surrogates', '\uD7FF'],
    ['the first after the surrogates', '\uE000'],
    ['the last of three bytes', '\uFFFF'],
    ['the first of four bytes', '\u{10000}'],
    ['the last of four bytes', '\u{10FFFF}'],
    ['a pair between letters', 'a\u{1F600}b'],
    ['two pairs in a row', '\u{10000}\u{10FFFF}'],
    ['half of a pair, the first', '\uD800'],
    ['half of a pair, the last of the first halves', '\uDBFF!'],
    ['half of a pair, the second', '\uDC00'],
    ['half of a pair, the last of the second halves', '\uDFFF'],
    ['the halves the wrong way round', '\uDC00\uD800'],
    ['a letter of three bytes before a second half', '\u0800\uDC00'],
    ['the last of three bytes before a second half', '\uFFFF\uDC00'],
    ['two second halves', '\uDC00\uDC00'],
    ['two first halves', '\uD800\uD800'],
    ['a first half before a letter of three bytes', '\uD800\uE000'],
    ['a first half before one that is no second half', '\uDBFF\uDBFF'],
    ['all of them', 'a\u0080\u0800\u{10000}\uD800a'],
  ])('counts %s as the encoder does', (_, text) => {
    expect(utf8Length(text)).toBe(new TextEncoder().encode(text).length);
  });
});
