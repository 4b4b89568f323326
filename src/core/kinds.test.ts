import { describe, expect, it } from 'vitest';
import type { BaselineRow } from './baseline.js';
import { compareByteOrder } from './byte-order.js';
import type { Decision } from './decision.js';
import type { Entry } from './entry.js';
import type { KindOptions } from './kinds.js';
import { sortKey } from './merge-join.js';
import { makePlan } from './plan.js';
import type { Problem } from './problem.js';

/**
 * A state: path to three letters for baseline, local, remote.
 * `-` absent · `0` as recorded · `1` another version · `?` racy row · `u` ignored · `U` ignored directory · `s` link · `p`, `P` problematic.
 */
type State = Readonly<Record<string, string>>;

function entryOf(path: string, letter: string, side: 'local' | 'remote'): Entry | null {
  switch (letter) {
    case '-':
      return null;
    case '0':
    case '1':
      return {
        kind: 'file',
        path,
        sizeBytes: 1,
        fingerprint: `${side}${letter}`,
        modifiedMs: 1,
        modifiedSource: 'mtime',
      };
    case 'u':
    case 'U':
      return { kind: 'untracked', path, reason: 'filter', subtree: letter === 'U' };
    case 's':
      return { kind: 'symlink', path };
    case 'p':
    case 'P': {
      const problem: Problem = {
        path,
        side,
        code: 'ERR_FILE_UNREADABLE',
        message: 'cannot be read',
        severity: 'error',
      };
      return { kind: 'problematic', path, problem, subtree: letter === 'P' };
    }
    default:
      throw new Error(`no such letter: ${letter}`);
  }
}

function rowOf(path: string, letter: string): BaselineRow | null {
  if (letter === '-') return null;
  return {
    path,
    sizeBytes: 1,
    local: letter === '?' ? null : 'local0',
    remote: 'remote0',
    digest: undefined,
    recordedAtMs: 1,
  };
}

async function plan(
  state: State,
  options: Partial<KindOptions> = {},
): Promise<{ decisions: Decision[]; problems: Problem[] }> {
  const side = (index: 1 | 2, name: 'local' | 'remote'): Entry[] =>
    Object.entries(state)
      .flatMap(([path, letters]) => entryOf(path, letters[index] ?? '-', name) ?? [])
      .sort((a, b) => compareByteOrder(sortKey(a), sortKey(b)));
  const baseline = Object.entries(state)
    .flatMap(([path, letters]) => rowOf(path, letters[0] ?? '-') ?? [])
    .sort((a, b) => compareByteOrder(a.path, b.path));
  const stream = async function* <T>(items: readonly T[]): AsyncGenerator<readonly T[]> {
    yield items;
  };
  const streams = { local: stream(side(1, 'local')), remote: stream(side(2, 'remote')), baseline: stream(baseline) };
  const decisions: Decision[] = [];
  const problems: Problem[] = [];
  for await (const page of makePlan(streams, {
    readonly: false,
    kindConflicts: 'set-aside',
    pageSize: 2,
    ...options,
  })) {
    decisions.push(...page.decisions);
    problems.push(...page.problems);
  }
  return { decisions, problems };
}

const show = (d: Decision): string =>
  [d.rule, d.action, d.hold, d.setAsideSide, d.makesRoom === true ? 'first' : undefined]
    .filter((w) => w !== undefined)
    .join(' ');

async function shown(state: State, options?: Partial<KindOptions>): Promise<Record<string, string>> {
  const { decisions } = await plan(state, options);
  expect(new Set(decisions.map((d) => d.path)).size, 'one decision a path').toBe(decisions.length);
  return Object.fromEntries(decisions.map((d) => [d.path, show(d)]));
}

interface Row {
  readonly situation: string;
  readonly state: State;
  readonly expected: Readonly<Record<string, string>>;
  readonly options?: Partial<KindOptions>;
}

const CONFLICT = 'R15 hold kind-conflict';
const COLLISION = 'R15 hold kind-collision';

const rows: readonly Row[] = [
  {
    situation: 'the object was replaced by a directory, the file is as agreed',
    state: { x: '00-', 'x/y': '--1' },
    expected: { x: 'R15 delete-local first', 'x/y': 'R12 download' },
  },
  {
    situation: 'the file was replaced by a directory, the object is as agreed',
    state: { x: '0-0', 'x/y': '-1-' },
    expected: { x: 'R15 delete-remote first', 'x/y': 'R11 upload' },
  },
  {
    situation: 'the directory was replaced by a file here',
    state: { x: '-1-', 'x/y': '0-0', 'x/z/w': '0-0' },
    expected: { x: 'R11 upload', 'x/y': 'R15 delete-remote first', 'x/z/w': 'R15 delete-remote first' },
  },
  {
    situation: 'the directory was replaced by an object there',
    state: { x: '--1', 'x/y': '00-' },
    expected: { x: 'R12 download', 'x/y': 'R15 delete-local first' },
  },
  {
    situation: 'paths between x and x/ hide nothing',
    state: { x: '00-', 'x!': '000', 'x-1': '-1-', 'x/y': '--1', x0: '--1' },
    expected: {
      x: 'R15 delete-local first',
      'x!': 'R01 nothing',
      'x-1': 'R11 upload',
      'x/y': 'R12 download',
      x0: 'R12 download',
    },
  },
  {
    situation: 'a file here, a directory there, both new',
    state: { x: '-1-', 'x/y': '--1' },
    expected: { x: 'R15 set-aside local first', 'x/y': 'R12 download' },
  },
  {
    situation: 'an object there, a directory here, both new',
    state: { x: '--1', 'x/y': '-1-', 'x/z': '-1-' },
    expected: { x: 'R15 set-aside remote first', 'x/y': 'R11 upload', 'x/z': 'R11 upload' },
  },
  {
    situation: 'an edited file here, a directory in its place there',
    state: { x: '01-', 'x/y': '--1' },
    expected: { x: 'R15 set-aside local first', 'x/y': 'R12 download' },
  },
  {
    situation: 'a changed object there, a directory in its place here',
    state: { x: '0-1', 'x/y': '-1-' },
    expected: { x: 'R15 set-aside remote first', 'x/y': 'R11 upload' },
  },
  {
    situation: 'an object in place of a directory in which one file was edited',
    state: { x: '--1', 'x/y': '01-', 'x/z': '00-' },
    expected: { x: 'R15 set-aside remote first', 'x/y': 'R08 upload', 'x/z': 'R06 delete-local' },
  },
  {
    situation: 'a file in place of a directory in which one object was changed',
    state: { x: '-1-', 'x/y': '0-1', 'x/z': '0-0' },
    expected: { x: 'R15 set-aside local first', 'x/y': 'R09 download', 'x/z': 'R07 delete-remote' },
  },
  {
    situation: 'a person wants to decide, file here',
    options: { kindConflicts: 'hold' },
    state: { x: '-1-', 'x/y': '--1', 'x/z': '--1' },
    expected: { x: CONFLICT, 'x/y': CONFLICT, 'x/z': CONFLICT },
  },
  {
    situation: 'a person wants to decide, object there',
    options: { kindConflicts: 'hold' },
    state: { x: '--1', 'x/y': '-1-' },
    expected: { x: CONFLICT, 'x/y': CONFLICT },
  },
  {
    situation: 'what is no conflict is not held for a person',
    options: { kindConflicts: 'hold' },
    state: { x: '00-', 'x/y': '--1' },
    expected: { x: 'R15 delete-local first', 'x/y': 'R12 download' },
  },
  {
    situation: 'readonly: the new file here gives way to the directory there',
    options: { readonly: true },
    state: { x: '-1-', 'x/y': '--1' },
    expected: { x: 'R15 set-aside local first', 'x/y': 'R12 download' },
  },
  {
    situation: 'readonly: the object there cannot be set aside',
    options: { readonly: true },
    state: { x: '--1', 'x/y': '-1-' },
    expected: { x: CONFLICT, 'x/y': 'R11 hold readonly' },
  },
  {
    situation: 'readonly: the object was replaced by a directory',
    options: { readonly: true },
    state: { x: '00-', 'x/y': '--1' },
    expected: { x: 'R15 delete-local first', 'x/y': 'R12 download' },
  },
  {
    situation: 'readonly: a directory was replaced by a file here',
    options: { readonly: true },
    state: { x: '-1-', 'x/y': '0-0' },
    expected: { x: 'R11 hold readonly', 'x/y': 'R07 hold readonly' },
  },
  {
    situation: 'the bucket has both, the file is on the disk',
    state: { x: '000', 'x/y': '--1', 'x/z': '--1' },
    expected: { x: 'R01 nothing', 'x/y': COLLISION, 'x/z': COLLISION },
  },
  {
    situation: 'the bucket has both and changed the file that is on the disk',
    state: { x: '001', 'x/y': '--1' },
    expected: { x: 'R02 download', 'x/y': COLLISION },
  },
  {
    situation: 'the bucket has both, the directory is on the disk',
    state: { x: '--1', 'x/y': '000', 'x/z': '--1' },
    expected: { x: COLLISION, 'x/y': 'R01 nothing', 'x/z': 'R12 download' },
  },
  {
    situation: 'the bucket has both, the disk has neither',
    state: { x: '--1', 'x/y': '--1' },
    expected: { x: COLLISION, 'x/y': 'R12 download' },
  },
  {
    situation: 'the bucket has both, the file was agreed and deleted here',
    state: { x: '0-1', 'x/y': '--1' },
    expected: { x: 'R09 download', 'x/y': COLLISION },
  },
  {
    situation: 'the bucket has both, the file was agreed, the disk has the directory',
    state: { x: '0-1', 'x/y': '-11' },
    expected: { x: COLLISION, 'x/y': 'R14 compare' },
  },
  {
    situation: 'the bucket has both, but one is to be deleted anyway',
    state: { x: '0-0', 'x/y': '--1' },
    expected: { x: 'R07 delete-remote', 'x/y': 'R12 download' },
  },
  {
    situation: 'the bucket still has what a file here replaced',
    state: { x: '000', 'x/y': '0-0' },
    expected: { x: 'R01 nothing', 'x/y': 'R07 delete-remote' },
  },
  {
    situation: 'three objects within each other',
    state: { x: '--1', 'x/y': '--1', 'x/y/z': '--1' },
    expected: { x: COLLISION, 'x/y': COLLISION, 'x/y/z': 'R12 download' },
  },
  {
    situation: 'a file here where the bucket has directories in directories',
    state: { 'a/x': '-1-', 'a/x/y/z': '--1', 'a/x/y/w': '--1' },
    expected: { 'a/x': 'R15 set-aside local first', 'a/x/y/z': 'R12 download', 'a/x/y/w': 'R12 download' },
  },
  {
    situation: 'an object where the directory here has only ignored files',
    state: { x: '--1', 'x/.cache': '-u-' },
    expected: { x: CONFLICT, 'x/.cache': 'R18 hold untracked' },
  },
  {
    situation: 'an object in place of a directory that keeps an ignored file',
    state: { x: '--1', 'x/.cache': '-u-', 'x/y': '00-' },
    expected: { x: CONFLICT, 'x/.cache': 'R18 hold untracked', 'x/y': 'R06 delete-local' },
  },
  {
    situation: 'an object where an ignored directory stands',
    state: { x: '--1', 'x/sub': '-U-' },
    expected: { x: CONFLICT, 'x/sub': 'R18 hold untracked' },
  },
  {
    situation: 'an unreadable directory stands where the file was',
    state: { dir: '0-P', 'dir-1': '000' },
    expected: { dir: 'R16 hold problem', 'dir-1': 'R01 nothing' },
  },
  {
    situation: 'an ignored directory here, a known object of its name in an ignored directory there',
    state: { b: '--U', 'b/c': '0U0' },
    expected: { b: 'R18 hold untracked', 'b/c': 'R18 hold untracked' },
  },
  {
    situation: 'a file where the bucket has a hostile key below it',
    state: { x: '-1-', 'x/y': '--p' },
    expected: { x: CONFLICT, 'x/y': 'R16 hold problem' },
  },
  {
    situation: 'a file where the bucket has an ignored object below it',
    state: { x: '-1-', 'x/y': '--u' },
    expected: { x: 'R11 upload', 'x/y': 'R18 hold untracked' },
  },
  {
    situation: 'a link where the bucket has a directory',
    state: { x: '-s-', 'x/y': '--1' },
    expected: { x: 'R18 hold untracked', 'x/y': 'R18 hold untracked' },
  },
  {
    situation: 'a file that is held for another reason stays where it is',
    state: { x: '-1u', 'x/y': '--1' },
    expected: { x: 'R18 hold untracked', 'x/y': CONFLICT },
  },
  {
    situation: 'a file here and an object there whose names begin alike',
    state: { x: '-1-', 'x!': '--1', 'x-1/y': '--1' },
    expected: { x: 'R11 upload', 'x!': 'R12 download', 'x-1/y': 'R12 download' },
  },
  {
    situation: 'readonly: the bucket has both, and the file of which it has one was deleted here',
    options: { readonly: true },
    state: { x: '0-0', 'x/y': '--1' },
    expected: { x: 'R07 hold readonly', 'x/y': 'R12 download' },
  },
  {
    situation: 'readonly: the bucket has both, and the file here was edited',
    options: { readonly: true },
    state: { x: '010', 'x/y': '--1' },
    expected: { x: 'R03 hold readonly', 'x/y': COLLISION },
  },
  {
    situation: 'the bucket has both, and a file here that nobody knew',
    state: { x: '-11', 'x/y': '--1' },
    expected: { x: 'R14 compare', 'x/y': COLLISION },
  },
  {
    situation: 'a file that is on both sides already, where the bucket has a hostile key below it',
    state: { x: '011', 'x/y': '--p' },
    expected: { x: 'R05 compare', 'x/y': 'R16 hold problem' },
  },
  {
    situation: 'a file that is to be deleted here, where the bucket has a hostile key below it',
    state: { x: '00-', 'x/y': '--p' },
    expected: { x: 'R06 delete-local', 'x/y': 'R16 hold problem' },
  },
  {
    situation: 'an object that is to be deleted, where the directory here has an ignored file',
    state: { x: '0-0', 'x/.cache': '-u-' },
    expected: { x: 'R07 delete-remote', 'x/.cache': 'R18 hold untracked' },
  },
  {
    situation: 'a racy file gives way by being set aside, and the executor looks at it first',
    state: { x: '?0-', 'x/y': '--1' },
    expected: { x: 'R15 set-aside local first', 'x/y': 'R12 download' },
  },
  {
    situation: 'an object, where the file here below it stays because the bucket ignores a directory of its name',
    state: { x: '--1', 'x/y': '00U' },
    expected: { x: 'R15 set-aside remote first', 'x/y': 'R18 hold untracked' },
  },
  {
    situation: 'a file here, where the object below it stays because a directory of its name cannot be read here',
    state: { x: '-1-', 'x/y': '0P0' },
    expected: { x: 'R15 set-aside local first', 'x/y': 'R16 hold problem' },
  },
  {
    situation:
      'an object, where the bucket has one below it that stays, is one of two: it does not only meet a directory here',
    state: { x: '--1', 'x/y': '0U0' },
    options: { readonly: true },
    expected: { x: 'R15 hold kind-collision', 'x/y': 'R18 hold untracked' },
  },
  {
    situation: 'files of which each begins the name of the next have nothing to do with what comes later',
    state: { x: '000', 'x!': '000', 'z/a': '--1' },
    expected: { x: 'R01 nothing', 'x!': 'R01 nothing', 'z/a': 'R12 download' },
  },
  {
    situation: 'an object beside a file that stays for the same reason is downloaded',
    state: { x: '--1', 'x!': '00U' },
    expected: { x: 'R12 download', 'x!': 'R18 hold untracked' },
  },
];

describe('KindWalk', () => {
  for (const { situation, state, expected, options } of rows) {
    it(`R15: ${situation}`, async () => {
      expect(await shown(state, options)).toEqual(expected);
    });
  }

  it('R16: takes a file for neither deleted nor forgotten where an unreadable directory has its name', async () => {
    expect(await shown({ 'd!': '000', d: '0P-', 'd/a': '0-0' })).toEqual({
      'd!': 'R01 nothing',
      d: 'R16 hold problem',
      'd/a': 'R16 hold problem',
    });
  });

  it('R18: holds an object where an ignored directory has its name, R17: forgets the row when both sides ignore it', async () => {
    expect(await shown({ d: '-U1' })).toEqual({ d: 'R18 hold untracked' });
    expect(await shown({ d: '0UU' })).toEqual({ d: 'R17 forget' });
    expect(await shown({ d: '-UU' })).toEqual({ d: 'R17 nothing' });
  });

  it('reports each path it holds, and only those', async () => {
    const { problems } = await plan({ x: '--1', 'x/y': '--1', z: '0-P' });
    expect(problems).toMatchObject([{ path: 'x', code: 'ERR_KIND_COLLISION', side: 'remote', severity: 'error' }]);
    expect(problems[0]?.message).toContain('"x/y"');
    const manual = await plan({ x: '-1-', 'x/y': '--1' }, { kindConflicts: 'hold' });
    expect(manual.problems.map((p) => [p.path, p.code, p.side])).toEqual([
      ['x', 'ERR_KIND_CONFLICT', 'local'],
      ['x/y', 'ERR_KIND_CONFLICT', 'remote'],
    ]);
  });

  it('holds back no more than the paths that begin with each other', async () => {
    const { KindWalk } = await import('./kinds.js');
    const { reconcile } = await import('./reconcile.js');
    const options = { readonly: false, kindConflicts: 'set-aside' } as const;
    const walk = new KindWalk(options);
    let waiting = 0;
    for (let i = 0; i < 5000; i++) {
      const path = `dir/file-${String(i).padStart(6, '0')}`;
      const triple = { path, local: entryOf(path, '0', 'local'), remote: null, baseline: undefined };
      walk.enter(triple, reconcile(triple, options));
      waiting += 1 - walk.take().decisions.length;
      expect(waiting).toBe(1);
    }
    walk.end();
    expect(walk.take().decisions).toHaveLength(1);
  });
});
