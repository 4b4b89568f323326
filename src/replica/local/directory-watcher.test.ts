import { mkdir, mkdtemp, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { DirectoryWatcher } from './directory-watcher.js';

describe.runIf(process.platform === 'linux')('DirectoryWatcher', () => {
  let root: string;
  let watcher: DirectoryWatcher;
  const onChange = vi.fn();
  const onTrouble = vi.fn();

  beforeEach(async () => {
    root = await mkdtemp(path.join(tmpdir(), 'fcs-watch-'));
    onChange.mockClear();
    onTrouble.mockClear();
  });

  afterEach(async () => {
    await watcher.close();
    await rm(root, { recursive: true, force: true });
  });

  async function start(mayContain: (directory: string) => boolean = () => true): Promise<void> {
    watcher = new DirectoryWatcher(root, { mayContain, mode: 'tree' });
    await watcher.start({ onChange, onTrouble });
  }

  async function heardAfter(act: () => Promise<unknown>): Promise<void> {
    onChange.mockClear();
    await act();
    await vi.waitFor(() => expect(onChange).toHaveBeenCalled(), { timeout: 5000, interval: 5 });
  }

  it('hears writes, renames and removals at every depth', async () => {
    await mkdir(path.join(root, 'a/b'), { recursive: true });
    await start();
    await heardAfter(() => writeFile(path.join(root, 'a/b/file'), '1'));
    await heardAfter(() => writeFile(path.join(root, 'a/b/file'), '22'));
    await heardAfter(() => rename(path.join(root, 'a/b/file'), path.join(root, 'top')));
    await heardAfter(() => rm(path.join(root, 'top')));
  });

  it('follows directories that are created, filled at once, and removed', async () => {
    await start();
    await heardAfter(() => mkdir(path.join(root, 'x/y/z'), { recursive: true }));
    await vi.waitFor(() => expect(watcher.size).toBe(4), { timeout: 5000, interval: 5 });
    await heardAfter(() => writeFile(path.join(root, 'x/y/z/deep'), '1'));
    await rm(path.join(root, 'x'), { recursive: true });
    await vi.waitFor(() => expect(watcher.size).toBe(1), { timeout: 5000, interval: 5 });
    expect(onTrouble).not.toHaveBeenCalled();
  });

  it('watches neither its own folder, nor excluded ones, nor what links lead to', async () => {
    const outside = await mkdtemp(path.join(tmpdir(), 'fcs-outside-'));
    try {
      await mkdir(path.join(root, '.filecloudsync/tmp'), { recursive: true });
      await mkdir(path.join(root, 'skipped'));
      await symlink(outside, path.join(root, 'link'));
      await start((directory) => directory !== 'skipped');
      expect(watcher.size).toBe(1);
      await writeFile(path.join(root, '.filecloudsync/tmp/staged'), '1');
      await writeFile(path.join(root, 'skipped/file'), '1');
      await writeFile(path.join(outside, 'file'), '1');
      // A later event in the same queue shows that the earlier ones were delivered, if any.
      await heardAfter(() => writeFile(path.join(root, 'seen'), '1'));
      expect(watcher.size).toBe(1);
    } finally {
      await rm(outside, { recursive: true, force: true });
    }
  });

  it('tells nothing after it was closed', async () => {
    await start();
    await watcher.close();
    await writeFile(path.join(root, 'late'), '1');
    const second = new DirectoryWatcher(root, { mayContain: () => true, mode: 'tree' });
    const heard = vi.fn();
    await second.start({ onChange: heard, onTrouble });
    await writeFile(path.join(root, 'later'), '1');
    await vi.waitFor(() => expect(heard).toHaveBeenCalled(), { timeout: 5000, interval: 5 });
    await second.close();
    expect(onChange).not.toHaveBeenCalled();
  });
});
