import { spawn } from 'node:child_process';
import { chmod, mkdir, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { Ended } from './command.js';
import { Stage } from './stage.js';

// Each test starts processes, and the machine may have other work.
vi.setConfig({ testTimeout: 90_000, hookTimeout: 90_000 });

let stage: Stage;

beforeAll(async () => {
  stage = await Stage.open();
});
afterAll(() => stage.close());

interface ToldProblem {
  readonly path: string;
  readonly code: string;
  readonly message: string;
}

function problems(ended: Ended): ToldProblem[] {
  return ended.lines().flatMap((line) => (line.type === 'problem' ? [line['problem'] as ToldProblem] : []));
}

describe('a file that', () => {
  it('cannot be read is told, kept on both sides, and stops no other', async () => {
    const pair = await stage.pair({ files: { 'a.txt': 'a', 'known.txt': 'old', 'z.txt': 'z' } });
    await pair.sync([], { withoutPrivileges: true });
    await pair.write('secret.txt', 'secret');
    await pair.write('known.txt', 'edited');
    await pair.write('a.txt', 'edited');
    for (const name of ['secret.txt', 'known.txt']) await chmod(path.join(pair.folder, name), 0o000);
    const ended = await pair.sync([], { withoutPrivileges: true });
    expect(ended.code).toBe(3);
    expect(
      problems(ended)
        .map(({ path: at, code }) => `${at} ${code}`)
        .sort(),
    ).toEqual(['known.txt ERR_ACCESS_DENIED', 'secret.txt ERR_ACCESS_DENIED']);
    expect(problems(ended)[0]?.message).toMatch(/give access/);
    expect([String(await pair.get('a.txt')), String(await pair.get('known.txt'))]).toEqual(['edited', 'old']);
    expect(await pair.keys()).toEqual(['a.txt', 'known.txt', 'z.txt']);
    for (const name of ['secret.txt', 'known.txt']) await chmod(path.join(pair.folder, name), 0o644);
    expect((await pair.sync([], { withoutPrivileges: true })).code).toBe(0);
    expect(String(await pair.get('secret.txt'))).toBe('secret');
  });

  it('may not be replaced, because its directory is closed, is told and stops no other', async () => {
    const pair = await stage.pair({ files: { 'closed/in.txt': 'old', 'open.txt': 'old' } });
    await pair.sync([], { withoutPrivileges: true });
    await pair.put('closed/in.txt', 'newer');
    await pair.put('open.txt', 'newer');
    await chmod(path.join(pair.folder, 'closed'), 0o555);
    const ended = await pair.sync([], { withoutPrivileges: true });
    await chmod(path.join(pair.folder, 'closed'), 0o755);
    expect(ended.code).toBe(3);
    expect(problems(ended)).toMatchObject([{ path: 'closed/in.txt', code: 'ERR_ACCESS_DENIED' }]);
    expect([String(await pair.read('closed/in.txt')), String(await pair.read('open.txt'))]).toEqual(['old', 'newer']);
    expect(await pair.staged()).toEqual([]);
    expect((await pair.sync([], { withoutPrivileges: true })).code).toBe(0);
    expect(String(await pair.read('closed/in.txt'))).toBe('newer');
  });

  it('vanishes while others travel is no failure', async () => {
    const files = Object.fromEntries(Array.from({ length: 8 }, (_, i) => [`f${i}`, Buffer.alloc(100_000, i)]));
    const pair = await stage.pair({ files });
    const run = pair.start(['--bandwidth', '400KiB', '--concurrency', '1']);
    await run.says('"type":"done"');
    run.kill('SIGSTOP');
    await rm(path.join(pair.folder, 'f6'));
    await rm(path.join(pair.folder, 'f7'));
    run.kill('SIGCONT');
    const ended = await run.ended;
    expect(ended.code, ended.stdout).toBe(0);
    expect(await pair.keys()).toEqual(['f0', 'f1', 'f2', 'f3', 'f4', 'f5']);
  });

  it('is rewritten without pause is never sent half, and stops no other', async () => {
    const pair = await stage.pair({ files: { 'a.txt': 'a', 'busy.bin': Buffer.alloc(1024 * 1024, 65), 'z.txt': 'z' } });
    // One letter over the whole file, in sixteen steps, then the next one.
    const script = `
      const fs = require('node:fs');
      const file = fs.openSync(process.argv[1], 'r+');
      const nap = new Int32Array(new SharedArrayBuffer(4));
      for (let turn = 0; ; turn++) for (let step = 0; step < 16; step++) {
        fs.writeSync(file, Buffer.alloc(65536, 65 + (turn % 26)), 0, 65536, step * 65536);
        Atomics.wait(nap, 0, 0, 2);
      }`;
    const writer = spawn(process.execPath, ['-e', script, path.join(pair.folder, 'busy.bin')], { stdio: 'ignore' });
    const ended = await pair.sync();
    const after = await pair.sync();
    writer.kill('SIGKILL');
    for (const each of [ended, after]) {
      expect(each.code, each.stdout).toBe(0);
      for (const { path: at, code, message } of problems(each)) {
        expect([at, code]).toEqual(['busy.bin', 'ERR_STILL_CHANGING']);
        expect(message).toMatch(/tried again in the next cycle/);
      }
    }
    const keys = await pair.keys();
    expect(keys.filter((key) => key !== 'busy.bin')).toEqual(['a.txt', 'z.txt']);
    expect(await pair.unfinishedUploads()).toEqual([]);
    expect((await pair.sync()).code).toBe(0);
    expect((await pair.read('busy.bin')).equals(await pair.get('busy.bin'))).toBe(true);
  });
});

describe('a key that', () => {
  const HOSTILE = [
    '../evil.txt',
    '..',
    '/absolute',
    'a//b',
    'x/../y',
    './dot',
    'dir/',
    `${'z'.repeat(256)}/long`,
    `deep${'/d'.repeat(505)}`,
    '.filecloudsync/tmp/mine',
  ];

  it('is hostile, or that the disk cannot hold, is told and left alone, and the others travel', async () => {
    const pair = await stage.pair({ files: { 'here.txt': 'here' } });
    for (const key of HOSTILE) await pair.put(key, 'hostile');
    await pair.put('fine.txt', 'fine');
    const before = await readdir(stage.place);
    const ended = await pair.sync();
    expect(ended.code).toBe(3);
    const told = problems(ended);
    for (const { code, message } of told) {
      expect(code).toMatch(/^ERR_/);
      expect(message).toMatch(/left alone|rename/i);
    }
    expect((await pair.files()).filter((name) => !name.startsWith('deep/'))).toEqual(['fine.txt', 'here.txt']);
    expect(await readdir(stage.place)).toEqual(before);
    expect((await pair.keys()).filter((key) => key !== 'here.txt')).toEqual([...HOSTILE, 'fine.txt'].sort());
    expect(await pair.staged()).toEqual([]);
    const again = await pair.sync();
    expect(again.lines().at(-1)).toMatchObject({ type: 'end', changes: 0 });
  });

  it('would act on the terminal is shown without its teeth', async () => {
    const key = 'red\u001b[31m\u0007\r\n\u009b2J.txt';
    const pair = await stage.pair({ objects: { [key]: 'content' } });
    const ended = await stage.command.run(['sync', ...pair.argv]);
    expect(ended.code).toBe(0);
    // eslint-disable-next-line no-control-regex
    expect(ended.stdout + ended.stderr).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/);
    expect(await pair.files()).toEqual([key]);
  });

  it('leads through a link that stands in the folder writes nothing beyond it', async () => {
    const pair = await stage.pair({ objects: { 'link/planted.txt': 'hostile', 'fine.txt': 'fine' } });
    const outside = path.join(stage.place, 'outside');
    await mkdir(outside, { recursive: true });
    await writeFile(path.join(outside, 'kept.txt'), 'kept');
    await symlink(outside, path.join(pair.folder, 'link'));
    const ended = await pair.sync();
    expect([0, 3]).toContain(ended.code);
    expect(await readdir(outside)).toEqual(['kept.txt']);
    expect(await pair.keys()).toEqual(['fine.txt', 'link/planted.txt']);
    expect(String(await pair.read('fine.txt'))).toBe('fine');
  });
});
