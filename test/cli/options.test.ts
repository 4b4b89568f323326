import { describe, expect, it } from 'vitest';
import { COMMANDS } from '../../src/cli/command-table.js';
import { buildProgram } from '../../src/cli/program.js';
import { longFlag } from '../../src/cli/table-options.js';
import { optionNames, optionRow } from '../../src/s3/option-table.js';
import { fakePair, cycle, FakeMonitor, run, Run } from './harness.js';

const pair = { sync: async () => cycle() };
const PAIR = ['.', 's3://bucket/photos'];

describe('options', () => {
  it('reach the pair and the connection as the table says', async () => {
    const ran = await run(
      [
        'sync',
        '--exclude',
        '*.tmp',
        '--exclude',
        'cache/',
        ...PAIR,
        '--readonly',
        '--max-delete',
        '25%',
        '--trash-days',
        'never',
        '--part-size',
        '16',
        '--no-probe',
        '--endpoint',
        'http://127.0.0.1:9000',
        '--no-force-path-style',
        '--timeout',
        '5',
      ],
      { pair },
    );
    expect(ran.stderr).toBe('');
    expect(ran.opened[0]?.bucket).toBe('s3://bucket/photos');
    expect(ran.opened[0]?.options).toMatchObject({
      exclude: ['*.tmp', 'cache/'],
      readonly: true,
      maxDelete: 0.25,
      trashDays: Number.POSITIVE_INFINITY,
      partSizeMiB: 16,
      probe: false,
      conflict: 'newest',
      concurrency: 32,
    });
    expect(ran.connects).toEqual([
      { endpoint: 'http://127.0.0.1:9000', forcePathStyle: false, timeoutSeconds: 5, bucket: 'bucket' },
    ]);
  });

  it('that are not given are not passed on', async () => {
    const ran = await run(['sync', ...PAIR], { pair });
    expect(ran.connects).toEqual([{ bucket: 'bucket' }]);
    expect(ran.opened[0]?.options).toMatchObject({ probe: true, readonly: false, maxDelete: 0.5 });
    expect(ran.opened[0]?.options).not.toHaveProperty('exclude');
  });

  it('come from the environment where the flag is absent', async () => {
    const env = {
      FILECLOUDSYNC_READONLY: 'yes',
      FILECLOUDSYNC_EXCLUDE: 'a\nb',
      FILECLOUDSYNC_MAX_DELETE: '10%',
      FILECLOUDSYNC_PROBE: 'off',
      FILECLOUDSYNC_CONFLICT: '',
      FILECLOUDSYNC_PROFILE: 'backup',
      S3_ENDPOINT: 'read by the library',
      FILECLOUDSYNC_STATE_DIR: 'too',
    };
    const ran = await run(['sync', ...PAIR, '--max-delete', '1'], { pair, env });
    expect(ran.opened[0]?.options).toMatchObject({
      readonly: true,
      exclude: ['a', 'b'],
      maxDelete: 1,
      probe: false,
      conflict: 'newest',
    });
    expect(ran.opened[0]?.options).not.toHaveProperty('stateDir');
    expect(ran.connects).toEqual([{ bucket: 'bucket', profile: 'backup' }]);
  });

  it('that are wrong in the environment are named by their variable', async () => {
    const ran = await run(['sync', ...PAIR], { pair, env: { FILECLOUDSYNC_CONCURRENCY: 'many' } });
    expect([ran.code, ran.stderr.includes('FILECLOUDSYNC_CONCURRENCY must be a whole number')]).toEqual([2, true]);
  });

  it('an empty list selects nothing', async () => {
    expect((await run(['sync', ...PAIR, '--files', ''], { pair })).opened[0]?.options).toMatchObject({ files: [] });
  });

  it('of the monitor reach it, with those of the connection', async () => {
    const made = new Run();
    let given = {};
    await made.run(['watch', ...PAIR, '--delay', '2', '--no-watch', '--remove', 'force', '--region', 'eu-west-1'], {
      monitor: (options) => {
        given = options;
        return new FakeMonitor({ start: () => void setImmediate(() => made.press()) });
      },
    });
    expect(given).toMatchObject({ delaySeconds: 2, watch: false, remove: 'force', region: 'eu-west-1' });
  });

  it('every option with a flag belongs to a command, and no command invents one', () => {
    const program = buildProgram({
      version: '',
      columns: 80,
      out: () => undefined,
      err: () => undefined,
      onCommand: async () => undefined,
    });
    const flags = new Set(program.commands.flatMap((command) => command.options.map((option) => option.long)));
    for (const name of optionNames()) {
      const { flag } = optionRow(name);
      if (flag !== undefined) expect(flags, name).toContain(longFlag(flag));
    }
    for (const row of COMMANDS) {
      const known = new Set(
        [
          ...row.options.flatMap((name) => optionRow(name).flag ?? []),
          ...Object.values(row.flags).map(({ flag }) => flag),
        ].map(longFlag),
      );
      const command = program.commands.find((candidate) => candidate.name() === row.name);
      expect(command?.options.map((option) => option.long).filter((long) => !known.has(long ?? ''))).toEqual([]);
    }
  });

  it('the pair that tests use refuses what a test does not expect', () => {
    expect(() => fakePair({}).sync()).toThrow('does not expect');
  });
});
