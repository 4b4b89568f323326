import { describe, expect, it } from 'vitest';
import { writeCondition } from './write-condition.js';

const entry = {
  kind: 'file',
  path: 'a',
  sizeBytes: 3,
  fingerprint: 'abc:3',
  modifiedMs: 1,
  modifiedSource: 'server',
} as const;
const expected = { fingerprint: entry.fingerprint, entry };

describe('writeCondition', () => {
  it('asks that nothing stands there, where nothing was seen', () => {
    expect(writeCondition(null, true, 'none', false)).toEqual({ headers: { 'if-none-match': '*' }, trusted: true });
  });

  it('may ask so where the store is not known to honour it, and trusts nothing then', () => {
    expect(writeCondition(null, false, 'quoted', true)).toEqual({ headers: { 'if-none-match': '*' }, trusted: false });
    expect(writeCondition(null, false, 'quoted', false)).toEqual({ headers: {}, trusted: false });
  });

  it('names the version that was seen, in the form that the store honours', () => {
    expect(writeCondition(expected, false, 'quoted', false)).toEqual({
      headers: { 'if-match': '"abc"' },
      trusted: true,
    });
    expect(writeCondition(expected, false, 'bare', false)).toEqual({ headers: { 'if-match': 'abc' }, trusted: true });
  });

  it('names no version to a store that would ignore it', () => {
    expect(writeCondition(expected, true, 'none', true)).toEqual({ headers: {}, trusted: false });
  });
});
