import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import { describe, expect, it } from 'vitest';
import { toJsonLine } from '../../src/cli/json-line.js';
import { JSON_LINES, jsonSchema } from '../../src/cli/json-schema.js';
import type { TrashItem } from '../../src/replica/trash.js';
import type { SessionEvent } from '../../src/session/event.js';
import { cycle, FakeMonitor, planTold, Run, run, runPair, syncWith, temporaryFolder, TOTALS } from './harness.js';

const problem = {
  path: 'x\u001B[2J',
  side: 'remote',
  code: 'ERR_KEY_CONTROL',
  message: 'odd',
  severity: 'notice',
} as const;
const conflict = { path: 'c', type: 'content', resolution: 'keep-both', copyPath: 'c (conflict)' } as const;
const change = { path: 'a', operation: 'modified', origin: 'remote' } as const;
const item: TrashItem = {
  id: '01',
  path: 'a',
  sizeBytes: 3,
  trashedAtMs: 1,
  modifiedMs: undefined,
  reason: 'replaced',
  origin: 'local',
  runId: 'r',
};

const EVENTS: readonly SessionEvent[] = [
  { type: 'begin', runId: 'r' },
  { type: 'scan', localFiles: 2, remoteFiles: 3 },
  { type: 'plan', totals: { ...TOTALS, downloads: 1, downloadBytes: 10 } },
  { type: 'start', path: 'a', action: 'download', rule: 'R02', sizeBytes: 10 },
  {
    type: 'decision',
    path: 'h',
    action: 'hold',
    rule: 'R16',
    reason: 'problem',
    seen: {
      baseline: { sizeBytes: 3, local: null, remote: 'etag', recordedAtMs: 5 },
      local: null,
      remote: { sizeBytes: 3, fingerprint: 'etag', modifiedMs: 4.5, digest: 'md5:00' },
    },
  },
  { type: 'bytes', path: 'a', count: 4 },
  { type: 'done', path: 'a', action: 'download', rule: 'R02', sizeBytes: 10, change },
  { type: 'done', path: 'b', action: 'compare', rule: 'R13', sizeBytes: 0 },
  { type: 'conflict', conflict },
  { type: 'problem', problem },
  { type: 'held', path: 'h', rule: 'R16', reason: 'problem' },
  { type: 'remark', message: 'once' },
];

const schema: Readonly<Record<string, unknown>> = jsonSchema();
const validate: ValidateFunction = new Ajv2020({ allErrors: true, strict: true, allowUnionTypes: true }).compile(
  schema,
);

/** Every line must be of exactly one documented kind, with nothing that is not documented. */
function check(lines: readonly Record<string, unknown>[]): void {
  expect(lines.length).toBeGreaterThan(0);
  for (const line of lines) {
    expect(validate(line), `${JSON.stringify(line)}: ${JSON.stringify(validate.errors)}`).toBe(true);
    const row = Object.entries(JSON_LINES).find(([type]) => type === line['type'])?.[1];
    expect(Object.keys(line).filter((name) => name !== 'type' && !(name in (row?.fields ?? {})))).toEqual([]);
  }
}

const types = (lines: readonly Record<string, unknown>[]): unknown[] => lines.map(({ type }) => type);

describe('--json', () => {
  it('tells every event of a sync and its end, each line by the schema', async () => {
    const ran = await runPair('sync', {
      more: ['--json'],
      pair: syncWith(EVENTS, cycle({ changes: [change], conflicts: [conflict] })),
    });
    check(ran.lines);
    expect(types(ran.lines)).toEqual([
      'begin',
      'scan',
      'plan',
      'progress',
      'done',
      'done',
      'conflict',
      'problem',
      'held',
      'remark',
      'end',
    ]);
    expect(ran.stderr).toBe('');
  });

  it('tells the beginning of each path too with --verbose, and only what needs somebody with --quiet', async () => {
    const pair = syncWith(EVENTS);
    expect(types((await runPair('sync', { more: ['--json', '-v'], pair })).lines)).toContain('start');
    expect(types((await runPair('sync', { more: ['--json', '-q'], pair })).lines)).toEqual([
      'conflict',
      'problem',
      'end',
    ]);
  });

  it('speaks by the schema in every other command', async () => {
    const seen = new Set<unknown>();
    const look = async (command: string, options: Parameters<typeof runPair>[1]): Promise<void> => {
      const ran = await runPair(command, { ...options, more: ['--json', ...(options?.more ?? [])] });
      check(ran.lines);
      for (const type of types(ran.lines)) seen.add(type);
    };
    await look('plan', {
      pair: {
        plan: planTold({
          changes: [change],
          compares: ['z'],
          problems: [problem],
          held: [{ path: 'h', rule: 'R18', reason: 'untracked' }],
          halt: { code: 'ERR_HALT', message: 'no' },
        }),
      },
    });
    const status = {
      folder: '/f',
      address: 's3://b/',
      endpoint: 'http://127.0.0.1',
      knownFiles: 1,
      waitingConflicts: 0,
      trashItems: 0,
      trashBytes: 0,
      lastCycle: { endedAtMs: 1, changes: 0, conflicts: 0, problems: 0, held: 0 },
    };
    await look('status', { pair: { status: async () => status } });
    await look('status', { pair: { status: async () => ({ ...status, lastCycle: undefined }) } });
    await look('conflicts', { pair: { conflicts: async () => [{ path: 'k', type: 'kind', resolution: 'manual' }] } });
    await look('resolve', { more: ['k', '--use', 'local'], pair: { resolve: async () => cycle() } });
    await look('trash', { pair: { trash: async () => [item] } });
    await look('trash', {
      more: ['--purge-older-than', '0d', '--yes'],
      pair: { trash: async () => [item], purgeTrash: async () => 1 },
    });
    await look('restore', {
      more: ['a'],
      pair: { trash: async () => [item], restore: async () => [{ item, path: 'a' }] },
    });
    await look('verify', {
      pair: {
        verify: async () => ({
          checkedFiles: 1,
          comparedFiles: 1,
          problems: [problem],
          divergences: [{ path: 'a', type: 'content', message: 'm' }],
        }),
      },
    });
    await look('forget', { more: ['--yes'], pair: { forget: async () => undefined } });
    await look('sync', { pair: { sync: () => Promise.reject(new Error('boom')) } });
    await look('sync', { more: ['--nonsense'] });
    await look('sync', { pair: syncWith(EVENTS), more: ['--verbose'] });

    const made = new Run();
    await made.run(['watch', '.', 's3://bucket', '--json'], {
      monitor: (options) =>
        new FakeMonitor({
          start: () => {
            for (const event of EVENTS) options.onProgress?.(event);
            options.onProgress?.({ type: 'end', result: cycle() });
            setImmediate(() => made.press());
          },
        }),
    });
    check(made.lines);
    for (const type of types(made.lines)) seen.add(type);
    // `step` belongs to the demo, which has its own test.
    expect(new Set([...seen, 'step'])).toEqual(new Set(Object.keys(JSON_LINES)));
  });

  it('tells failures with their code', async () => {
    const ran = await run(['sync', '--json']);
    expect(ran.code).toBe(2);
    expect(ran.lines).toMatchObject([{ type: 'error', code: 'ERR_USAGE', retryable: false }]);
    expect(ran.stderr).toContain('Which folder and which bucket?');
  });

  it('tells how far it is at most once a second', async () => {
    const made = new Run();
    await made.run(['sync', '.', 's3://bucket', '--json'], {
      pair: {
        sync: async ({ onEvent } = {}) => {
          onEvent?.({ type: 'begin', runId: 'r' });
          onEvent?.({ type: 'plan', totals: { ...TOTALS, uploads: 1, uploadBytes: 1000 } });
          onEvent?.({ type: 'start', path: 'a', action: 'upload', rule: 'R11', sizeBytes: 1000 });
          for (let i = 0; i < 30; i++) {
            made.nowMs += 100;
            onEvent?.({ type: 'bytes', path: 'a', count: 10 });
          }
          return cycle();
        },
      },
    });
    check(made.lines);
    const progress = made.lines.filter(({ type }) => type === 'progress');
    expect(progress).toHaveLength(3);
    expect(progress.at(-1)).toMatchObject({ bytesTotal: 1000, bytesPerSecond: 100, filesDone: 0, filesTotal: 1 });
  });
});

describe('toJsonLine', () => {
  it('is one line that no terminal obeys, whatever it holds', () => {
    const line = toJsonLine({
      a: 'x\n\u001B[2J\u009B2J\u007F\u2028\uD800',
      b: 12n,
      c: 2n ** 70n,
      d: undefined,
      e: Number.NaN,
      f: new Error('why'),
    });
    // oxlint-disable-next-line no-control-regex
    expect(line).not.toMatch(/[\u0000-\u001F\u007F-\u009F\u2028\u2029]/);
    expect(JSON.parse(line)).toEqual({
      a: 'x\n\u001B[2J\u009B2J\u007F\u2028\uD800',
      b: 12,
      c: '1180591620717411303424',
      e: null,
      f: { message: 'why' },
    });
  });
});

describe('--log', () => {
  it('appends every event as JSON with its time, readable by its owner alone', async () => {
    const file = join(temporaryFolder(), 'log.jsonl');
    const pair = syncWith(EVENTS);
    await runPair('sync', { more: ['--log', file], pair });
    await runPair('sync', { more: ['--log', file, '--quiet'], pair });
    const lines: Record<string, unknown>[] = readFileSync(file, 'utf8')
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(lines).toHaveLength(2 * EVENTS.length);
    expect(lines.every(({ atMs }) => atMs === 1_000_000)).toBe(true);
    check(lines.map(({ atMs: _atMs, ...line }) => line));
    expect(statSync(file).mode & 0o777).toBe(0o600);
  });

  it('notes failures', async () => {
    const file = join(temporaryFolder(), 'log.jsonl');
    await runPair('sync', { more: ['--log', file], pair: { sync: () => Promise.reject(new Error('boom')) } });
    expect(readFileSync(file, 'utf8')).toContain('"type":"error","code":"ERR_UNEXPECTED","message":"boom"');
  });

  it('is refused in the synced folder, where each line would be a change', async () => {
    const ran = await runPair('sync', { more: ['--log', 'sub/../log.jsonl'] });
    expect([ran.code, ran.stderr.includes('Put it outside of it')]).toEqual([2, true]);
  });

  it('is refused where it cannot be written', async () => {
    const ran = await runPair('sync', { more: ['--log', '/nowhere/log.jsonl'] });
    expect([ran.code, ran.stderr.includes('ERR_LOG_UNUSABLE')]).toEqual([2, true]);
    expect(ran.connects).toEqual([]);
  });
});
