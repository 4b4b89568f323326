import { describe, expect, it } from 'vitest';
import type { BaselineRow } from './baseline.js';
import type { Action, Decision, HoldReason, RuleId } from './decision.js';
import type { Entry, FileEntry } from './entry.js';
import { believed, isUncertain, reconcile, ruleOnceCompared } from './reconcile.js';
import type { Triple } from './triple.js';

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
const untracked: Entry = { kind: 'untracked', path, reason: 'filter', subtree: false };
const symlink: Entry = { kind: 'symlink', path };
const problematic: Entry = {
  kind: 'problematic',
  path,
  subtree: false,
  problem: { path, side: 'local', code: 'ERR_FILE_UNREADABLE', message: 'cannot be read', severity: 'error' },
};
const directory: Entry = { kind: 'directory', path };

interface Row {
  readonly rule: RuleId;
  /** The rule as long as the contents were not compared, where it is another. */
  readonly before?: RuleId;
  readonly situation: string;
  readonly baseline: BaselineRow | undefined;
  readonly local: Entry | null;
  readonly remote: Entry | null;
  readonly action: Action;
  /** Under `readonly`, where it differs. */
  readonly readonly?: HoldReason;
  readonly hold?: HoldReason;
}

const rows: readonly Row[] = [
  {
    rule: 'R01',
    situation: 'nobody touched the file',
    baseline: row(),
    local: file('L0'),
    remote: file('R0'),
    action: 'nothing',
  },
  {
    rule: 'R02',
    situation: 'somebody changed the object',
    baseline: row(),
    local: file('L0'),
    remote: file('R1'),
    action: 'download',
  },
  {
    rule: 'R03',
    situation: 'the file was edited here',
    baseline: row(),
    local: file('L1'),
    remote: file('R0'),
    action: 'upload',
    readonly: 'readonly',
  },
  {
    rule: 'R03',
    situation: 'the file was saved in the instant it was recorded',
    baseline: row({ local: null }),
    local: file('L0'),
    remote: file('R0'),
    action: 'upload',
    readonly: 'readonly',
  },
  {
    rule: 'R03',
    situation: 'the file may have been saved again since the scan',
    baseline: row(),
    local: file('L0', { racy: true }),
    remote: file('R0'),
    action: 'upload',
    readonly: 'readonly',
  },
  {
    rule: 'R04',
    before: 'R05',
    situation: 'both sides made the same of the file',
    baseline: row(),
    local: file('L1'),
    remote: file('R1'),
    action: 'compare',
  },
  {
    rule: 'R05',
    situation: 'both sides edited the file',
    baseline: row(),
    local: file('L1'),
    remote: file('R1'),
    action: 'compare',
  },
  {
    rule: 'R05',
    situation: 'the object changed and of the racy file nobody knows',
    baseline: row({ local: null }),
    local: file('L0'),
    remote: file('R1'),
    action: 'compare',
  },
  {
    rule: 'R06',
    situation: 'somebody deleted the object',
    baseline: row(),
    local: file('L0'),
    remote: null,
    action: 'delete-local',
  },
  {
    rule: 'R07',
    situation: 'the file was deleted here',
    baseline: row(),
    local: null,
    remote: file('R0'),
    action: 'delete-remote',
    readonly: 'readonly',
  },
  {
    rule: 'R07',
    situation: 'a directory took the place of the file',
    baseline: row(),
    local: directory,
    remote: file('R0'),
    action: 'delete-remote',
    readonly: 'readonly',
  },
  {
    rule: 'R08',
    situation: 'the file was edited here and deleted there',
    baseline: row(),
    local: file('L1'),
    remote: null,
    action: 'upload',
    readonly: 'readonly',
  },
  {
    rule: 'R08',
    situation: 'the racy file was deleted there',
    baseline: row({ local: null }),
    local: file('L0'),
    remote: null,
    action: 'upload',
    readonly: 'readonly',
  },
  {
    rule: 'R09',
    situation: 'the file was deleted here and changed there',
    baseline: row(),
    local: null,
    remote: file('R1'),
    action: 'download',
  },
  {
    rule: 'R10',
    situation: 'both sides deleted the file',
    baseline: row(),
    local: null,
    remote: null,
    action: 'forget',
  },
  {
    rule: 'R10',
    situation: 'a file came and went before it was looked at again',
    baseline: undefined,
    local: null,
    remote: null,
    action: 'nothing',
  },
  {
    rule: 'R11',
    situation: 'a new file here',
    baseline: undefined,
    local: file('L1'),
    remote: null,
    action: 'upload',
    readonly: 'readonly',
  },
  {
    rule: 'R12',
    situation: 'a new object there',
    baseline: undefined,
    local: null,
    remote: file('R1'),
    action: 'download',
  },
  {
    rule: 'R12',
    situation: 'a download was cut short after it had moved the old file away',
    baseline: row({ replacing: true }),
    local: null,
    remote: file('R0'),
    action: 'download',
  },
  {
    rule: 'R10',
    situation: 'a download was cut short and the object is gone since',
    baseline: row({ replacing: true }),
    local: null,
    remote: null,
    action: 'forget',
  },
  {
    rule: 'R02',
    situation: 'a download was cut short before it had moved the old file away',
    baseline: row({ replacing: true }),
    local: file('L0'),
    remote: file('R1'),
    action: 'download',
  },
  {
    rule: 'R13',
    before: 'R14',
    situation: 'the same file meets on both sides for the first time',
    baseline: undefined,
    local: file('L1'),
    remote: file('R1'),
    action: 'compare',
  },
  {
    rule: 'R14',
    situation: 'two different files meet for the first time',
    baseline: undefined,
    local: file('L1'),
    remote: file('R1'),
    action: 'compare',
  },
  {
    rule: 'R15',
    situation: 'an object came to where a directory stands',
    baseline: undefined,
    local: directory,
    remote: file('R1'),
    action: 'hold',
    hold: 'kind-conflict',
  },
  {
    rule: 'R16',
    situation: 'the file cannot be read',
    baseline: row(),
    local: problematic,
    remote: file('R0'),
    action: 'hold',
    hold: 'problem',
  },
  {
    rule: 'R16',
    situation: 'the object cannot be a file here',
    baseline: undefined,
    local: null,
    remote: problematic,
    action: 'hold',
    hold: 'problem',
  },
  {
    rule: 'R16',
    situation: 'the file cannot be read and the object is gone',
    baseline: row(),
    local: problematic,
    remote: null,
    action: 'hold',
    hold: 'problem',
  },
  {
    rule: 'R16',
    situation: 'the file is ignored and the object is hostile',
    baseline: row(),
    local: untracked,
    remote: problematic,
    action: 'hold',
    hold: 'problem',
  },
  {
    rule: 'R17',
    situation: 'a filter now excludes the path on both sides',
    baseline: row(),
    local: untracked,
    remote: untracked,
    action: 'forget',
  },
  {
    rule: 'R17',
    situation: 'an ignored path that never was synchronised',
    baseline: undefined,
    local: symlink,
    remote: untracked,
    action: 'nothing',
  },
  {
    rule: 'R18',
    situation: 'a symbolic link took the place of the file',
    baseline: row(),
    local: symlink,
    remote: file('R0'),
    action: 'hold',
    hold: 'untracked',
  },
  {
    rule: 'R18',
    situation: 'the file is ignored and the object gone',
    baseline: row(),
    local: untracked,
    remote: null,
    action: 'hold',
    hold: 'untracked',
  },
  {
    rule: 'R18',
    situation: 'the file is gone and the object ignored',
    baseline: row(),
    local: null,
    remote: untracked,
    action: 'hold',
    hold: 'untracked',
  },
];

describe('reconcile', () => {
  for (const r of rows) {
    it(`${r.rule}: ${r.situation}`, () => {
      const triple: Triple = { path, local: r.local, remote: r.remote, baseline: r.baseline };
      const decision = reconcile(triple, { readonly: false });
      expect(decision).toMatchObject({ rule: r.before ?? r.rule, action: r.action });
      expect(decision.hold).toBe(r.hold);
      if (r.before !== undefined) expect(ruleOnceCompared(decision, 'same')).toBe(r.rule);
      else if (r.action === 'compare') expect(ruleOnceCompared(decision, 'different')).toBe(r.rule);
      const protectedDecision = reconcile(triple, { readonly: true });
      expect(protectedDecision).toMatchObject({
        rule: r.before ?? r.rule,
        action: r.readonly === undefined ? r.action : 'hold',
      });
      expect(protectedDecision.hold).toBe(r.readonly ?? r.hold);
    });
  }

  it('has a situation for each rule from R01 to R18', () => {
    const ids = Array.from({ length: 18 }, (_, i) => `R${String(i + 1).padStart(2, '0')}`);
    expect([...new Set(rows.map((r) => r.rule))].sort()).toEqual(ids);
    expect(new Set(rows.map((r) => r.situation)).size).toBe(rows.length);
  });

  const locals: readonly (Entry | null)[] = [
    null,
    file('L0'),
    file('L1'),
    file('L0', { racy: true }),
    directory,
    symlink,
    untracked,
    problematic,
  ];
  const remotes: readonly (Entry | null)[] = [null, file('R0'), file('R1'), untracked, problematic];
  const baselines = [undefined, row(), row({ local: null }), row({ replacing: true })];
  const all: Triple[] = baselines.flatMap((baseline) =>
    locals.flatMap((local) => remotes.map((remote) => ({ path, local, remote, baseline }))),
  );

  it('writes nothing to the remote side under readonly, in any combination', () => {
    expect(all).toHaveLength(160);
    for (const triple of all) {
      const { action } = reconcile(triple, { readonly: true });
      expect(['nothing', 'download', 'compare', 'delete-local', 'forget', 'hold'], JSON.stringify(triple)).toContain(
        action,
      );
    }
  });

  it('deletes or overwrites nothing that is not as both sides last agreed, in any combination', () => {
    for (const triple of all) {
      const d = reconcile(triple, { readonly: false });
      const where = JSON.stringify(triple);
      if (d.action === 'delete-local' || (d.action === 'download' && d.local !== null)) {
        expect(d.local?.fingerprint, where).toBe(d.baseline?.local);
        expect(d.local?.racy, where).not.toBe(true);
      }
      if (d.action === 'delete-remote' || (d.action === 'upload' && d.remote !== null)) {
        expect(d.remote?.fingerprint, where).toBe(d.baseline?.remote);
      }
      if (d.action === 'forget') expect([d.local, d.remote], where).toEqual([null, null]);
      if (d.action === 'hold') expect(d.hold, where).toBeDefined();
    }
  });

  it('decides about a racy file again once its content is known to be the agreed one', () => {
    const again = (local: FileEntry, remote: FileEntry | null, baseline: BaselineRow): Decision => {
      const first = reconcile({ path, local, remote, baseline }, { readonly: false });
      expect(isUncertain(first)).toBe(true);
      const second = reconcile(believed(first), { readonly: false });
      expect(isUncertain(second)).toBe(false);
      return second;
    };
    expect(again(file('L0'), file('R0'), row({ local: null }))).toMatchObject({ rule: 'R01', action: 'nothing' });
    expect(again(file('L7'), file('R1'), row({ local: null }))).toMatchObject({ rule: 'R02', action: 'download' });
    expect(again(file('L0', { racy: true }), null, row())).toMatchObject({ rule: 'R06', action: 'delete-local' });
  });

  it('does not doubt a file of another size', () => {
    const decision = reconcile(
      { path, local: file('L1', { sizeBytes: 9 }), remote: null, baseline: row({ local: null }) },
      { readonly: false },
    );
    expect(isUncertain(decision)).toBe(false);
  });
});
