import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { BaselineRow } from '../core/baseline.js';
import { EMPTY_TALLY, readMark } from './baseline-tally.js';
import type { Database } from './database.js';
import { openLevelDatabase } from './level-database.js';
import { SealedBaseline } from './sealed-baseline.js';
import { StateContext } from './state-context.js';

let directory: string;
let database: Database;
let baseline: SealedBaseline;
let batches: { readonly rows: number; readonly sync: boolean }[];
let failNext = false;

beforeEach(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'sealed-baseline-'));
  database = await openLevelDatabase(path.join(directory, 'db'));
  batches = [];
  failNext = false;
  const counted = new Proxy(database, {
    get(target, name) {
      if (name === 'batch') {
        return async (...[operations, options]: Parameters<Database['batch']>) => {
          batches.push({ rows: operations.length, sync: options?.sync ?? false });
          if (failNext) throw new Error('the disk is full');
          await target.batch(operations, options);
        };
      }
      const value: unknown = Reflect.get(target, name);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
  baseline = new SealedBaseline(new StateContext(counted, 'test'), EMPTY_TALLY, 'clean');
});

afterEach(async () => {
  await database.close();
  await rm(directory, { recursive: true, force: true });
});

function row(at: string, sizeBytes = 1): BaselineRow {
  return { path: at, sizeBytes, local: 'l', remote: 'r', digest: undefined, recordedAtMs: 1 };
}

async function paths(): Promise<string[]> {
  const found: string[] = [];
  for await (const page of baseline.scan()) found.push(...page.map((each) => `${each.path}=${each.sizeBytes}`));
  return found;
}

describe('SealedBaseline', () => {
  it('writes what waits in one batch, and each caller waits for it', async () => {
    await Promise.all(Array.from({ length: 20 }, (_, n) => baseline.put([row(`file-${n}`)])));
    expect(batches.reduce((sum, { rows }) => sum + rows, 0)).toBe(20);
    expect(batches.length).toBeLessThanOrEqual(2);
    expect(await paths()).toHaveLength(20);
  });

  it('keeps the last of several changes of a path', async () => {
    await Promise.all([
      baseline.put([row('a', 1)]),
      baseline.put([row('a', 2)]),
      baseline.delete(['a']),
      baseline.put([row('a', 3)]),
      baseline.put([row('b', 1)]),
      baseline.delete(['b']),
    ]);
    expect(await paths()).toEqual(['a=3']);
    await baseline.settle();
    expect(await readMark(database)).toMatchObject({ state: 'clean', tally: { rows: 1 } });
  });

  it('makes the whole batch durable when one of its callers asks for it', async () => {
    await Promise.all([
      baseline.put([row('first')]),
      baseline.put([row('a')]),
      baseline.put([row('b')], { sync: true }),
      baseline.put([row('c')]),
    ]);
    expect(batches.find(({ rows }) => rows > 1) ?? batches[0]).toMatchObject({ sync: true });
  });

  it('does not let a change overtake a clear that was asked for before it', async () => {
    await Promise.all([
      baseline.put([row('before')]),
      baseline.put([row('joined')]),
      baseline.clear(),
      baseline.put([row('after')]),
    ]);
    expect(await paths()).toEqual(['after=1']);
  });

  it('does not count a change that came later as settled', async () => {
    await Promise.all([baseline.put([row('before')]), baseline.settle(), baseline.put([row('after')])]);
    expect(await readMark(database)).toEqual({ state: 'open' });
    await baseline.settle();
    expect(await readMark(database)).toMatchObject({ state: 'clean', tally: { rows: 2 } });
  });

  it('tells every caller of a batch that it failed', async () => {
    failNext = true;
    const outcomes = await Promise.allSettled([baseline.put([row('a')]), baseline.put([row('b')])]);
    expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    expect(await paths()).toEqual([]);
  });
});
