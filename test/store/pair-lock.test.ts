import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { BaselineRow } from '../../src/core/baseline.js';
import type { Clock } from '../../src/core/runtime.js';
import { openPair, forgetPair } from '../../src/store/open-pair.js';
import { pairIdOf, type PairIdentity } from '../../src/store/pair-identity.js';
import { acquirePairLock, readPairHolder } from '../../src/store/pair-lock.js';
import { openRegister } from '../../src/store/register.js';
import { pairPathsOf } from '../../src/store/state-directory.js';
import { compileStore, TalkingChild } from './child-process.js';

const clock: Clock = {
  nowMs: () => Date.now(),
  sleep: (durationMs, signal) =>
    new Promise((resolve, reject) => {
      const timer = setTimeout(resolve, durationMs);
      signal?.addEventListener('abort', () => (clearTimeout(timer), reject(signal.reason)), { once: true });
    }),
};

let root: string;
let compiled: string;
let next = 0;
const newState = (): string => path.join(root, `state-${next++}`);
const pair: PairIdentity = { endpoint: 'http://127.0.0.1:9000', bucket: 'bucket', prefix: '', folder: '/data/folder' };
const row: BaselineRow = { path: 'a', sizeBytes: 1, local: 'l', remote: 'r', digest: undefined, recordedAtMs: 5 };

/** Holds the pair, writes one row after another, and says each number once it is written. */
const HOLDER = `
  import { openPair } from './store/open-pair.js';
  const clock = { nowMs: () => Date.now(), sleep: (ms) => new Promise((resolve) => setTimeout(resolve, ms)) };
  const pair = await openPair(process.argv[2], JSON.parse(process.argv[3]), { clock });
  console.log('open');
  for (let i = 0; ; i++) {
    await pair.store.baseline.put([{ path: 'p' + i, sizeBytes: i, local: 'l', remote: 'r', recordedAtMs: 1 }]);
    process.stdout.write(i + '\\n');
  }
`;

const CLAIMER = `
  import { openRegister } from './store/register.js';
  const clock = { nowMs: () => Date.now(), sleep: (ms) => new Promise((resolve) => setTimeout(resolve, ms)) };
  const register = openRegister(process.argv[2], clock);
  for (let i = 0; i < 10; i++) {
    const folder = '/data/' + process.argv[3] + '-' + i;
    await register.claim({ endpoint: 'http://127.0.0.1:9000', bucket: 'bucket', prefix: folder, folder });
  }
  console.log('done');
`;

beforeAll(async () => {
  root = await mkdtemp(path.join(tmpdir(), 'pair-lock-'));
  compiled = await compileStore(root);
  await writeFile(path.join(compiled, 'holder.js'), HOLDER);
  await writeFile(path.join(compiled, 'claimer.js'), CLAIMER);
});
afterAll(() => rm(root, { recursive: true, force: true }));

describe('acquirePairLock', () => {
  it('makes calls of one process wait for each other', async () => {
    const state = newState();
    const first = await acquirePairLock(state, pair, { clock });
    let entered = false;
    const second = acquirePairLock(state, pair, { clock }).then((lock) => ((entered = true), lock));
    await new Promise((resolve) => setImmediate(resolve));
    expect(entered).toBe(false);
    await first.release();
    await first.release();
    await (await second).release();
  });

  it('does not make calls for different pairs wait', async () => {
    const state = newState();
    const first = await acquirePairLock(state, pair, { clock });
    const second = await acquirePairLock(state, { ...pair, prefix: 'other/' }, { clock });
    await second.release();
    await first.release();
  });

  it('stops waiting when the signal is aborted, and leaves the lock to the next', async () => {
    const state = newState();
    const first = await acquirePairLock(state, pair, { clock });
    const controller = new AbortController();
    const second = acquirePairLock(state, pair, { clock, signal: controller.signal });
    controller.abort(new Error('enough'));
    await expect(second).rejects.toThrow('enough');
    await first.release();
    await (await acquirePairLock(state, pair, { clock })).release();
  });

  it('says who holds it, only while it is held', async () => {
    const state = newState();
    const lock = await acquirePairLock(state, pair, { clock: { nowMs: () => 1_700_000_000_000 } });
    expect(await readPairHolder(state, lock.pairId)).toEqual({
      pid: process.pid,
      host: hostname(),
      sinceMs: 1_700_000_000_000,
    });
    await lock.release();
    expect(await readPairHolder(state, lock.pairId)).toBeUndefined();
  });

  it('takes a lock whose files were damaged', async () => {
    const state = newState();
    await (await acquirePairLock(state, pair, { clock })).release();
    const paths = pairPathsOf(state, pairIdOf(pair));
    await writeFile(path.join(paths.lock, 'CURRENT'), 'nonsense');
    await writeFile(paths.holder, '{"pid":');
    await (await acquirePairLock(state, pair, { clock })).release();
  });
});

describe('a pair that another process holds', () => {
  it('is refused at once with ERR_LOCKED, naming the process; kill -9 leaves no lock and no written row behind', async () => {
    const state = newState();
    const child = new TalkingChild(path.join(compiled, 'holder.js'), state, JSON.stringify(pair));
    try {
      expect(await child.line()).toBe('open');
      await child.line();
      const refused = await openPair(state, pair, { clock }).catch((error: unknown) => error);
      expect(refused).toMatchObject({
        code: 'ERR_LOCKED',
        data: { folder: '/data/folder', holder: { pid: child.process.pid, host: hostname() } },
      });
      expect(String(refused)).toContain(
        `/data/folder with s3://bucket/ at http://127.0.0.1:9000 (process ${child.process.pid} on`,
      );
      let last = 0;
      for (let i = 0; i < 200; i++) last = Number(await child.line());
      await child.kill();

      const opened = await openPair(state, pair, { clock });
      const rows: BaselineRow[] = [];
      for await (const page of opened.store.baseline.scan()) rows.push(...page);
      expect(opened.store.rebuilt).toBe(false);
      expect(rows.length).toBeGreaterThan(last);
      expect(new Set(rows.map(({ path: rowPath }) => rowPath))).toEqual(new Set(rows.map((_, i) => `p${i}`)));
      await opened.close();
    } finally {
      await child.kill();
    }
  });

  it('waits for nobody after a refusal', async () => {
    const state = newState();
    const child = new TalkingChild(path.join(compiled, 'holder.js'), state, JSON.stringify(pair));
    try {
      expect(await child.line()).toBe('open');
      await expect(acquirePairLock(state, pair, { clock })).rejects.toMatchObject({ code: 'ERR_LOCKED' });
      await expect(acquirePairLock(state, pair, { clock })).rejects.toMatchObject({ code: 'ERR_LOCKED' });
    } finally {
      await child.kill();
    }
  });
});

describe('openPair', () => {
  it('opens the state under the lock, and again after damage', async () => {
    const state = newState();
    const first = await openPair(state, pair, { clock });
    await first.store.baseline.put([row]);
    await first.close();
    const { database } = pairPathsOf(state, first.pairId);
    const mark = await readFile(path.join(database, 'mark'), 'utf8');
    await writeFile(path.join(database, 'mark'), mark.replace('clean', 'clear'));
    const second = await openPair(state, pair, { clock });
    expect(second.store.rebuilt).toBe(true);
    await second.store.baseline.put([row]);
    const reopened = await second.reopen();
    expect([reopened.rebuilt, await reopened.baseline.get('a'), second.store === reopened]).toEqual([false, row, true]);
    await second.close();
  });

  it('leaves no lock when the folder is refused', async () => {
    const state = newState();
    await (await openPair(state, pair, { clock })).close();
    const other = { ...pair, bucket: 'other' };
    await expect(openPair(state, other, { clock })).rejects.toMatchObject({ code: 'ERR_FOLDER_PAIRED_ELSEWHERE' });
    await (await openPair(state, other, { clock, allowOverlap: true })).close();
  });
});

describe('forgetPair', () => {
  it('deletes the state and the claim, and answers whether there was one', async () => {
    const state = newState();
    const opened = await openPair(state, pair, { clock });
    await opened.store.baseline.put([row]);
    await opened.close();
    expect(await forgetPair(state, pair, { clock })).toBe(true);
    expect(await forgetPair(state, pair, { clock })).toBe(false);
    const other = await openPair(state, { ...pair, bucket: 'other' }, { clock });
    await other.close();
    await forgetPair(state, { ...pair, bucket: 'other' }, { clock });
    const again = await openPair(state, pair, { clock });
    expect([again.store.rebuilt, await again.store.baseline.get('a')]).toEqual([false, undefined]);
    await again.close();
  });
});

describe('the register of several processes', () => {
  it('loses no claim', async () => {
    const state = newState();
    const children = ['x', 'y', 'z'].map((name) => new TalkingChild(path.join(compiled, 'claimer.js'), state, name));
    for (const child of children) expect(await child.line()).toBe('done');
    for (const child of children) expect(await child.exit()).toBe(0);
    const folders = (await openRegister(state, clock).list()).map(({ folder }) => folder);
    expect(folders).toEqual(
      ['x', 'y', 'z'].flatMap((name) => Array.from({ length: 10 }, (_, i) => `/data/${name}-${i}`)),
    );
  });
});
