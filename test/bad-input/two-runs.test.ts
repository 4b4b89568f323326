import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import path from 'node:path';
import { sync } from '../../src/s3/index.js';
import { Stage } from './stage.js';

// Each test starts processes, and the machine may have other work.
vi.setConfig({ testTimeout: 90_000, hookTimeout: 90_000 });

let stage: Stage;

beforeAll(async () => {
  stage = await Stage.open();
});
afterAll(() => stage.close());

describe('two runs at once', () => {
  it('of two processes: the second ends with 11 at once, and names the first', async () => {
    const files = Object.fromEntries(Array.from({ length: 12 }, (_, i) => [`f${i}`, Buffer.alloc(100_000, i)]));
    const pair = await stage.pair({ files });
    const first = pair.start(['--bandwidth', '600KiB', '--concurrency', '1']);
    await first.says('"type":"done"');
    // It holds the pair for as long as the others are looked at.
    first.kill('SIGSTOP');
    for (const command of ['sync', 'resolve', 'forget']) {
      const argv =
        command === 'resolve'
          ? [command, ...pair.argv, 'f0', '--use', 'local']
          : command === 'forget'
            ? [command, ...pair.argv, '--yes']
            : [command, ...pair.argv];
      const second = await stage.command.run([...argv, '--json']);
      expect([second.code, second.error()['code']], second.stderr).toEqual([11, 'ERR_LOCKED']);
      expect(second.error()['message']).toMatch(
        new RegExp(`process ${first.pid} on .*Wait until it has ended, or stop it`),
      );
      expect(second.error()['retryable']).toBe(true);
    }
    const stateDir = path.join(stage.place, 'state');
    await expect(sync(stage.client, pair.bucket, pair.folder, { stateDir })).rejects.toMatchObject({
      name: 'LockedError',
      code: 'ERR_LOCKED',
    });
    first.kill('SIGCONT');
    expect((await first.ended).code).toBe(0);
    expect(await pair.keys()).toHaveLength(12);
    expect((await pair.sync()).code).toBe(0);
  });

  it('of one process wait for each other', async () => {
    const pair = await stage.pair({ files: { a: '1', b: '2' }, objects: { c: '3' } });
    const stateDir = path.join(stage.place, 'one process');
    const results = await Promise.all(
      Array.from({ length: 3 }, () => sync(stage.client, pair.bucket, pair.folder, { stateDir })),
    );
    // Which of them comes first is nobody's business.
    expect(results.map((changes) => changes.length).toSorted((x, y) => x - y)).toEqual([0, 0, 3]);
    expect([await pair.keys(), await pair.files()]).toEqual([
      ['a', 'b', 'c'],
      ['a', 'b', 'c'],
    ]);
  });

  it('of a folder with two buckets: the second is refused', async () => {
    const one = await stage.pair({ files: { a: '1' } });
    const two = await stage.pair({ folder: one.folder });
    expect((await one.sync()).code).toBe(0);
    const ended = await two.sync();
    expect([ended.code, ended.error()['code']]).toEqual([2, 'ERR_FOLDER_PAIRED_ELSEWHERE']);
    expect(await two.keys()).toEqual([]);
  });
});
