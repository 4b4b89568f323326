import { describe, expect, it } from 'vitest';
import type { BaselineRow } from './baseline.js';
import type { Entry, FileEntry } from './entry.js';
import { believed, isUncertain, reconcile } from './reconcile.js';

const path = 'notes/today.md';
const file = (fingerprint: string, more: Partial<FileEntry> = {}): FileEntry => ({
  kind: 'file',
  path,
  sizeBytes: 1,
  fingerprint,
  modifiedMs: 1,
  modifiedSource: 'mtime',
  ...more,
});
const row = (more: Partial<BaselineRow> = {}): BaselineRow => ({
  path,
  sizeBytes: 1,
  local: 'L0',
  remote: 'R0',
  digest: 'md5:00',
  recordedAtMs: 1,
  ...more,
});
const decided = (local: Entry | null, baseline: BaselineRow | undefined, remote: Entry | null = file('R0')) =>
  reconcile({ path, local, remote, baseline }, { readonly: false });

describe('isUncertain', () => {
  it.each([
    ['a file that may have changed since it was recorded', decided(file('L0'), row({ local: null })), true],
    ['a file that may have changed since it was looked at', decided(file('L0', { racy: true }), row()), true],
    ['a file that is as it was', decided(file('L0'), row()), false],
    ['a file that has visibly changed', decided(file('L1'), row()), false],
    ['a file that has visibly changed, and may have again', decided(file('L1', { racy: true }), row()), false],
    ['a file of another size', decided(file('L0', { racy: true, sizeBytes: 2 }), row()), false],
    [
      'a file of another size than the one of which nobody knew',
      decided(file('L0', { sizeBytes: 2 }), row({ local: null })),
      false,
    ],
    ['a file that is gone', decided(null, row({ local: null })), false],
    ['a file that nobody knew', decided(file('L0', { racy: true }), undefined), false],
    ['nothing at all', decided(null, undefined, null), false],
  ])('%s: %#', (_, decision, answer) => {
    expect(isUncertain(decision)).toBe(answer);
  });
});

describe('believed', () => {
  it('makes reconcile see the file as unchanged', () => {
    for (const decision of [
      decided(file('L1', { racy: true }), row({ local: null })),
      decided(file('L0', { racy: true }), row()),
    ]) {
      const triple = believed(decision);
      expect(triple.local).not.toHaveProperty('racy');
      expect(triple.baseline).toEqual(row({ local: decision.local?.fingerprint }));
      expect(reconcile(triple, { readonly: false })).toMatchObject({ rule: 'R01', action: 'nothing' });
    }
  });

  it('has nothing to believe where no file or no memory is', () => {
    expect(believed(decided(null, row()))).toEqual({ path, local: null, remote: file('R0'), baseline: row() });
    const racy = file('L0', { racy: true });
    expect(believed(decided(racy, undefined))).toEqual({ path, local: racy, remote: file('R0'), baseline: undefined });
  });
});

describe('reconcile under readonly', () => {
  it('holds an object back where a directory stands, for that reason and not for want of rights', () => {
    const triple = { path, local: { kind: 'directory', path } as const, remote: file('R1'), baseline: undefined };
    expect(reconcile(triple, { readonly: true })).toMatchObject({ rule: 'R15', action: 'hold', hold: 'kind-conflict' });
  });
});
