import { chmod, mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { checkChanges, sync } from '../../src/s3/index.js';
import { Stage, type BadPair } from './stage.js';

// Each test starts processes, and the machine may have other work.
vi.setConfig({ testTimeout: 90_000, hookTimeout: 90_000 });

let stage: Stage;
let pair: BadPair;

beforeAll(async () => {
  stage = await Stage.open();
  pair = await stage.pair({ objects: { 'a.txt': 'kept' } });
});
afterAll(() => stage.close());

describe('a folder that', () => {
  it('is missing is not created, for it may be a disk that is not mounted', async () => {
    const folder = path.join(stage.place, 'not-mounted');
    const ended = await stage.command.run(['sync', folder, `s3://${pair.bucket}`, '--json']);
    expect(ended.code).toBe(2);
    expect(ended.error()).toMatchObject({
      code: 'ERR_FOLDER_MISSING',
      message: expect.stringMatching(/does not exist.*(mkdir|create the folder)/),
    });
    expect(ended.stderr).toContain(folder);
    await expect(
      sync(stage.client, pair.bucket, folder, { stateDir: path.join(stage.place, 'library') }),
    ).rejects.toMatchObject({ code: 'ERR_FOLDER_MISSING' });
    await expect(
      checkChanges(stage.client, pair.bucket, folder, { stateDir: path.join(stage.place, 'library') }),
    ).rejects.toMatchObject({ code: 'ERR_FOLDER_MISSING' });
    expect(await pair.keys()).toEqual(['a.txt']);
  });

  it('is a file, or lies below one, is refused', async () => {
    const file = path.join(stage.place, 'file.txt');
    await writeFile(file, 'a file');
    const ended = await stage.command.run(['sync', file, `s3://${pair.bucket}`, '--json']);
    expect(ended.code).toBe(2);
    expect(ended.error()).toMatchObject({
      code: 'ERR_FOLDER_NOT_A_DIRECTORY',
      message: expect.stringMatching(/is a file, not a folder.*Name the folder/),
    });
    const below = await stage.command.run(['sync', path.join(file, 'below'), `s3://${pair.bucket}`, '--json']);
    expect([below.code, below.error()['code']]).toEqual([2, 'ERR_FOLDER_MISSING']);
    await expect(
      sync(stage.client, pair.bucket, file, { stateDir: path.join(stage.place, 'library') }),
    ).rejects.toMatchObject({ code: 'ERR_FOLDER_NOT_A_DIRECTORY' });
    expect(await pair.keys()).toEqual(['a.txt']);
  });

  it('may not be written to is refused before anything is carried, and can still be planned and uploaded nothing from', async () => {
    const closed = await stage.pair({ files: { 'here.txt': 'here' }, objects: { 'there.txt': 'there' } });
    await chmod(closed.folder, 0o555);
    const ended = await closed.sync([], { withoutPrivileges: true });
    expect(ended.code).toBe(2);
    expect(ended.error()).toMatchObject({
      code: 'ERR_FOLDER_NOT_WRITABLE',
      message: expect.stringMatching(/Nothing can be written in .*EACCES.*Give the right to write/),
    });
    expect([await closed.keys(), await closed.files()]).toEqual([['there.txt'], ['here.txt']]);
    const plan = await stage.command.run(['plan', ...closed.argv, '--json'], { withoutPrivileges: true });
    expect(plan.code).toBe(0);
    await chmod(closed.folder, 0o755);
    expect((await closed.sync([], { withoutPrivileges: true })).code).toBe(0);
    expect([await closed.keys(), await closed.files()]).toEqual([
      ['here.txt', 'there.txt'],
      ['here.txt', 'there.txt'],
    ]);
  });

  it('may not be read, or lies where nobody may look, is refused', async () => {
    const outer = path.join(stage.place, 'closed');
    const inner = path.join(outer, 'folder');
    await mkdir(inner, { recursive: true });
    await writeFile(path.join(inner, 'x'), 'x');
    await chmod(inner, 0o000);
    const unreadable = await stage.command.run(['sync', inner, `s3://${pair.bucket}`, '--json'], {
      withoutPrivileges: true,
    });
    expect(unreadable.code).toBe(2);
    expect(unreadable.error()).toMatchObject({
      code: 'ERR_FOLDER_NOT_READABLE',
      message: expect.stringContaining('Give the right to read it'),
    });
    await chmod(inner, 0o755);
    await chmod(outer, 0o000);
    const unreachable = await stage.command.run(['sync', inner, `s3://${pair.bucket}`, '--json'], {
      withoutPrivileges: true,
    });
    await chmod(outer, 0o755);
    expect(unreachable.code).toBe(2);
    expect(unreachable.error()).toMatchObject({ code: 'ERR_FOLDER_NOT_READABLE' });
    expect(await pair.keys()).toEqual(['a.txt']);
  });

  it('holds a directory that may not be entered keeps what is below it on both sides, and the others travel', async () => {
    const half = await stage.pair({ files: { 'open.txt': '1', 'closed/in.txt': '2' } });
    expect((await half.sync([], { withoutPrivileges: true })).code).toBe(0);
    await half.write('open.txt', 'edited');
    await chmod(path.join(half.folder, 'closed'), 0o000);
    const ended = await half.sync([], { withoutPrivileges: true });
    await chmod(path.join(half.folder, 'closed'), 0o755);
    expect(ended.code).toBe(3);
    expect(ended.lines().filter(({ type }) => type === 'problem')).toMatchObject([
      { problem: { path: 'closed', code: 'ERR_ACCESS_DENIED', message: expect.stringContaining('give access') } },
    ]);
    expect(await half.keys()).toEqual(['closed/in.txt', 'open.txt']);
    expect(String(await half.get('open.txt'))).toBe('edited');
    expect(await half.files()).toEqual(['closed/in.txt', 'open.txt']);
  });

  it('holds the state directory never sends it, as when a home directory is synchronised', async () => {
    const home = await stage.pair({ files: { 'a.txt': 'a', '.local/share/b.txt': 'b' } });
    const flags = ['--state-dir', path.join(home.folder, '.local', 'state')];
    for (let turn = 0; turn < 2; turn++) {
      expect((await home.sync(flags)).code).toBe(0);
      expect(await home.keys()).toEqual(['.local/share/b.txt', 'a.txt']);
    }
  });

  it('is the state directory itself is refused', async () => {
    const same = await stage.pair({ files: { 'a.txt': 'a' } });
    const ended = await same.sync(['--state-dir', same.folder]);
    expect(ended.code).toBe(2);
    expect(ended.error()).toMatchObject({
      code: 'ERR_STATE_IS_FOLDER',
      message: expect.stringMatching(/Choose another folder, or another place/),
    });
    expect([await same.keys(), await same.files()]).toEqual([[], ['a.txt']]);
  });
});

describe('a state directory that', () => {
  it('may not be written to says so, and nothing is carried', async () => {
    const open = await stage.pair({ files: { 'a.txt': 'a' } });
    const stateDir = path.join(stage.place, 'closed state');
    await mkdir(stateDir, { mode: 0o555 });
    const ended = await open.sync(['--state-dir', stateDir], { withoutPrivileges: true });
    expect(ended.code).toBe(1);
    expect(ended.error()).toMatchObject({ code: 'ERR_STATE_UNUSABLE', message: expect.stringMatching(/permissions/) });
    expect(ended.stderr).toContain(stateDir);
    expect(await open.keys()).toEqual([]);
  });

  it('is a file says so', async () => {
    const open = await stage.pair({ files: { 'a.txt': 'a' } });
    const stateDir = path.join(stage.place, 'state file');
    await writeFile(stateDir, 'not a directory');
    const ended = await open.sync(['--state-dir', stateDir]);
    expect(ended.code).toBe(1);
    expect(ended.error()).toMatchObject({ code: 'ERR_STATE_UNUSABLE', message: expect.stringContaining(stateDir) });
    expect(await open.keys()).toEqual([]);
  });
});
