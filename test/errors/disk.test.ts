import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { DirectoryWatcher } from '../../src/replica/local/directory-watcher.js';
import { hookFileSystem } from '../../src/testing/fs/hooked-file-system.js';
import { preparedReplica, replicaOf, scanAll, simulatedWorld, sourceOf } from '../local/local-world.js';

function systemError(code: string): Error {
  return Object.assign(new Error(`${code}: as the test wants it`), { code });
}

describe('a write that the disk refuses', () => {
  it.each([
    ['write', 'EFBIG', 'ERR_FILE_TOO_LARGE', /exclude/],
    ['createFile', 'EROFS', 'ERR_DISK_READ_ONLY', /mount it writable/],
    ['createFile', 'EMFILE', 'ERR_TOO_MANY_OPEN_FILES', /ulimit -n/],
    ['link', 'EILSEQ', 'ERR_NAME_NOT_ALLOWED', /rename/],
    ['link', 'EXDEV', 'ERR_OTHER_DISK', /another disk is mounted/],
    ['link', 'ENOMEM', 'ERR_DISK_FAILED', /ENOMEM/],
  ])('at %s with %s is %s', async (step, errno, code, message) => {
    const world = simulatedWorld();
    let isArmed = false;
    const fileSystem = hookFileSystem(world.fileSystem, (operation) => {
      if (isArmed && operation.startsWith(`${step} `)) throw systemError(errno);
    });
    const replica = await preparedReplica(world, { fileSystem });
    isArmed = true;
    await expect(replica.write('new.txt', sourceOf('new'), null)).rejects.toMatchObject({
      code,
      message: expect.stringMatching(message),
      data: { errno },
    });
    isArmed = false;
    expect(world.tree()).toEqual({});
  });
});

describe('a scan', () => {
  it('names a folder that became a file while it was walked (ERR_CHANGED_DURING_SCAN)', async () => {
    const world = simulatedWorld();
    world.write('folder/inside.txt', 'x');
    const fileSystem = hookFileSystem(world.fileSystem, (operation) => {
      if (operation !== `openDirectory ${world.root}/folder`) return;
      world.remove('folder');
      world.write('folder', 'now a file');
    });
    const replica = await preparedReplica(world, { fileSystem });
    const { entries } = await scanAll(replica);
    expect(entries).toMatchObject([
      { kind: 'problematic', path: 'folder', subtree: true, problem: { code: 'ERR_CHANGED_DURING_SCAN' } },
    ]);
  });
});

describe('.filecloudsyncignore', () => {
  it('that is a folder stops the run, because what it leaves out is not known (ERR_IGNORE_FILE_UNUSABLE)', async () => {
    const world = simulatedWorld();
    world.makeDirectory('.filecloudsyncignore');
    const replica = replicaOf(world);
    await replica.prepare({ readonly: false });
    await expect(replica.readIgnoreFile()).rejects.toMatchObject({
      code: 'ERR_IGNORE_FILE_UNUSABLE',
      message: expect.stringContaining('1 MiB'),
    });
  });
});

describe('DirectoryWatcher', () => {
  let base: string | undefined;
  afterEach(async () => {
    if (base !== undefined) await rm(base, { recursive: true, force: true });
  });

  it('tells of a place that cannot be watched, and stays alive (ERR_WATCH_INCOMPLETE)', async () => {
    base = await mkdtemp(path.join(tmpdir(), 'filecloudsync-watch-'));
    const troubles: Error[] = [];
    // A name longer than the system takes is refused by every system in the same way.
    const watcher = new DirectoryWatcher(path.join(base, 'x'.repeat(300)), { mayContain: () => true });
    await watcher.start({ onChange: () => {}, onLost: () => {}, onTrouble: (error) => troubles.push(error) });
    expect(troubles).toEqual([
      expect.objectContaining({ code: 'ERR_WATCH_INCOMPLETE', message: expect.stringContaining('periodic cycles') }),
    ]);
    await watcher.close();
  });
});
