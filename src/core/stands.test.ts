import { describe, expect, it } from 'vitest';
import type { Action, Decision } from './decision.js';
import type { Entry, FileEntry } from './entry.js';
import { KindWalk, stands } from './kinds.js';
import { reconcile } from './reconcile.js';

const file = (path: string): FileEntry => ({
  kind: 'file',
  path,
  sizeBytes: 1,
  fingerprint: 'f',
  modifiedMs: 1,
  modifiedSource: 'mtime',
});
const decision = (
  action: Action,
  has: { local?: boolean; remote?: boolean },
  more: Partial<Decision> = {},
): Decision => ({
  path: 'x',
  rule: 'R01',
  action,
  local: has.local === true ? file('x') : null,
  remote: has.remote === true ? file('x') : null,
  baseline: undefined,
  ...more,
});

describe('stands', () => {
  it.each<[Action, boolean, boolean, boolean, boolean]>([
    // What is there before: here, there. What is there afterwards: here, there.
    ['upload', true, false, true, true],
    ['download', false, true, true, true],
    ['compare', true, true, true, true],
    ['delete-local', true, false, false, false],
    ['delete-remote', false, true, false, false],
    ['nothing', true, true, true, true],
    ['nothing', false, false, false, false],
    ['forget', false, false, false, false],
    ['forget', true, false, true, false],
    ['hold', true, false, true, false],
    ['hold', false, true, false, true],
  ])('after %s of a file that is here: %s, there: %s', (action, local, remote, here, there) => {
    expect(stands(decision(action, { local, remote }), 'local')).toBe(here);
    expect(stands(decision(action, { local, remote }), 'remote')).toBe(there);
  });

  it('is not so after a file was set aside on its side, and as before on the other', () => {
    const both = decision('set-aside', { local: true, remote: true }, { setAsideSide: 'local' });
    expect([stands(both, 'local'), stands(both, 'remote')]).toEqual([false, true]);
    const here = decision('set-aside', { local: true }, { setAsideSide: 'local' });
    expect([stands(here, 'local'), stands(here, 'remote')]).toEqual([false, false]);
  });
});

describe('KindWalk', () => {
  const walked = (...triples: readonly { path: string; local: Entry | null; remote: Entry | null }[]) => {
    const options = { readonly: false, kindConflicts: 'set-aside' } as const;
    const walk = new KindWalk(options);
    for (const each of triples) {
      const triple = { ...each, baseline: undefined };
      walk.enter(triple, reconcile(triple, options));
    }
    walk.end();
    return walk.take();
  };

  it('says which two objects a disk cannot both have, and names the one that is left alone', () => {
    const { problems } = walked(
      { path: 'x', local: null, remote: file('x') },
      { path: 'x/y', local: null, remote: file('x/y') },
    );
    expect(problems).toEqual([
      {
        path: 'x',
        side: 'remote',
        code: 'ERR_KIND_COLLISION',
        message:
          'The bucket has both "x" and "x/y", and a disk can only have one of them: "x" is left alone. Rename one of the two objects.',
        severity: 'error',
      },
    ]);
  });

  it('says what cannot be a file and a directory at once, once for each path', () => {
    const { problems, decisions } = walked(
      { path: 'x', local: file('x'), remote: null },
      { path: 'x/y', local: file('x/y'), remote: null },
      { path: 'x/z', local: file('x/z'), remote: null },
    );
    expect(decisions.map(({ path, rule, action, hold }) => [path, rule, action, hold])).toEqual(
      ['x/y', 'x/z', 'x'].map((path) => [path, 'R15', 'hold', 'kind-conflict']),
    );
    expect(problems.map(({ path }) => path).toSorted()).toEqual(['x', 'x/y', 'x/z']);
    expect(problems[0]).toEqual({
      path: 'x',
      side: 'local',
      code: 'ERR_KIND_CONFLICT',
      message:
        '"x" cannot be a file and a directory at once, which "x/y" asks for: both sides are left alone. Rename one of the two.',
      severity: 'error',
    });
  });

  it('lets an object come to where only a directory stands below: that holds nothing of anybody', () => {
    const { decisions } = walked(
      { path: 'x', local: null, remote: file('x') },
      { path: 'x/y', local: { kind: 'directory', path: 'x/y' }, remote: null },
    );
    expect(decisions.find(({ path }) => path === 'x')).toMatchObject({ rule: 'R12', action: 'download' });
  });

  it('gives what was decided once', () => {
    const walk = new KindWalk({ readonly: false, kindConflicts: 'set-aside' });
    const triple = { path: 'x', local: file('x'), remote: null, baseline: undefined };
    walk.enter(triple, reconcile(triple, { readonly: false }));
    expect(walk.take()).toEqual({ decisions: [], problems: [] });
    walk.end();
    expect(walk.take().decisions).toHaveLength(1);
    expect(walk.take()).toEqual({ decisions: [], problems: [] });
  });
});
