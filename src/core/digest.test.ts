import { describe, expect, it } from 'vitest';
import { compareDigests, schemeOf } from './digest.js';

describe('schemeOf', () => {
  it.each([
    ['md5:d41d8cd98f00b204e9800998ecf8427e', { partSizeBytes: undefined }],
    ['md5-8388608:d41d8cd98f00b204e9800998ecf8427e-2', { partSizeBytes: 8_388_608 }],
    ['md5-5:x-1', { partSizeBytes: 5 }],
  ])('knows how %s was made', (digest, scheme) => {
    expect(schemeOf(digest)).toEqual(scheme);
  });

  it.each(['sha256:00', 'md5', 'md5-:x', 'md5-x:y', 'xmd5:00', ''])('does not know how %j was made', (digest) => {
    expect(schemeOf(digest)).toBeUndefined();
  });
});

describe('compareDigests', () => {
  it('tells the same content from another one, under one scheme', () => {
    expect(compareDigests('md5:1', 'md5:1')).toBe('same');
    expect(compareDigests('md5:1', 'md5:2')).toBe('different');
    expect(compareDigests('md5-5:1-2', 'md5-5:1-2')).toBe('same');
    expect(compareDigests('md5-5:1-2', 'md5-5:1-3')).toBe('different');
  });

  it.each([
    ['the schemes differ', 'md5:1', 'md5-5:1'],
    ['the part sizes differ', 'md5-5:1', 'md5-8:1'],
    ['the first is not known', undefined, 'md5:1'],
    ['the second is not known', 'md5:1', undefined],
    ['neither is known', undefined, undefined],
  ])('knows nothing where %s', (_, a, b) => {
    expect(compareDigests(a, b)).toBe('unknown');
  });
});
