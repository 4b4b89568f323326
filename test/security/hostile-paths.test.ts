import { describe, expect, it } from 'vitest';
import { conflictName, problemOfPath, showPath } from '../../src/core/path.js';
import { readHostileKeys, RULES } from './hostile-keys.js';

const corpus = readHostileKeys();

describe('the corpus of hostile keys', () => {
  it('has at least 600 different keys, and one for each reason there is', () => {
    expect(new Set(corpus.map(({ key }) => key)).size).toBe(corpus.length);
    expect(corpus.length).toBeGreaterThanOrEqual(600);
    const codes = new Set(corpus.flatMap(({ expected }) => Object.values(expected)));
    expect([...codes].toSorted()).toEqual([
      'ERR_KEY_DIRECTORY_MARKER',
      'ERR_KEY_DOT_SEGMENT',
      'ERR_KEY_EMPTY',
      'ERR_KEY_EMPTY_SEGMENT',
      'ERR_KEY_LEADING_SLASH',
      'ERR_KEY_NOT_UNICODE',
      'ERR_KEY_NUL',
      'ERR_KEY_RESERVED',
      'ERR_KEY_TOO_LONG',
      'ERR_NAME_CHARACTER',
      'ERR_NAME_CONTROL',
      'ERR_NAME_DEVICE',
      'ERR_NAME_TOO_LONG',
      'ERR_NAME_TRAILING',
      'fine',
    ]);
  });

  it.each(RULES)('is told apart by the rules of %s', (rules) => {
    const found = corpus.map(({ key, why }) => `${showPath(key)} ${why}: ${problemOfPath(key, rules)?.code ?? 'fine'}`);
    expect(found).toEqual(corpus.map(({ key, why, expected }) => `${showPath(key)} ${why}: ${expected[rules]}`));
  });

  it.each(RULES)('gives conflict names that %s takes, beside the file', (rules) => {
    for (const { key, expected } of corpus) {
      if (expected[rules] !== 'fine') continue;
      const name = conflictName(key, { machine: '../..\\NUL\u202e', timeMs: 0, id: 'x7f3', rules });
      expect(problemOfPath(name, rules), showPath(key)).toBeUndefined();
      expect(name).not.toBe(key);
    }
  });

  it('is shown in one line that no terminal obeys', () => {
    for (const { key } of corpus) expect(showPath(key)).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
  });
});
