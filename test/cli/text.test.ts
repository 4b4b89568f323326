import { describe, expect, it } from 'vitest';
import type { SessionEvent } from '../../src/session/event.js';
import { cycle, planTold, Run, runPair, syncWith, TOTALS } from './harness.js';

const ESC = '\u001B';
const EVENTS: readonly SessionEvent[] = [
  { type: 'begin', runId: 'r' },
  { type: 'plan', totals: { ...TOTALS, uploads: 1, uploadBytes: 2_400_000, downloads: 1, downloadBytes: 10 } },
  { type: 'start', path: 'photos/a.jpg', action: 'upload', rule: 'R11', sizeBytes: 2_400_000 },
  {
    type: 'done',
    path: 'photos/a.jpg',
    action: 'upload',
    rule: 'R11',
    sizeBytes: 2_400_000,
    change: { path: 'photos/a.jpg', operation: 'added', origin: 'local' },
  },
  {
    type: 'done',
    path: 'b',
    action: 'download',
    rule: 'R02',
    sizeBytes: 10,
    change: { path: 'b', operation: 'modified', origin: 'remote' },
  },
  {
    type: 'done',
    path: 'c',
    action: 'delete-local',
    rule: 'R06',
    sizeBytes: 0,
    change: { path: 'c', operation: 'deleted', origin: 'remote' },
  },
  { type: 'done', path: 'd', action: 'compare', rule: 'R13', sizeBytes: 0 },
  { type: 'conflict', conflict: { path: 'e', type: 'content', resolution: 'local', trashed: 'remote' } },
  { type: 'conflict', conflict: { path: 'w', type: 'content', resolution: 'manual' } },
  {
    type: 'problem',
    problem: {
      path: 'f',
      side: 'local',
      code: 'ERR_FILE_UNREADABLE',
      message: 'It cannot be read; allow it.',
      severity: 'error',
    },
  },
  {
    type: 'problem',
    problem: { path: 'g', side: 'local', code: 'ERR_SYMLINK', message: 'It is a link.', severity: 'notice' },
  },
  { type: 'held', path: 'h', rule: 'R18', reason: 'untracked' },
  { type: 'remark', message: 'The service is careless.' },
];
const RESULT = cycle({
  changes: [
    { path: 'photos/a.jpg', operation: 'added', origin: 'local' },
    { path: 'b', operation: 'modified', origin: 'remote' },
    { path: 'c', operation: 'deleted', origin: 'remote' },
  ],
  uploadedBytes: 2_400_000,
  downloadedBytes: 10,
  localFiles: 12_345,
  remoteFiles: 12_340,
  heldCount: 1,
});

describe('text for people', () => {
  it('is one line a change and a summary on stdout, the rest on stderr', async () => {
    const ran = await runPair('sync', { pair: syncWith(EVENTS, RESULT) });
    expect(ran.stdout).toBe(
      [
        '↑ photos/a.jpg  2.3 MiB',
        '↓ b  10 B',
        '✗ c  deleted here, kept in the trash',
        'Done: 1 file up (2.3 MiB), 1 file down (10 B), 1 deletion carried over, 1 path left alone; 12,345 files in all; 1.2 s.',
        '',
      ].join('\n'),
    );
    expect(ran.stderr).toBe(
      [
        '⚡ e  changed on both sides; the version of this folder counts, the other is in the trash',
        '⚡ w  changed on both sides; waits for you: filecloudsync resolve … --use local|bucket|keep-both',
        '! f  It cannot be read; allow it. [ERR_FILE_UNREADABLE, here]',
        'Note: The service is careless.',
        '',
      ].join('\n'),
    );
  });

  it('tells a rename once, as what it is', async () => {
    const move = { type: 'done', action: 'move-remote', sizeBytes: 0 } as const;
    const [added, deleted] = [
      { path: 'b.jpg', operation: 'added', origin: 'local', from: 'a.jpg' },
      { path: 'a.jpg', operation: 'deleted', origin: 'local', to: 'b.jpg' },
    ] as const;
    const events: readonly SessionEvent[] = [
      { type: 'plan', totals: { ...TOTALS, remoteMoves: 1 } },
      { ...move, path: 'b.jpg', rule: 'R11', from: 'a.jpg', change: added },
      { ...move, path: 'a.jpg', rule: 'R07', change: deleted },
    ];
    const result = cycle({ changes: [added, deleted], localFiles: 3, remoteFiles: 3 });
    const ran = await runPair('sync', { pair: syncWith(events, result) });
    expect(ran.stdout).toBe(
      ['→ a.jpg → b.jpg  renamed in the bucket', 'Done: 1 file renamed; 3 files in all; 1.2 s.', ''].join('\n'),
    );
  });

  it('plans a rename once, as what it is', async () => {
    const changes = [
      { path: 'b.jpg', operation: 'added', origin: 'remote', from: 'a.jpg' },
      { path: 'a.jpg', operation: 'deleted', origin: 'remote', to: 'b.jpg' },
    ] as const;
    const told = planTold({ changes, totals: { ...TOTALS, localMoves: 1 } });
    const ran = await runPair('plan', { pair: { plan: told } });
    expect(ran.stdout).toBe(['→ a.jpg → b.jpg  renamed here', 'sync would carry: 1 rename here.', ''].join('\n'));
  });

  it('tells each decision with its rule when verbose', async () => {
    const ran = await runPair('sync', { more: ['--verbose'], pair: syncWith(EVENTS, RESULT) });
    expect(ran.stdout).toContain('↑ photos/a.jpg  2.3 MiB  [R11 upload]\n');
    expect(ran.stdout).toContain('= d  [R13 compare]\n');
    expect(ran.stderr).toContain('· h  left alone: does not take part on one side [R18]\n');
    expect(ran.stderr).toContain('· g  It is a link. [ERR_SYMLINK, here]\n');
  });

  it('tells only what needs somebody when quiet', async () => {
    const ran = await runPair('sync', {
      more: ['--quiet'],
      terminal: true,
      env: { NO_COLOR: '1' },
      pair: syncWith(EVENTS, RESULT),
    });
    expect(ran.stdout).toBe('');
    expect(
      ran.stderr
        .trimEnd()
        .split('\n')
        .map((line) => line.slice(0, 3)),
    ).toEqual(['⚡ w', '! f']);
  });

  it('says so when there was nothing to do', async () => {
    const ran = await runPair('sync', { pair: syncWith([], cycle({ localFiles: 3, remoteFiles: 3 })) });
    expect(ran.stdout).toBe('Nothing to do: 3 files, the same on both sides; 1.2 s.\n');
  });

  it('has colours only on a terminal that wants them', async () => {
    const pair = syncWith(EVENTS, RESULT);
    const lines = async (options: Parameters<typeof runPair>[1]): Promise<string> =>
      (await runPair('sync', { pair, ...options })).stdout;
    expect(await lines({ terminal: true })).toContain(`${ESC}[32m↑`);
    const refusals: readonly Parameters<typeof runPair>[1][] = [
      {},
      { terminal: true, env: { NO_COLOR: '1' } },
      { terminal: true, env: { TERM: 'dumb' } },
      { terminal: true, more: ['--no-color'] },
    ];
    for (const options of refusals) expect(await lines(options)).not.toContain(ESC);
  });

  it('shows hostile names without obeying them', async () => {
    const path = `${ESC}]0;owned\u0007${ESC}[2J\u009B31m\u202Egpj.exe\r\nfake line\\`;
    const events: readonly SessionEvent[] = [
      {
        type: 'done',
        path,
        action: 'upload',
        rule: 'R11',
        sizeBytes: 1,
        change: { path, operation: 'added', origin: 'local' },
      },
      {
        type: 'done',
        path: ' x',
        action: 'upload',
        rule: 'R11',
        sizeBytes: 1,
        change: { path: ' x', operation: 'added', origin: 'local' },
      },
      {
        type: 'problem',
        problem: { path, side: 'remote', code: 'ERR_KEY', message: `about ${path}`, severity: 'error' },
      },
      { type: 'conflict', conflict: { path, type: 'content', resolution: 'keep-both', copyPath: path } },
      { type: 'held', path, rule: 'R16', reason: 'problem' },
      { type: 'remark', message: path },
    ];
    const ran = await runPair('sync', { more: ['--verbose'], pair: syncWith(events) });
    // oxlint-disable-next-line no-control-regex
    expect(ran.stdout + ran.stderr).not.toMatch(/[\u0000-\u0009\u000B-\u001F\u007F-\u009F\u202E]/);
    expect(ran.stdout).toContain(
      String.raw`↑ \u{1b}]0;owned\u{7}\u{1b}[2J\u{9b}31m\u{202e}gpj.exe\u{d}\u{a}fake line\\  1 B`,
    );
    expect(ran.stdout).toContain('↑ " x"  1 B');
    expect(ran.stdout.trimEnd().split('\n')).toHaveLength(3);
  });

  it('shows hostile text in failures without obeying it', async () => {
    const ran = await runPair('sync', { pair: { sync: () => Promise.reject(new Error(`the key ${ESC}[2J`)) } });
    expect(ran.stderr).toBe('filecloudsync: the key \\u{1b}[2J\n');
  });
});

describe('progress', () => {
  /** Carries 10 files of 1 MiB in 10 seconds. */
  const carry = async (options: { terminal: boolean; columns?: number }): Promise<Run> => {
    const made = new Run();
    await made.run(['sync', '.', 's3://bucket', '--no-color'], {
      ...options,
      pair: {
        sync: async ({ onEvent } = {}) => {
          onEvent?.({ type: 'begin', runId: 'r' });
          onEvent?.({ type: 'scan', localFiles: 10, remoteFiles: 1200 });
          onEvent?.({ type: 'plan', totals: { ...TOTALS, uploads: 10, uploadBytes: 10 * 2 ** 20 } });
          for (let i = 0; i < 10; i++) {
            const path = `f${i}`;
            onEvent?.({ type: 'start', path, action: 'upload', rule: 'R11', sizeBytes: 2 ** 20 });
            for (let part = 0; part < 16; part++) {
              made.nowMs += 62.5;
              onEvent?.({ type: 'bytes', path, count: 2 ** 16 });
            }
            onEvent?.({
              type: 'done',
              path,
              action: 'upload',
              rule: 'R11',
              sizeBytes: 2 ** 20,
              change: { path, operation: 'added', origin: 'local' },
            });
          }
          const result = cycle();
          onEvent?.({ type: 'end', result });
          return result;
        },
      },
    });
    return made;
  };

  it('shows files, bytes, rate and time left on a terminal', async () => {
    const { stderr } = await carry({ terminal: true });
    const drawn = stderr.split(`\r${ESC}[2K`).filter((text) => text !== '');
    expect(drawn[0]).toBe('Comparing: 0 files here, 0 in the bucket');
    expect(drawn).toContain('[███████████░░░░░░░░░] 55 %  5/10 files  5.5 MiB of 10 MiB  1.0 MiB/s  4.5 s left');
    // At most ten a second, and never less than one a second.
    expect(drawn.length).toBeLessThanOrEqual(101);
    expect(drawn.length).toBeGreaterThan(20);
    expect(stderr.endsWith(`${ESC}[2K`)).toBe(true);
  });

  it('is never wider than the terminal', async () => {
    const { stderr } = await carry({ terminal: true, columns: 40 });
    for (const text of stderr.split(`\r${ESC}[2K`)) expect([...text].length).toBeLessThan(40);
  });

  it('is silent when stderr is no terminal', async () => {
    expect((await carry({ terminal: false })).stderr).toBe('');
  });
});
