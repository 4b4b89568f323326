import { describe, expect, it } from 'vitest';
import { PathError } from '../../errors.js';
import { createKeyMap, keyWithoutName } from './s3-keys.js';

const root = createKeyMap('', 'linux');
const photos = createKeyMap('photos', 'linux');

/** What a call throws; a test that expects an error and meets none has to say so. */
function thrownBy(work: () => unknown): unknown {
  try {
    work();
  } catch (error) {
    return error;
  }
  throw new Error('nothing was thrown');
}

describe('createKeyMap', () => {
  it('gives the whole bucket no prefix, and keeps its own things under one name', () => {
    expect(root.prefix).toBe('');
    expect(root.reserved).toBe('.filecloudsync/');
    expect(root.keyOf('a/b.txt')).toBe('a/b.txt');
    expect(root.pathOf('a/b.txt', 5)).toEqual({ type: 'path', path: 'a/b.txt' });
  });

  it('takes a prefix without a slash for a folder, and does not add a second slash to one that has it', () => {
    expect(photos.prefix).toBe('photos/');
    expect(createKeyMap('photos/', 'linux').prefix).toBe('photos/');
    expect(photos.reserved).toBe('photos/.filecloudsync/');
  });

  it.each(['a', 'a/b.txt', 'é/\u{1F600}', 'photos/photos'])('brings %s to a key and back', (path) => {
    const key = photos.keyOf(path);
    expect(key).toBe(`photos/${path}`);
    expect(photos.pathOf(key, 1)).toEqual({ type: 'path', path });
  });

  it('names no key for a path that must not leave the folder, and says which path', () => {
    const error = thrownBy(() => photos.keyOf('../secrets'));
    expect(error).toBeInstanceOf(PathError);
    expect(error).toMatchObject({ code: 'ERR_KEY_DOT_SEGMENT', data: { path: '../secrets' } });
    expect(String(error)).toContain('"../secrets" has a segment "." or ".."');
  });

  it('counts the prefix into the 1024 bytes that a key may have', () => {
    const longest = 'é'.repeat(100).concat('/').repeat(5).slice(0, 500) + 'x';
    const bytes = Buffer.byteLength(longest);
    const prefix = (length: number): string =>
      `${'ü'.repeat(Math.floor((length - 1) / 2))}${length % 2 === 0 ? 'u' : ''}`;
    const fits = createKeyMap(prefix(1024 - bytes), 'linux');
    expect(Buffer.byteLength(fits.keyOf(longest))).toBe(1024);
    const tooLong = createKeyMap(`${prefix(1024 - bytes)}x`, 'linux');
    expect(thrownBy(() => tooLong.keyOf(longest))).toMatchObject({ code: 'ERR_KEY_TOO_LONG' });
    expect(tooLong.pathOf(`${tooLong.prefix}${longest}`, 1)).toMatchObject({
      type: 'problem',
      problem: { code: 'ERR_KEY_TOO_LONG' },
    });
  });

  it('calls its own objects ours, also such that no path could name', () => {
    expect(photos.pathOf('photos/.filecloudsync/probe-1', 4)).toEqual({ type: 'ours' });
    expect(photos.pathOf('photos/.filecloudsync//x', 4)).toEqual({ type: 'ours' });
  });

  it('does not call ours what only begins like it', () => {
    expect(photos.pathOf('photos/.filecloudsync-notes', 4)).toEqual({ type: 'path', path: '.filecloudsync-notes' });
    expect(photos.pathOf('photos/x/.filecloudsync/y', 4)).toEqual({ type: 'path', path: 'x/.filecloudsync/y' });
  });

  it('passes over the empty marker of the prefix itself', () => {
    expect(photos.pathOf('photos/', 0)).toEqual({ type: 'ours' });
  });

  it('names a marker of the prefix that holds something, by its key', () => {
    const mapped = photos.pathOf('photos/', 12);
    expect(mapped).toMatchObject({
      type: 'problem',
      problem: { path: 'photos/', side: 'remote', code: 'ERR_KEY_EMPTY', severity: 'error' },
    });
  });

  it('takes an empty folder marker of another program for a notice, and one with content for an error', () => {
    expect(photos.pathOf('photos/2026/', 0)).toMatchObject({
      type: 'problem',
      problem: { path: '2026/', side: 'remote', code: 'ERR_KEY_DIRECTORY_MARKER', severity: 'notice' },
    });
    expect(photos.pathOf('photos/2026/', 3)).toMatchObject({
      type: 'problem',
      problem: { path: '2026/', code: 'ERR_KEY_DIRECTORY_MARKER', severity: 'error' },
    });
  });

  it('takes any other empty object that has no path for an error', () => {
    expect(photos.pathOf('photos/a//b', 0)).toEqual({
      type: 'problem',
      problem: {
        path: 'a//b',
        side: 'remote',
        code: 'ERR_KEY_EMPTY_SEGMENT',
        message:
          '"a//b" has two slashes in a row. It is left alone; rename it where it stands to have it synchronised.',
        severity: 'error',
      },
    });
  });

  it('holds the names of the disk against the rules of that disk', () => {
    expect(createKeyMap('', 'win32').pathOf('a:b', 1)).toMatchObject({ problem: { code: 'ERR_NAME_CHARACTER' } });
    expect(root.pathOf('a:b', 1)).toEqual({ type: 'path', path: 'a:b' });
  });
});

describe('keyWithoutName', () => {
  it('names the key as it was encoded, and says what to do', () => {
    expect(keyWithoutName('bad%FFname')).toEqual({
      path: 'bad%FFname',
      side: 'remote',
      code: 'ERR_KEY_NOT_UNICODE',
      message:
        'The key "bad%FFname" (URL-encoded) is not valid UTF-8. It is left alone; rename it in the bucket to have it synchronised.',
      severity: 'error',
    });
  });
});
