import { describe, expect, it } from 'vitest';
import { displayPath, escapeText } from './escape-text.js';

const HARMFUL = /[\p{C}\p{Zl}\p{Zp}]/u;
/** Up to the letters and marks that turn the direction of a text. */
const CHARACTERS = Array.from({ length: 0x2100 }, (_, codePoint) => String.fromCodePoint(codePoint));

describe('text for a terminal', () => {
  it('is as it was but for characters that do harm, wherever they stand', () => {
    for (const character of CHARACTERS) {
      const shown = HARMFUL.test(character) ? `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}` : character;
      for (const [before, after] of [
        ['', ''],
        ['a', ''],
        ['', 'b'],
        ['a', 'b'],
        ['ä', 'b'],
      ] as const)
        expect(escapeText(before + character + after)).toBe(before + shown + after);
    }
  });
});

describe('a path for a terminal', () => {
  it.each([
    ['photos/2026 summer/a.jpg', 'photos/2026 summer/a.jpg'],
    ['[a](b)~', '[a](b)~'],
    ['a', 'a'],
    ['', '""'],
    [' ', '" "'],
    [' a', '" a"'],
    ['a ', '"a "'],
    ['\u00A0a', '"\u00A0a"'],
    ['a\\b', 'a\\\\b'],
    ['\\', '\\\\'],
    ['a\n', 'a\\u{a}'],
    ['a\\\n', 'a\\\\\\u{a}'],
    ['\u001B[2J', '\\u{1b}[2J'],
    ['grüße/a b', 'grüße/a b'],
  ])('%j stands without doubt', (path, shown) => expect(displayPath(path)).toBe(shown));
});
