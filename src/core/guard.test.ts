import { describe, expect, it } from 'vitest';
import { countDecision, emptyCounts, guard, uncountDeletion, type GuardOptions, type PlanCounts } from './guard.js';
import { reconcile } from './reconcile.js';

const counts = (
  known: number,
  local: readonly [number, number, number],
  remote: readonly [number, number, number],
): PlanCounts => {
  const side = ([filesSeen, knownPresent, deletionsCaused]: readonly [number, number, number]) => ({
    filesSeen,
    knownPresent,
    deletionsCaused,
  });
  return { known, local: side(local), remote: side(remote) };
};
const options = (more: Partial<GuardOptions> = {}): GuardOptions => ({
  maxDelete: 0.5,
  rootChanged: { local: false, remote: false },
  ...more,
});
const newFolder = { rootChanged: { local: true, remote: false } };

describe('guard', () => {
  it.each([
    ['nothing is known yet', counts(0, [0, 0, 0], [50, 0, 0]), options(), undefined],
    ['nothing changed', counts(100, [100, 100, 0], [100, 100, 0]), options(), undefined],
    ['half of the files were deleted', counts(100, [50, 50, 50], [100, 100, 0]), options(), undefined],
    ['more than half were deleted here', counts(100, [49, 49, 51], [100, 100, 0]), options(), 'ERR_TOO_MANY_DELETIONS'],
    [
      'more than half were deleted there',
      counts(100, [100, 100, 0], [49, 49, 51]),
      options(),
      'ERR_TOO_MANY_DELETIONS',
    ],
    ['ten of twelve were deleted, which is not many', counts(12, [2, 2, 10], [12, 12, 0]), options(), undefined],
    ['eleven of twelve were deleted', counts(12, [1, 1, 11], [12, 12, 0]), options(), 'ERR_TOO_MANY_DELETIONS'],
    ['a person allows nine of ten', counts(100, [10, 10, 90], [100, 100, 0]), options({ maxDelete: 0.9 }), undefined],
    [
      'a person allows no deletions, eleven came',
      counts(100, [89, 89, 11], [100, 100, 0]),
      options({ maxDelete: 0 }),
      'ERR_TOO_MANY_DELETIONS',
    ],
    ['the folder is suddenly empty', counts(2, [0, 0, 2], [2, 2, 0]), options(), 'ERR_SIDE_EMPTY'],
    ['the bucket is suddenly empty', counts(2, [2, 2, 0], [0, 0, 2]), options(), 'ERR_SIDE_EMPTY'],
    ['the only file was deleted', counts(1, [0, 0, 1], [1, 1, 0]), options(), undefined],
    [
      'everything was deleted on purpose',
      counts(500, [0, 0, 500], [500, 500, 0]),
      options({ maxDelete: 1 }),
      undefined,
    ],
    ['all known files left, others came', counts(5, [3, 0, 5], [5, 5, 0]), options(), undefined],
    [
      'another disk is mounted, with other files',
      counts(5, [3, 0, 5], [5, 5, 0]),
      options(newFolder),
      'ERR_ROOT_REPLACED',
    ],
    [
      'another disk is mounted, and --max-delete 1 is no leave for that',
      counts(5, [0, 0, 5], [5, 5, 0]),
      options({ ...newFolder, maxDelete: 1 }),
      'ERR_ROOT_REPLACED',
    ],
    [
      'another disk, the only known file is gone',
      counts(1, [0, 0, 1], [1, 1, 0]),
      options(newFolder),
      'ERR_ROOT_REPLACED',
    ],
    ['the folder was copied to a new disk', counts(5, [5, 5, 0], [5, 5, 0]), options(newFolder), undefined],
    [
      'the bucket was created anew',
      counts(5, [5, 5, 0], [0, 0, 5]),
      options({ rootChanged: { local: false, remote: true } }),
      'ERR_ROOT_REPLACED',
    ],
    ['a new folder and nothing known', counts(0, [0, 0, 0], [9, 0, 0]), options(newFolder), undefined],
  ] as const)('%s', (_, plan, how, code) => {
    const verdict = guard(plan, how);
    expect(verdict.verdict === 'halt' ? verdict.code : undefined).toBe(code);
  });

  it('says which side, how many of how many, and the ways out', () => {
    const verdict = guard(counts(200, [20, 20, 180], [200, 200, 0]), options());
    expect(verdict).toMatchObject({ verdict: 'halt', side: 'local' });
    if (verdict.verdict !== 'halt') return;
    expect(verdict.message).toMatch(
      /folder 180 of 200 known files .* 50 %.*mounted.*--max-delete 1.*forget.*Nothing was changed/,
    );
    const bucket = guard(counts(3, [3, 3, 0], [0, 0, 3]), options());
    expect(bucket).toMatchObject({ side: 'remote', message: expect.stringMatching(/bucket is empty: of 3 .*prefix/) });
  });
});

describe('countDecision', () => {
  const file = (side: string) =>
    ({
      kind: 'file',
      path: 'a',
      sizeBytes: 1,
      fingerprint: side,
      modifiedMs: 1,
      modifiedSource: 'mtime',
    }) as const;
  const row = { path: 'a', sizeBytes: 1, local: 'L', remote: 'R', digest: undefined, recordedAtMs: 1 };
  const untracked = { kind: 'untracked', path: 'a', reason: 'filter', subtree: false } as const;
  const count = (...triples: Parameters<typeof reconcile>[0][]): PlanCounts => {
    const all = emptyCounts();
    for (const triple of triples) countDecision(all, reconcile(triple, { readonly: false }));
    return all;
  };

  it('counts a deletion against the side on which the file is absent', () => {
    const path = 'a';
    expect(count({ path, local: null, remote: file('R'), baseline: row })).toEqual(counts(1, [0, 0, 1], [1, 1, 0]));
    expect(count({ path, local: file('L'), remote: null, baseline: row })).toEqual(counts(1, [1, 1, 0], [0, 0, 1]));
  });

  it('knows nothing of what is excluded, held, or in the middle of a download', () => {
    const path = 'a';
    expect(count({ path, local: untracked, remote: untracked, baseline: row }).known).toBe(0);
    expect(count({ path, local: untracked, remote: file('R'), baseline: row }).known).toBe(0);
    expect(count({ path, local: null, remote: file('R'), baseline: { ...row, replacing: true } })).toEqual(
      counts(0, [0, 0, 0], [1, 0, 0]),
    );
  });

  it('takes the deletion of a file that was found elsewhere back, on its side, and nothing else', () => {
    const path = 'a';
    const here = { path, local: null, remote: file('R'), baseline: row };
    const there = { path, local: file('L'), remote: null, baseline: row };
    for (const [triple, left] of [
      [here, counts(2, [1, 1, 0], [1, 1, 1])],
      [there, counts(2, [1, 1, 1], [1, 1, 0])],
    ] as const) {
      const all = count(here, there);
      uncountDeletion(all, reconcile(triple, { readonly: false }));
      expect(all).toEqual(left);
    }
    const all = count(here, there);
    uncountDeletion(all, reconcile({ path, local: file('L'), remote: file('R'), baseline: row }, { readonly: false }));
    expect(all).toEqual(count(here, there));
  });
});
