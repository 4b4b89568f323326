import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { Stage, type BadPair } from './stage.js';

// Each test starts processes, and the machine may have other work.
vi.setConfig({ testTimeout: 90_000, hookTimeout: 90_000 });

let stage: Stage;
let pair: BadPair;

beforeAll(async () => {
  stage = await Stage.open();
  pair = await stage.pair({ files: { 'here.txt': 'here' }, objects: { 'there.txt': 'there' } });
});
afterAll(async () => {
  // Wrong usage touches nothing, whatever it was.
  expect([await pair.files(), await pair.keys()]).toEqual([['here.txt'], ['there.txt']]);
  await stage.close();
});

const ADDRESS = 's3://bucket';

describe('wrong usage ends with 2 and the way out:', () => {
  it.each([
    ['an unknown flag', ['sync', '.', ADDRESS, '--concurency', '4'], /--concurency.*--concurrency/s],
    ['an unknown flag that is like none', ['sync', '.', ADDRESS, '--frobnicate'], /--frobnicate.*--help/s],
    ['an unknown command', ['snyc', '.', ADDRESS], /snyc.*sync/s],
    ['an unknown policy', ['sync', '.', ADDRESS, '--conflict', 'newset'], /one of "newest".*not "newset"/s],
    ['no number', ['sync', '.', ADDRESS, '--concurrency', 'many'], /--concurrency.*number/s],
    ['a number that is impossible', ['sync', '.', ADDRESS, '--concurrency', '0'], /--concurrency.*1/s],
    ['a part size that no store takes', ['sync', '.', ADDRESS, '--part-size', '1'], /--part-size.*5/s],
    ['a share of more than all', ['sync', '.', ADDRESS, '--max-delete', '50'], /--max-delete.*1/s],
    ['a bandwidth without sense', ['sync', '.', ADDRESS, '--bandwidth', 'fast'], /--bandwidth/],
    ['an endpoint without scheme', ['sync', '.', ADDRESS, '--endpoint', 'localhost:9000'], /--endpoint.*http/s],
    ['a timeout of nothing', ['sync', '.', ADDRESS, '--timeout', '0'], /--timeout/],
    ['folder and bucket swapped', ['sync', ADDRESS, '.'], /swap|first the folder|folder.*bucket/is],
    ['two folders', ['sync', '.', '..'], /bucket/],
    ['two buckets', ['sync', ADDRESS, ADDRESS], /folder/],
    ['a bucket of the wrong scheme', ['sync', '.', 'https://bucket'], /s3:\/\//],
    ['a bucket name that none can have', ['sync', '.', 's3://Bad_Bucket!'], /Bad_Bucket/],
    ['a folder alone', ['sync', '.'], /bucket/],
    ['too much', ['sync', '.', ADDRESS, 'more'], /more|argument/],
    ['an empty folder name', ['sync', '', ADDRESS], /empty/],
  ])('%s', async (_name, argv, wanted) => {
    const ended = await stage.command.run([...argv, '--json'], { cwd: pair.folder });
    expect(ended.code).toBe(2);
    expect(ended.error()).toMatchObject({ code: 'ERR_USAGE', message: expect.stringMatching(wanted) });
    expect(ended.stderr).not.toMatch(/\n\s+at /);
  });

  it('several mistakes are told at once', async () => {
    const ended = await stage.command.run(['sync', '.', ADDRESS, '--concurrency', '0', '--conflict', 'x', '--json'], {
      cwd: pair.folder,
    });
    expect(ended.error()['message']).toMatch(/--concurrency[^]*--conflict|--conflict[^]*--concurrency/);
  });

  it('an impossible value in the environment is named by its variable', async () => {
    const ended = await stage.command.run(['sync', ...pair.argv, '--json'], {
      env: { FILECLOUDSYNC_CONCURRENCY: 'lots', S3_ENDPOINT: 'not an address' },
    });
    expect(ended.code).toBe(2);
    expect(ended.error()['message']).toMatch(/FILECLOUDSYNC_CONCURRENCY|S3_ENDPOINT/);
  });
});
