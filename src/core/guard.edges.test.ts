import { describe, expect, it } from 'vitest';
import type { Entry, FileEntry } from './entry.js';
import { countDecision, emptyCounts, guard, type PlanCounts } from './guard.js';
import { reconcile } from './reconcile.js';

const path = 'a';
const file = (fingerprint: string): FileEntry => ({
  kind: 'file',
  path,
  sizeBytes: 1,
  fingerprint,
  modifiedMs: 1,
  modifiedSource: 'mtime',
});
const row = { path, sizeBytes: 1, local: 'L', remote: 'R', digest: undefined, recordedAtMs: 1 };
const problematic: Entry = {
  kind: 'problematic',
  path,
  subtree: false,
  problem: { path, side: 'local', code: 'ERR_X', message: 'cannot be read', severity: 'error' },
};
const count = (...triples: Parameters<typeof reconcile>[0][]): PlanCounts => {
  const all = emptyCounts();
  for (const triple of triples) countDecision(all, reconcile(triple, { readonly: false }));
  return all;
};
const side = (filesSeen: number, knownPresent: number, deletionsCaused: number) => ({
  filesSeen,
  knownPresent,
  deletionsCaused,
});

describe('countDecision', () => {
  it('sees a new file without knowing it', () => {
    expect(count({ path, local: file('L'), remote: null, baseline: undefined })).toEqual({
      known: 0,
      local: side(1, 0, 0),
      remote: side(0, 0, 0),
    });
  });

  it('knows a file whose download was cut short before it was moved away', () => {
    expect(count({ path, local: file('L'), remote: file('R2'), baseline: { ...row, replacing: true } })).toEqual({
      known: 1,
      local: side(1, 1, 0),
      remote: side(1, 1, 0),
    });
  });

  it('knows nothing of a file that cannot be read, but that the other side has it', () => {
    expect(count({ path, local: problematic, remote: file('R'), baseline: row })).toEqual({
      known: 0,
      local: side(0, 0, 0),
      remote: side(1, 0, 0),
    });
  });
});

describe('guard', () => {
  const calm = { maxDelete: 0.5, rootChanged: { local: false, remote: false } };

  it('passes what it has no objection to, and says nothing about it', () => {
    expect(guard({ known: 5, local: side(5, 5, 0), remote: side(5, 5, 0) }, calm)).toEqual({ verdict: 'pass' });
  });

  it('says that the folder is another one, and how to begin afresh', () => {
    const rootChanged = { local: true, remote: false };
    expect(guard({ known: 5, local: side(2, 0, 5), remote: side(5, 5, 0) }, { ...calm, rootChanged })).toEqual({
      verdict: 'halt',
      code: 'ERR_ROOT_REPLACED',
      side: 'local',
      message:
        'The folder is not the one of the last run, and none of its 5 known files is there. Check that the folder is the right one and that its disk is mounted. If it was replaced on purpose, "forget" starts afresh. Nothing was changed.',
    });
  });

  it('says that the bucket is empty, and the ways out', () => {
    expect(guard({ known: 2, local: side(2, 2, 0), remote: side(0, 0, 2) }, calm)).toEqual({
      verdict: 'halt',
      code: 'ERR_SIDE_EMPTY',
      side: 'remote',
      message:
        'The bucket is empty: of 2 known files 0 are there. Check that the bucket and the prefix are the right ones. If the files were deleted on purpose, run once with --max-delete 1; to bring them back instead, "forget" starts afresh. Nothing was changed.',
    });
  });

  it('says how many deletions are too many', () => {
    expect(
      guard({ known: 100, local: side(66, 66, 34), remote: side(100, 100, 0) }, { ...calm, maxDelete: 0.333 }),
    ).toMatchObject({
      code: 'ERR_TOO_MANY_DELETIONS',
      message: expect.stringMatching(
        /^In the folder 34 of 100 known files are gone, and at most 33\.3 % may be\. Check that .+ Nothing was changed\.$/,
      ),
    });
  });

  it('takes exactly the share that is allowed', () => {
    expect(guard({ known: 100, local: side(50, 50, 50), remote: side(100, 100, 0) }, calm).verdict).toBe('pass');
    expect(guard({ known: 99, local: side(49, 49, 50), remote: side(99, 99, 0) }, calm).verdict).toBe('halt');
  });
});
