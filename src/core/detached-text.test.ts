import { describe, expect, it } from 'vitest';
import { detachedText } from './detached-text.js';

describe('detachedText', () => {
  it.each(['', 'a/b', 'with "quotes", \\ and \n', 'é\u{1F600}\u0000\u2028', 'half a character: \uD800'])(
    'is the same text: %j',
    (text) => {
      expect(detachedText(`${text} and the rest of the page`.slice(0, text.length))).toBe(text);
    },
  );
});
