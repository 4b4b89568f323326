import { describe, expect, it } from 'vitest';
import { createPathFilter } from './filter.js';

describe('createPathFilter', () => {
  it('takes everything but its own folder', () => {
    const filter = createPathFilter();
    expect(filter.includesFile('a/b')).toBe(true);
    expect(filter.mayContain('a')).toBe(true);
    expect(filter.includesFile('.filecloudsync/tmp/x')).toBe(false);
    expect(filter.mayContain('.filecloudsync')).toBe(false);
    expect(filter.includesFile('.filecloudsyncignore')).toBe(true);
  });

  it.each([
    [{ exclude: ['*.tmp'] }, 'a/b.tmp', false],
    [{ exclude: ['*.tmp'] }, 'a/b.TMP', true],
    [{ exclude: ['/build/'] }, 'build/x', false],
    [{ exclude: ['/build/'] }, 'sub/build/x', true],
    [{ exclude: ['*', '!keep.txt'] }, 'keep.txt', true],
    [{ include: ['*.txt'] }, 'a/b.txt', true],
    [{ include: ['*.txt'] }, 'a/b.md', false],
    [{ include: [] }, 'a', false],
    [{ include: ['docs/'] }, 'docs/a/b', true],
    [{ include: ['*.txt'], exclude: ['secret.txt'] }, 'x/secret.txt', false],
    [{ ignoreFile: '# note\r\n\r\nnode_modules/\r\n' }, 'a/node_modules/x', false],
    [{ ignoreFile: '*.log', exclude: ['!keep.log'] }, 'keep.log', true],
    [{ files: ['a/b'] }, 'a/b', true],
    [{ files: ['a/b'] }, 'a/c', false],
    [{ files: [] }, 'a/b', false],
  ] as const)('%j: %s takes part: %s', (options, path, expected) => {
    expect(createPathFilter(options).includesFile(path)).toBe(expected);
  });

  it('skips folders that are left out whole, and no others', () => {
    const filter = createPathFilter({ exclude: ['node_modules/'], include: ['*.ts'] });
    expect(filter.mayContain('a/node_modules')).toBe(false);
    expect(filter.mayContain('a/b')).toBe(true);
    const exact = createPathFilter({ files: ['a/b/c'] });
    expect(['a', 'a/b', 'a/b/c', 'x'].map((path) => exact.mayContain(path))).toEqual([true, true, false, false]);
  });

  it('gives the same answers after many paths', () => {
    const filter = createPathFilter({ exclude: ['*.tmp'] });
    for (let i = 0; i < 45_000; i++) {
      if (filter.includesFile(`d${i % 100}/f${i}.tmp`) || !filter.includesFile(`d/f${i}`)) throw new Error(`path ${i}`);
    }
    expect(filter.includesFile('x.tmp')).toBe(false);
  });

  it('refuses what is not a pattern', () => {
    expect(() => createPathFilter({ exclude: [7 as unknown as string] })).toThrow(
      expect.objectContaining({ code: 'ERR_PATTERN_INVALID' }),
    );
  });
});
