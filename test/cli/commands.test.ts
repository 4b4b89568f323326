import { describe, expect, it } from 'vitest';
import type { TrashItem } from '../../src/replica/trash.js';
import type { Pair } from '../../src/s3/pair.js';
import { cycle, plan, planTold, runPair, TOTALS } from './harness.js';

const DAY = 86_400_000;
const NOW = 1_000_000;
const item = (id: string, path: string, ageDays: number): TrashItem => ({
  id,
  path,
  sizeBytes: 1024,
  trashedAtMs: NOW - ageDays * DAY,
  modifiedMs: undefined,
  reason: 'deleted',
  origin: 'local',
  runId: 'r1',
});
const ITEMS = [item('01', 'old.txt', 40), item('02', 'new.txt', 2)];

describe('plan', () => {
  it('shows each change and the sum', async () => {
    const ran = await runPair('plan', {
      pair: {
        plan: planTold({
          totals: { ...TOTALS, uploads: 1, uploadBytes: 2048, compares: 1, localDeletes: 2, held: 3 },
          changes: [
            { path: 'a', operation: 'added', origin: 'local' },
            { path: 'b', operation: 'deleted', origin: 'remote' },
          ],
          compares: ['c'],
        }),
      },
    });
    expect(ran.stdout).toBe(
      '↑ a\n✗ b  deleted here, kept in the trash\n? c  on both sides: contents are compared first\n' +
        'sync would carry: 1 file up (2.0 KiB), 1 file to compare, 2 deletions here, 3 paths left alone.\n',
    );
    expect(ran.stderr).toBe('');
  });

  it('says so when there is nothing', async () => {
    expect((await runPair('plan', { pair: { plan: async () => plan() } })).stdout).toBe(
      'sync would do nothing: both sides are the same.\n',
    );
  });
});

describe('status', () => {
  it('says what is remembered', async () => {
    const ran = await runPair('status', {
      pair: {
        status: async () => ({
          folder: '/f',
          address: 's3://b/p/',
          endpoint: 'https://s3',
          knownFiles: 12_345,
          waitingConflicts: 2,
          trashItems: 3,
          trashBytes: 4096,
          lastCycle: { endedAtMs: NOW - 90_000, changes: 1, conflicts: 0, problems: 2, held: 0 },
        }),
      },
    });
    expect(ran.stdout).toBe(
      'Folder       /f\nBucket       s3://b/p/ at https://s3\nKnown files  12,345 files\n' +
        'Last run     1970-01-01 00:15:10Z (1 min 30 s ago), 1 change, 2 problems\n' +
        'Waiting      2 conflicts: see filecloudsync conflicts\nTrash        3 versions, 4.0 KiB\n',
    );
  });
});

describe('resolve', () => {
  it('settles one conflict', async () => {
    const calls: unknown[] = [];
    const ran = await runPair('resolve', {
      more: ['todo.md', '--use', 'keep-both'],
      pair: {
        resolve: async (path, answer) => {
          calls.push([path, answer]);
          // Another conflict still waits: that is not what was asked.
          return cycle({ conflicts: [{ path: 'other', type: 'content', resolution: 'manual' }] });
        },
      },
    });
    expect([ran.code, calls]).toEqual([0, [['todo.md', 'keep-both']]]);
  });
});

describe('trash', () => {
  it('lists versions', async () => {
    const ran = await runPair('trash', { pair: { trash: async () => ITEMS } });
    expect(ran.stdout).toBe(
      '01  1969-11-22 00:16:40Z   1.0 KiB  old.txt  deleted, from this folder\n02  1969-12-30 00:16:40Z   1.0 KiB  new.txt  deleted, from this folder\n',
    );
    expect(ran.stderr).toBe('2 versions, 2.0 KiB\n');
  });

  const purging = (deleted: string[]): Partial<Pair> => ({
    trash: async () => ITEMS,
    purgeTrash: async (select) => {
      const late = item('03', 'late.txt', 90);
      const chosen = [...ITEMS, late].filter(select).map(({ id }) => id);
      deleted.push(...chosen);
      return chosen.length;
    },
  });

  it.each([
    ['a yes', { answer: 'y', terminal: true }, 0, ['01']],
    ['a no', { answer: 'n', terminal: true }, 1, []],
    ['silence', { terminal: true }, 1, []],
    ['--yes', { more: ['--yes'] }, 0, ['01']],
    ['nobody to ask', {}, 2, []],
  ])('deletes what was shown for good after %s', async (_name, options, code, expected) => {
    const deleted: string[] = [];
    const more = ['--purge-older-than', '30d', ...('more' in options ? (options.more ?? []) : [])];
    const ran = await runPair('trash', { ...options, more, pair: purging(deleted) });
    expect([ran.code, deleted]).toEqual([code, expected]);
  });
});

describe('restore', () => {
  it('tells ids from paths', async () => {
    const calls: unknown[] = [];
    const ran = await runPair('restore', {
      more: ['01', 'new.txt'],
      pair: {
        trash: async () => ITEMS,
        restore: async (what) => {
          calls.push(what);
          return 'ids' in what
            ? [{ item: item('01', 'old.txt', 40), path: 'old (restored).txt' }]
            : [{ item: item('02', 'new.txt', 2), path: 'new.txt' }];
        },
      },
    });
    expect(calls).toEqual([{ ids: ['01'] }, { paths: ['new.txt'] }]);
    expect(ran.stdout).toBe(
      '↩ old.txt  version of 1969-11-22 00:16:40Z as old (restored).txt, because something else stands there\n↩ new.txt  version of 1969-12-30 00:16:40Z\n',
    );
  });

  it('fails when there is nothing to restore', async () => {
    const ran = await runPair('restore', { more: ['--run', 'r9'], pair: { restore: async () => [] } });
    expect([ran.code, ran.stderr.includes('the trash holds nothing of that')]).toEqual([1, true]);
  });
});

describe('forget', () => {
  it('asks first', async () => {
    let forgot = 0;
    const pair = { forget: async () => void (forgot += 1) };
    const no = await runPair('forget', { pair, terminal: true, answer: 'nope' });
    expect([no.code, forgot, no.questions.length]).toEqual([1, 0, 1]);
    const nobody = await runPair('forget', { pair });
    expect([nobody.code, forgot, nobody.stderr.includes('--yes')]).toEqual([2, 0, true]);
    const json = await runPair('forget', { pair, terminal: true, answer: 'y', more: ['--json'] });
    expect([json.code, forgot]).toEqual([2, 0]);
    const yes = await runPair('forget', { pair, terminal: true, answer: 'yes' });
    expect([yes.code, forgot]).toEqual([0, 1]);
  });
});

describe('verify', () => {
  it('passes the sample on and tells each difference', async () => {
    let given: number | undefined;
    const ran = await runPair('verify', {
      more: ['--sample', '10%'],
      pair: {
        verify: async (options) => {
          given = options?.sample;
          return {
            checkedFiles: 20,
            comparedFiles: 2,
            problems: [],
            divergences: [{ path: 'a', type: 'content', message: 'The bytes differ.' }],
          };
        },
      },
    });
    expect(given).toBe(0.1);
    expect(ran.stdout).toBe(
      '≠ a  The bytes differ. [content]\n20 files checked, 2 of them by content: 1 difference. A sync carries or reports them.\n',
    );
  });
});
