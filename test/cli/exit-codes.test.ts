import { describe, expect, it } from 'vitest';
import type { Conflict } from '../../src/core/conflict.js';
import type { Problem } from '../../src/core/problem.js';
import { FileCloudSyncError, HaltError, LockedError, S3ConnectionError, UsageError } from '../../src/errors.js';
import { cycle, plan, runPair } from './harness.js';

const bad: Problem = {
  path: 'a',
  side: 'local',
  code: 'ERR_FILE_UNREADABLE',
  message: 'a cannot be read.',
  severity: 'error',
};
const notice: Problem = { path: 'l', side: 'local', code: 'ERR_SYMLINK', message: 'l is a link.', severity: 'notice' };
const waiting: Conflict = { path: 'c', type: 'content', resolution: 'manual' };
const settled: Conflict = { path: 'c', type: 'content', resolution: 'local', trashed: 'remote' };

describe('exit code of sync', () => {
  it.each([
    ['0 when nothing waits', cycle(), 0],
    ['0 with notices and settled conflicts', cycle({ problems: [notice], conflicts: [settled] }), 0],
    ['3 when a path failed', cycle({ problems: [bad] }), 3],
    ['4 when a conflict waits', cycle({ conflicts: [waiting] }), 4],
    ['3 when a path failed and a conflict waits', cycle({ problems: [bad], conflicts: [waiting] }), 3],
  ])('is %s', async (_name, result, code) => {
    expect((await runPair('sync', { pair: { sync: async () => result } })).code).toBe(code);
  });

  it.each([
    ['1 for what cannot be reached', new S3ConnectionError('ERR_S3_UNREACHABLE', 'gone'), 1],
    ['1 for what nobody expected', new TypeError('boom'), 1],
    ['2 for wrong usage', new UsageError('ERR_USAGE', 'no'), 2],
    ['10 for a halt', new HaltError('ERR_MAX_DELETE', 'too many'), 10],
    ['11 for a held pair', new LockedError('ERR_LOCKED', 'held'), 11],
    ['11 for a held pair by its code', new FileCloudSyncError('ERR_LOCKED', 'held'), 11],
  ])('is %s', async (_name, error, code) => {
    const ran = await runPair('sync', {
      pair: {
        sync: async () => {
          throw error;
        },
      },
    });
    expect(ran.code).toBe(code);
    expect(ran.stderr).toContain(error.message);
    expect(ran.stderr).not.toContain('    at ');
    expect([ran.closed, ran.destroyed, ran.listening]).toEqual([1, 1, 0]);
  });
});

describe('exit code of plan', () => {
  it('is 10 when sync would halt, and says why', async () => {
    const halt = { code: 'ERR_MAX_DELETE', message: '12 of 20 files would be deleted.' };
    const ran = await runPair('plan', { pair: { plan: async () => plan({ halt }) } });
    expect(ran.code).toBe(10);
    expect(ran.stdout).toContain('sync would halt: 12 of 20 files would be deleted. [ERR_MAX_DELETE]');
  });

  it('is 3 when a path could not be looked at', async () => {
    expect((await runPair('plan', { pair: { plan: async () => plan({ problems: [bad] }) } })).code).toBe(3);
  });
});

describe('exit code of the other commands', () => {
  it('is 4 when conflicts lists any', async () => {
    expect((await runPair('conflicts', { pair: { conflicts: async () => [waiting] } })).code).toBe(4);
    expect((await runPair('conflicts', { pair: { conflicts: async () => [] } })).code).toBe(0);
  });

  it('is 3 when verify finds a difference', async () => {
    const found = { checkedFiles: 2, comparedFiles: 2, divergences: [], problems: [] };
    const divergences = [{ path: 'a', type: 'content', message: 'a differs.' }] as const;
    expect((await runPair('verify', { pair: { verify: async () => found } })).code).toBe(0);
    expect((await runPair('verify', { pair: { verify: async () => ({ ...found, divergences }) } })).code).toBe(3);
    expect((await runPair('verify', { pair: { verify: async () => ({ ...found, problems: [bad] }) } })).code).toBe(3);
  });
});
