import { describe, expect, it } from 'vitest';
import { Cover } from './cover.js';
import type { Entry } from './entry.js';
import type { Side } from './side.js';

const file = (path: string): Entry => ({
  kind: 'file',
  path,
  sizeBytes: 1,
  fingerprint: 'f',
  modifiedMs: 1,
  modifiedSource: 'mtime',
});
const directory = (path: string): Entry => ({ kind: 'directory', path });
const symlink = (path: string): Entry => ({ kind: 'symlink', path });
const untracked = (path: string, subtree: boolean): Entry => ({ kind: 'untracked', path, reason: 'filter', subtree });
const problem = { path: 'x', side: 'local', code: 'ERR_X', message: 'cannot be read', severity: 'error' } as const;
const problematic = (path: string, subtree: boolean): Entry => ({ kind: 'problematic', path, problem, subtree });

/** What a side is believed to have at a path, after the walk has passed these entries. */
function believed(side: Side, entries: readonly Entry[], key: string): Entry | null {
  const cover = new Cover(side);
  for (const entry of entries) cover.enter(entry);
  return cover.inherited(key, key.replace(/\/$/, ''));
}

describe('Cover', () => {
  it('believes nothing of a path below nothing, a file or a directory', () => {
    for (const side of ['local', 'remote'] as const) {
      expect(believed(side, [], 'x/y')).toBeNull();
      expect(believed(side, [file('x')], 'x/y')).toBeNull();
      expect(believed(side, [directory('x')], 'x/y')).toBeNull();
    }
  });

  it('believes of what is below a link that it is ignored, and no more than that', () => {
    for (const side of ['local', 'remote'] as const)
      expect(believed(side, [symlink('x')], 'x/y')).toEqual({
        kind: 'untracked',
        path: 'x/y',
        reason: 'special',
        subtree: false,
      });
  });

  it('believes of what is below an ignored directory that it is ignored for the same reason', () => {
    for (const side of ['local', 'remote'] as const)
      expect(believed(side, [untracked('x', true)], 'x/y/z')).toEqual({
        kind: 'untracked',
        path: 'x/y/z',
        reason: 'filter',
        subtree: false,
      });
  });

  it('believes of what is below an unreadable directory that it is unreadable, with the problem of where that was met', () => {
    for (const side of ['local', 'remote'] as const)
      expect(believed(side, [problematic('x', true)], 'x/y')).toEqual({
        kind: 'problematic',
        path: 'x/y',
        problem,
        subtree: false,
      });
  });

  it('lets one object say nothing about the keys below it, and one ignored or unreadable file say all about what a disk has below', () => {
    expect(believed('remote', [untracked('x', false)], 'x/y')).toBeNull();
    expect(believed('remote', [problematic('x', false)], 'x/y')).toBeNull();
    expect(believed('local', [untracked('x', false)], 'x/y')).toMatchObject({ kind: 'untracked' });
    expect(believed('local', [problematic('x', false)], 'x/y')).toMatchObject({ kind: 'problematic' });
  });

  it('says nothing about a sibling whose name begins alike', () => {
    for (const key of ['x!', 'x-1', 'x.txt', 'xy', 'x0/y', 'x'])
      expect(believed('local', [problematic('x', true)], key), key).toBeNull();
  });

  it('still speaks after the walk has passed siblings that stand between x and x/', () => {
    const cover = new Cover('local');
    cover.enter(problematic('x', false));
    cover.enter(file('x!'));
    expect(cover.inherited('x-1', 'x-1')).toBeNull();
    cover.enter(symlink('x-2'));
    expect(cover.inherited('x-2/y', 'x-2/y')).toMatchObject({ kind: 'untracked' });
    expect(cover.inherited('x/y', 'x/y')).toMatchObject({ kind: 'problematic' });
  });

  it('lets the nearest above speak', () => {
    expect(believed('local', [problematic('x', false), symlink('x/y')], 'x/y/z')).toMatchObject({ kind: 'untracked' });
    expect(believed('local', [symlink('x'), problematic('x/y', true)], 'x/y/z')).toMatchObject({ kind: 'problematic' });
  });

  it('speaks for a whole directory below, too', () => {
    expect(believed('local', [problematic('x', true)], 'x/y/')).toMatchObject({ kind: 'problematic', path: 'x/y' });
  });

  it('is silent once the walk has left', () => {
    const cover = new Cover('local');
    cover.enter(problematic('x', true));
    expect(cover.inherited('y', 'y')).toBeNull();
    cover.enter(problematic('y', true));
    expect(cover.inherited('y/z', 'y/z')).toMatchObject({ kind: 'problematic' });
  });
});
