import { execFileSync } from 'node:child_process';
import * as fs from 'node:fs';
import { afterEach, describe, expect, it } from 'vitest';
import { preparedReplica, realWorld, scanAll, simulatedWorld, sourceOf, ALL } from '../../../test/local/local-world.js';
import type { World } from '../../../test/local/local-world.js';
import { createNodeFileSystem } from './node-file-system.js';

const worlds: World[] = [];
const kept = <T extends World>(world: T): T => {
  worlds.push(world);
  return world;
};
afterEach(() => {
  for (const world of worlds.splice(0)) world.dispose();
});

describe('scanBelow', () => {
  const pathsBelow = async (world: World, directoryPath: string): Promise<string[]> => {
    const paths: string[] = [];
    for await (const { entries } of (await preparedReplica(world)).scanBelow(directoryPath, { filter: ALL }))
      paths.push(...entries.map(({ path }) => path));
    return paths;
  };

  it('walks one directory, in the order of a scan', async () => {
    const world = simulatedWorld();
    for (const path of ['a/x', 'd!', 'd/e/f', 'd/e!', 'd/g', 'd0', 'z']) world.write(path, path);
    expect(await pathsBelow(world, 'd')).toEqual(['d/e!', 'd/e/f', 'd/g']);
    expect(await pathsBelow(world, 'd/e')).toEqual(['d/e/f']);
  });

  it('gives nothing for a directory that is not there, and throws for what is none or cannot be read', async () => {
    const world = simulatedWorld();
    world.write('file', '1');
    world.write('locked/y', '2');
    world.disk.user.symlink('/outside', 'link');
    world.disk.user.setAccess('locked', { readable: false });
    expect(await pathsBelow(world, 'no/such')).toEqual([]);
    await expect(pathsBelow(world, 'file')).rejects.toMatchObject({ code: 'ERR_FILE_IN_THE_WAY' });
    await expect(pathsBelow(world, 'link')).rejects.toMatchObject({ code: 'ERR_SYMLINK_IN_PATH' });
    await expect(pathsBelow(world, 'locked')).rejects.toMatchObject({ code: 'ERR_ACCESS_DENIED' });
  });
});

describe('scan', () => {
  it('calls a folder that cannot be read problematic with all that is in it', async () => {
    const world = simulatedWorld();
    world.write('a/x', '1');
    world.write('locked/y', '2');
    world.write('z', '3');
    world.disk.user.setAccess('locked', { readable: false });
    const replica = await preparedReplica(world);
    const { entries } = await scanAll(replica);
    expect(entries.map(({ kind, path }) => `${kind} ${path}`)).toEqual(['file a/x', 'problematic locked', 'file z']);
    expect(entries[1]).toMatchObject({ subtree: true, problem: { code: 'ERR_ACCESS_DENIED', side: 'local' } });
  });

  it.each(['EIO', 'EMFILE', 'EACCES', 'ENOMEM'])(
    'never leaves out a file when an operation fails with %s',
    async (code) => {
      const paths = ['a/1', 'a/2', 'b', 'c/d/e', 'c/f', 'g'];
      for (let n = 1; ; n++) {
        const world = simulatedWorld();
        for (const path of paths) world.write(path, path);
        const replica = await preparedReplica(world);
        const before = world.disk.operations;
        world.disk.failNth(n, code);
        const outcome = await scanAll(replica).catch((error: unknown) => error);
        const used = world.disk.operations - before;
        if (!(outcome instanceof Error)) {
          const { entries } = outcome as Awaited<ReturnType<typeof scanAll>>;
          for (const path of paths) {
            const covered = entries.some(
              (entry) =>
                entry.path === path ||
                (entry.kind === 'problematic' && entry.subtree && path.startsWith(`${entry.path}/`)),
            );
            expect(covered, `${path} at operation ${n}`).toBe(true);
          }
        }
        if (used < n) break;
      }
    },
  );

  it('leaves out a file that vanishes, and a folder only when it is surely gone', async () => {
    for (const target of ['a/1', 'a']) {
      for (let n = 1; n < 12; n++) {
        const world = simulatedWorld();
        for (const path of ['a/1', 'a/2', 'b']) world.write(path, path);
        const replica = await preparedReplica(world);
        let count = 0;
        world.disk.step = () => {
          if (++count === n) world.disk.user.remove(target);
        };
        const { entries } = await scanAll(replica);
        const paths = entries.map((entry) => entry.path);
        expect(paths).toContain('b');
        if (target === 'a/1' && n > 1) expect(paths).toContain('a/2');
        for (const entry of entries) expect(entry.kind).toBe('file');
      }
    }
  });

  it('throws when the folder is exchanged at any step, and never calls its files deleted', async () => {
    const scanned = async (atStep: number): Promise<{ steps: number; outcome: unknown }> => {
      const world = simulatedWorld();
      for (const path of ['a/1', 'a/2', 'b/3', 'c']) world.write(path, path);
      const replica = await preparedReplica(world);
      let steps = 0;
      world.disk.step = () => {
        if (++steps !== atStep) return;
        world.disk.user.rename('/folder', '/away');
        world.disk.user.makeDirectory('/folder');
      };
      const outcome = await scanAll(replica).catch((error: unknown) => error);
      return { steps, outcome };
    };
    const whole = await scanned(0);
    expect(whole.outcome).toMatchObject({ entries: { length: 4 } });
    // Before the very last step, the look at what was opened last, the exchange has to be noticed.
    for (let step = 1; step < whole.steps; step++) {
      expect((await scanned(step)).outcome, `step ${step}`).toMatchObject({ code: 'ERR_FOLDER_REPLACED' });
    }
  });

  it('throws when the folder disappears', async () => {
    const world = simulatedWorld();
    world.write('a', 'x');
    const replica = await preparedReplica(world);
    world.disk.user.rename('/folder', '/away');
    await expect(scanAll(replica)).rejects.toMatchObject({ name: 'HaltError', code: 'ERR_FOLDER_MISSING' });
  });

  it('reports names that are not UTF-8, and never opens a FIFO', async () => {
    const world = kept(realWorld('x', createNodeFileSystem));
    world.write('good', 'x');
    fs.writeFileSync(Buffer.concat([Buffer.from(`${world.root}/bad-`), Buffer.from([0xff, 0xfe])]), 'x');
    fs.mkdirSync(Buffer.concat([Buffer.from(`${world.root}/dir-`), Buffer.from([0xc3])]));
    execFileSync('mkfifo', [`${world.root}/pipe`]);
    const replica = await preparedReplica(world);
    const { entries, problems } = await scanAll(replica);
    expect(entries).toMatchObject([
      { kind: 'file', path: 'good' },
      { kind: 'untracked', path: 'pipe', reason: 'special', subtree: false },
    ]);
    expect(problems.map(({ code }) => code)).toEqual(['ERR_NAME_NOT_UTF8', 'ERR_NAME_NOT_UTF8']);
    expect(problems.map(({ path }) => path).sort()).toEqual(['bad-\\xff\\xfe', 'dir-\\xc3']);
    const pipe = {
      kind: 'file',
      path: 'pipe',
      sizeBytes: 0,
      fingerprint: 'x',
      modifiedMs: 0,
      modifiedSource: 'mtime',
    } as const;
    await expect(replica.open(pipe)).rejects.toMatchObject({ name: 'StaleError' });
  });

  it('reports paths that no key can hold', async () => {
    const world = kept(realWorld('x', createNodeFileSystem));
    const deep = Array.from({ length: 6 }, () => 'd'.repeat(200)).join('/');
    world.write(`${deep}/f`, 'x');
    const { entries, problems } = await scanAll(await preparedReplica(world));
    expect(entries).toEqual([]);
    expect(problems).toMatchObject([{ code: 'ERR_KEY_TOO_LONG' }]);
  });

  it('gives pages of bounded size, in order, however many files one folder holds', async () => {
    const world = simulatedWorld();
    for (let i = 0; i < 5000; i++) world.write(`f${i}`, '');
    const replica = await preparedReplica(world);
    let last = '';
    let count = 0;
    for await (const page of replica.scan({
      filter: { includesFile: (path) => !path.endsWith('7'), mayContain: () => true },
    })) {
      expect(page.entries.length).toBeLessThan(2048);
      for (const { path } of page.entries) {
        expect(path > last).toBe(true);
        last = path;
        count += 1;
      }
    }
    expect(count).toBe(5000);
  });

  it('reads a folder of half a MiB of names in pieces, and leaves none out', async () => {
    const world = kept(realWorld('x', createNodeFileSystem));
    const names = Array.from(
      { length: 2400 },
      (_, i) => `${String((i * 7919) % 2400).padStart(4, '0')}-${'n'.repeat(240)}`,
    );
    for (const name of names) fs.closeSync(fs.openSync(`${world.root}/${name}`, 'w'));
    const { entries, problems } = await scanAll(await preparedReplica(world));
    expect(entries.map(({ path }) => path)).toEqual(names.toSorted());
    expect(problems).toEqual([]);
  });

  it('closes what it opened when it is left in the middle', async () => {
    const world = kept(realWorld('x', createNodeFileSystem));
    for (let i = 0; i < 40; i++) world.write(`d${String(i).padStart(2, '0')}/f`, 'x');
    const replica = await preparedReplica(world);
    const open = (): number => fs.readdirSync('/proc/self/fd').length;
    const before = open();
    const pages = replica.scan({ filter: ALL })[Symbol.asyncIterator]();
    await pages.next();
    await pages.return?.();
    expect((await scanAll(replica)).entries).toHaveLength(40);
    expect(open()).toBe(before);
  });

  it('stops when it is aborted', async () => {
    const world = simulatedWorld();
    world.write('a', 'x');
    const replica = await preparedReplica(world);
    const walk = async (): Promise<void> => {
      for await (const page of replica.scan({ filter: ALL, signal: AbortSignal.abort() })) expect(page).toBeUndefined();
    };
    await expect(walk()).rejects.toMatchObject({ name: 'AbortError' });
  });
});

describe('a disk that cannot tell names apart', () => {
  it('is found out, and another spelling is a collision and never the same file', async () => {
    const world = simulatedWorld({ caseInsensitive: true, normalizationInsensitive: true });
    world.write('Dir/File', 'x');
    const replica = await preparedReplica(world, { pathRules: 'darwin' });
    expect(await replica.prepare({ readonly: false })).toMatchObject({
      caseSensitive: false,
      normalizationSensitive: false,
    });
    expect(await replica.observe('Dir/File')).toMatchObject({ kind: 'file' });
    for (const path of ['Dir/file', 'dir/File']) {
      expect(await replica.observe(path)).toMatchObject({
        kind: 'problematic',
        problem: { code: 'ERR_NAME_COLLISION' },
      });
    }
    await expect(replica.write('dir/other', sourceOf('y'), null)).rejects.toMatchObject({ code: 'ERR_NAME_COLLISION' });
    expect(await replica.write('Dir/FILE', sourceOf('y'), null)).toMatchObject({ outcome: 'stale' });
    expect(world.tree()).toEqual({ 'Dir/': 'directory', 'Dir/File': 'x' });
  });

  it('keeps its own folder out under every spelling', async () => {
    const world = simulatedWorld({ caseInsensitive: true });
    const replica = await preparedReplica(world, { pathRules: 'linux' });
    for (const path of ['.FileCloudSync/tmp/x', '.filecloud\u200csync/x']) {
      await expect(replica.write(path, sourceOf('evil'), null)).rejects.toMatchObject({ code: 'ERR_KEY_RESERVED' });
    }
    expect(world.staged()).toEqual([]);
  });
});

describe('a disk without hard links', () => {
  it('is found out and told, and works', async () => {
    const world = simulatedWorld({ noHardLinks: true });
    const replica = await preparedReplica(world);
    const { remarks } = await replica.prepare({ readonly: false });
    expect(remarks.join()).toContain('hard links');
    expect(await replica.write('f', sourceOf('x'), null)).toMatchObject({ outcome: 'done' });
    expect(await replica.write('f', sourceOf('y'), null)).toMatchObject({ outcome: 'stale' });
    expect(world.tree()).toEqual({ f: 'x' });
    expect(world.staged()).toEqual([]);
  });
});

describe('a folder of another user', () => {
  it('is refused with the reason', async () => {
    const world = simulatedWorld();
    world.disk.user.setAccess('', { writable: false });
    await expect(preparedReplica(world)).rejects.toMatchObject({ name: 'UsageError', code: 'ERR_FOLDER_NOT_WRITABLE' });
    world.disk.user.setAccess('', { readable: false });
    await expect(preparedReplica(world)).rejects.toMatchObject({ code: 'ERR_FOLDER_NOT_READABLE' });
  });
});

describe('modes', () => {
  it('are kept when a file is replaced, and are those of the umask when it is new', async () => {
    const world = kept(realWorld('x', createNodeFileSystem));
    const replica = await preparedReplica(world);
    world.write('f', 'old');
    fs.chmodSync(`${world.root}/f`, 0o640);
    const entry = await replica.observe('f');
    if (entry?.kind !== 'file') throw new Error('no file');
    await replica.write('f', sourceOf('new'), { fingerprint: entry.fingerprint, entry });
    expect(fs.statSync(`${world.root}/f`).mode & 0o777).toBe(0o640);
    await replica.write('g', sourceOf('new'), null);
    expect(fs.statSync(`${world.root}/g`).mode & 0o777).toBe(0o666 & ~process.umask());
    expect(fs.statSync(`${world.root}/.filecloudsync`).mode & 0o777).toBe(0o700);
  });
});
