import { describe, expect, it } from 'vitest';
import { fileStat as file } from '../../../test/local/file-stat.js';
import { PathError } from '../../errors.js';
import { fileEntryOf } from './fingerprint.js';
import { whyStale } from './standing.js';

const entry = fileEntryOf('a/f', file, 1e9);
const expected = { fingerprint: entry.fingerprint, entry };

describe('whyStale', () => {
  it('has no objection where nothing stands and nothing was expected', () => {
    expect(whyStale('a/f', null, null)).toBeUndefined();
  });

  it.each(['file', 'symlink', 'other'] as const)('objects to a %s where nothing was expected', (type) => {
    expect(whyStale('a/f', { ...file, type }, null)).toBe('"a/f" was expected to be free, but something stands there.');
  });

  it('takes a directory where a file is to be put for a problem, which no second look solves', () => {
    let thrown: unknown;
    try {
      whyStale('a/f', { ...file, type: 'directory' }, null);
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toBeInstanceOf(PathError);
    expect(thrown).toMatchObject({
      code: 'ERR_DIRECTORY_IN_THE_WAY',
      message: 'A folder stands at "a/f", where a file is to be put. Rename the folder, or the file on the other side.',
      data: { path: 'a/f' },
    });
  });

  it('has no objection to the very version that was expected, whatever its rights', () => {
    expect(whyStale('a/f', file, expected)).toBeUndefined();
    expect(whyStale('a/f', { ...file, mode: 0o600, device: 9n }, expected)).toBeUndefined();
  });

  it('says when it is gone', () => {
    expect(whyStale('a/f', null, expected)).toBe('"a/f" is gone.');
  });

  it.each(['directory', 'symlink', 'other'] as const)('says when it is a %s now, of the same numbers', (type) => {
    expect(whyStale('a/f', { ...file, type }, expected)).toBe('"a/f" is no longer a file.');
  });

  it.each([
    ['its size', { sizeBytes: 4 }],
    ['its time', { mtimeNs: 5n }],
    ['only the time of its last change of any kind', { ctimeNs: 5n }],
    ['only its inode', { inode: 5n }],
  ])('says when %s is another', (_, change) => {
    expect(whyStale('a/f', { ...file, ...change }, expected)).toBe('"a/f" was changed.');
  });
});
