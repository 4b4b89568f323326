import { randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { Started } from './command.js';
import { hostileTcp } from './hostile-server.js';
import { Stage, type BadPair } from './stage.js';

// Each test starts processes, and the machine may have other work.
vi.setConfig({ testTimeout: 90_000, hookTimeout: 90_000 });

const MIB = 1024 * 1024;

let stage: Stage;

beforeAll(async () => {
  stage = await Stage.open();
});
afterAll(() => stage.close());

function manyFiles(count: number): Record<string, string> {
  return Object.fromEntries(
    Array.from({ length: count }, (_, i) => [`d${i % 7}/f${String(i).padStart(3, '0')}`, `content ${i}`]),
  );
}

/** Kills the run as soon as the server has answered `count` requests that match. */
async function killAt(run: Started, wanted: RegExp, count: number): Promise<void> {
  let seen = 0;
  const listener = (line: string): void => {
    if (wanted.test(line) && ++seen === count) run.kill('SIGKILL');
  };
  stage.listeners.add(listener);
  const ended = await run.ended;
  stage.listeners.delete(listener);
  expect(ended.signal, ended.stderr).toBe('SIGKILL');
}

/** The same command again goes on, without a flag, and leaves nothing behind. */
async function expectGoesOn(pair: BadPair, files: readonly string[]): Promise<void> {
  const again = await pair.sync();
  expect(again.code, again.stdout + again.stderr).toBe(0);
  expect(again.lines().at(-1)).toMatchObject({ type: 'end', problems: 0, conflicts: 0 });
  await expectClean(pair, files);
}

async function expectClean(pair: BadPair, files: readonly string[]): Promise<void> {
  expect(await pair.keys()).toEqual(files.toSorted());
  expect(await pair.files()).toEqual(files.toSorted());
  expect([await pair.unfinishedUploads(), await pair.staged(), await pair.trashed()]).toEqual([[], [], []]);
  for (const name of files) expect((await pair.read(name)).equals(await pair.get(name)), name).toBe(true);
}

describe('kill -9', () => {
  it('in the middle of 200 uploads', async () => {
    const files = manyFiles(200);
    const pair = await stage.pair({ files });
    const run = pair.start();
    await killAt(run, /PUT \/[^/]+\/d\d\/f/, 80);
    const carried = await pair.keys();
    expect(carried.length).toBeGreaterThan(50);
    expect(carried.length).toBeLessThan(200);
    await expectGoesOn(pair, Object.keys(files));
    expect((await pair.sync()).lines().at(-1)).toMatchObject({ type: 'end', changes: 0 });
  });

  it('in the middle of 200 downloads', async () => {
    const pair = await stage.pair({ objects: manyFiles(200) });
    await killAt(pair.start(), /GET \/[^/]+\/d\d\/f/, 80);
    await expectGoesOn(pair, Object.keys(manyFiles(200)));
  });

  it('in the middle of one upload in parts, which goes on with the parts that are there', async () => {
    const pair = await stage.pair({ files: { 'large.bin': randomBytes(40 * MIB) } });
    await killAt(pair.start(['--part-size', '5', '--bandwidth', '60MiB']), /PUT \/[^/]+\/large\.bin/, 4);
    expect(await pair.unfinishedUploads()).toEqual(['large.bin']);
    let sent = 0;
    const count = (line: string): void => void (/PUT \/[^/]+\/large\.bin/.test(line) && sent++);
    stage.listeners.add(count);
    const again = await pair.sync(['--part-size', '5']);
    stage.listeners.delete(count);
    expect(again.code, again.stderr).toBe(0);
    expect(sent).toBeLessThanOrEqual(4);
    await expectClean(pair, ['large.bin']);
  });

  it('in the middle of one upload in parts of a file that is gone afterwards leaves no upload', async () => {
    const pair = await stage.pair({ files: { 'large.bin': randomBytes(16 * MIB), 'small.txt': 'small' } });
    await killAt(pair.start(['--part-size', '5', '--bandwidth', '40MiB']), /PUT \/[^/]+\/large\.bin/, 1);
    await pair.remove('large.bin');
    await expectGoesOn(pair, ['small.txt']);
  });

  it('in the middle of one upload leaves it alone under readonly, which never writes to the bucket', async () => {
    const pair = await stage.pair({ files: { 'large.bin': randomBytes(16 * MIB) } });
    await killAt(pair.start(['--part-size', '5']), /POST \/[^/]+\/large\.bin/, 1);
    await pair.remove('large.bin');
    const asked: string[] = [];
    const note = (line: string): void => void asked.push(line);
    stage.listeners.add(note);
    const ended = await pair.sync(['--readonly']);
    stage.listeners.delete(note);
    expect(ended.code, ended.stderr).toBe(0);
    expect(asked.length).toBeGreaterThan(1);
    expect(asked.filter((line) => !/^\d+ (GET|HEAD) /.test(line))).toEqual([]);
    await expectGoesOn(pair, []);
  });

  it('in the middle of one download', async () => {
    const pair = await stage.pair({ objects: { 'large.bin': randomBytes(16 * MIB) } });
    const run = pair.start(['--bandwidth', '8MiB']);
    while ((await pair.staged()).every((name) => name.includes('probe'))) await delay(5);
    run.kill('SIGKILL');
    expect((await run.ended).signal).toBe('SIGKILL');
    expect(await pair.files()).toEqual([]);
    await expectGoesOn(pair, ['large.bin']);
  });

  it.each([1, 20, 45])('while the store is tried out, after %i requests', async (count) => {
    const pair = await stage.pair({ files: { 'a.txt': 'a' } });
    await killAt(pair.start(), /\.filecloudsync\/probe-/, count);
    await expectGoesOn(pair, ['a.txt']);
  });
});

describe('Ctrl-C', () => {
  it('once finishes what runs, saves, and ends with 130', async () => {
    const files = Object.fromEntries(
      Array.from({ length: 20 }, (_, i) => [`f${String(i).padStart(2, '0')}`, Buffer.alloc(100_000, i)]),
    );
    const pair = await stage.pair({ files });
    const run = pair.start(['--bandwidth', '500KiB', '--concurrency', '2']);
    await run.says('"type":"done"', 2);
    run.kill('SIGINT');
    const ended = await run.ended;
    expect(ended.code).toBe(130);
    expect(ended.stdout).toContain('"stage":"finish"');
    expect(ended.stderr).toMatch(/Run the same command again|run the same command again/);
    // Told and carried are the same: nothing was cut off, nothing is forgotten.
    expect(ended.lines().filter(({ type }) => type === 'done')).toHaveLength((await pair.keys()).length);
    expect((await pair.keys()).length).toBeLessThan(20);
    await expectGoesOn(pair, Object.keys(files));
  });

  it.each(['SIGINT', 'SIGTERM'] as const)('twice (%s) cancels, and the same command goes on', async (signal) => {
    const pair = await stage.pair({
      files: { 'large.bin': randomBytes(16 * MIB) },
      objects: { 'other.bin': randomBytes(8 * MIB) },
    });
    const run = pair.start(['--bandwidth', '1MiB', '--part-size', '5', '--verbose']);
    await run.says('"type":"start"', 2);
    run.kill(signal);
    await run.says('"stage":"finish"');
    // Two within a moment count as one, as npx sends them.
    await delay(400);
    run.kill(signal);
    const ended = await run.ended;
    expect(ended.code).toBe(130);
    expect(ended.stdout).toContain('"stage":"cancel"');
    expect([await pair.files(), await pair.keys(), await pair.staged()]).toEqual([['large.bin'], ['other.bin'], []]);
    await expectGoesOn(pair, ['large.bin', 'other.bin']);
  });

  it('while nothing was begun ends at once', async () => {
    const silent = await hostileTcp(() => {});
    const pair = await stage.pair();
    const run = pair.start(['--endpoint', silent.endpoint]);
    await silent.reached;
    run.kill('SIGINT');
    const ended = await run.ended;
    await silent.close();
    expect(ended.code).toBe(130);
    expect(await pair.keys()).toEqual([]);
  });
});
