import { mkdirSync, readFileSync, utimesSync, watch, writeFileSync } from 'node:fs';
import { appendFile, mkdir, mkdtemp, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { DirectoryWatcher, type DirectoryWatcherOptions, type DirectoryWatchListener } from './directory-watcher.js';

describe.runIf(process.platform === 'linux')('DirectoryWatcher', { timeout: 60_000 }, () => {
  let root: string;
  let watcher: DirectoryWatcher;
  const onChange = vi.fn<DirectoryWatchListener['onChange']>();
  const onLost = vi.fn();
  const onTrouble = vi.fn();

  beforeEach(async () => {
    root = await mkdtemp(path.join(tmpdir(), 'fcs-watch-'));
    onChange.mockClear();
    onLost.mockClear();
    onTrouble.mockClear();
  });

  afterEach(async () => {
    await watcher.close();
    await rm(root, { recursive: true, force: true });
  });

  async function start(
    mayContain: (directory: string) => boolean = () => true,
    options: Partial<DirectoryWatcherOptions> = {},
  ): Promise<void> {
    watcher = new DirectoryWatcher(root, { mayContain, mode: 'tree', ...options });
    await watcher.start({ onChange, onLost, onTrouble });
  }

  /** Resolves when such a thing was heard of a path after an act. */
  async function hears(act: () => Promise<unknown>, ...wanted: Parameters<typeof onChange>): Promise<void> {
    onChange.mockClear();
    await act();
    await vi.waitFor(() => expect(onChange).toHaveBeenCalledWith(...wanted), { timeout: 20_000, interval: 5 });
  }

  async function heardAfter(act: () => Promise<unknown>): Promise<void> {
    onChange.mockClear();
    await act();
    await vi.waitFor(() => expect(onChange).toHaveBeenCalled(), { timeout: 20_000, interval: 5 });
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
    await vi.waitFor(() => expect(watcher.size).toBe(4), { timeout: 20_000, interval: 5 });
    await heardAfter(() => writeFile(path.join(root, 'x/y/z/deep'), '1'));
    await rm(path.join(root, 'x'), { recursive: true });
    await vi.waitFor(() => expect(watcher.size).toBe(1), { timeout: 20_000, interval: 5 });
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

  it('names what was written, what came and what is gone', async () => {
    await mkdir(path.join(root, 'a/b'), { recursive: true });
    await start();
    await hears(() => writeFile(path.join(root, 'a/b/file'), '1'), 'a/b/file', 'appeared');
    await hears(() => appendFile(path.join(root, 'a/b/file'), '2'), 'a/b/file', 'written');
    await hears(() => rename(path.join(root, 'a/b/file'), path.join(root, 'top')), 'a/b/file', 'gone');
    await vi.waitFor(() => expect(onChange).toHaveBeenCalledWith('top', 'appeared'), { timeout: 20_000, interval: 5 });
    await hears(() => rm(path.join(root, 'a'), { recursive: true }), 'a', 'gone');
    expect(onLost).not.toHaveBeenCalled();
  });

  it('names a directory that came once all that is in it is watched', async () => {
    await start();
    const sizes: number[] = [];
    onChange.mockImplementation((heard) => void (heard === 'x' && sizes.push(watcher.size)));
    await hears(() => mkdir(path.join(root, 'x/y/z'), { recursive: true }), 'x', 'appeared');
    onChange.mockClear();
    await writeFile(path.join(root, 'x/y/z/deep'), '1');
    // The kernel may tell of x/y again meanwhile: it is then watched anew and named afterwards, with all that is in it.
    const covering = ['x/y/z/deep', 'x/y/z', 'x/y'];
    const isCovered = (): boolean => onChange.mock.calls.some(([heard]) => covering.includes(heard));
    await vi.waitFor(() => expect(isCovered()).toBe(true), { timeout: 20_000, interval: 5 });
    expect(sizes.at(-1)).toBeGreaterThanOrEqual(2);
    onChange.mockReset();
  });

  it('follows a directory to its new name, and not one that took its place', async () => {
    await mkdir(path.join(root, 'a/in'), { recursive: true });
    await start();
    await hears(() => rename(path.join(root, 'a'), path.join(root, 'b')), 'b', 'appeared');
    await hears(() => writeFile(path.join(root, 'b/in/file'), '1'), 'b/in/file', 'appeared');
    await hears(() => mkdir(path.join(root, 'a')), 'a', 'appeared');
    await hears(() => writeFile(path.join(root, 'a/other'), '1'), 'a/other', 'appeared');
    const outside = await mkdtemp(path.join(tmpdir(), 'fcs-outside-'));
    try {
      // Moved away, and another made at once: the watch of the first would go along with it.
      await hears(
        async () => {
          await rename(path.join(root, 'b'), path.join(outside, 'b'));
          await mkdir(path.join(root, 'b'));
        },
        'b',
        'appeared',
      );
      await vi.waitFor(() => expect(watcher.size).toBe(3), { timeout: 20_000, interval: 5 });
      await writeFile(path.join(outside, 'b/in/file'), '2');
      await hears(() => writeFile(path.join(root, 'b/mine'), '1'), 'b/mine', 'appeared');
      expect(onChange).not.toHaveBeenCalledWith('b/in/file', 'written');
    } finally {
      await rm(outside, { recursive: true, force: true });
    }
  });

  describe('hears everything', () => {
    it('where all is watched, on disks that tell what changes', async () => {
      await mkdir(path.join(root, 'a/b'), { recursive: true });
      const asked: string[] = [];
      await start(() => true, { tellsAllChanges: async (place) => (asked.push(place), true) });
      expect([watcher.hearsEverything, asked]).toEqual([true, [root]]);
    });

    it('not before it began, nor once it ended', async () => {
      watcher = new DirectoryWatcher(root, { mayContain: () => true, tellsAllChanges: async () => true });
      expect(watcher.hearsEverything).toBe(false);
      await watcher.start({ onChange, onLost, onTrouble });
      await watcher.close();
      expect(watcher.hearsEverything).toBe(false);
    });

    it('not on a disk that does not tell', async () => {
      await start(() => true, { tellsAllChanges: async () => false });
      expect(watcher.hearsEverything).toBe(false);
    });

    it('not where the folder is not there', async () => {
      watcher = new DirectoryWatcher(path.join(root, 'none'), {
        mayContain: () => true,
        tellsAllChanges: async () => true,
      });
      await watcher.start({ onChange, onLost, onTrouble });
      expect(watcher.hearsEverything).toBe(false);
    });

    it('not once a directory was refused, until all is watched anew', async () => {
      let refuses = true;
      const limited = ((place: string, ...rest: [never, never]) => {
        if (refuses && place.endsWith('/b')) throw Object.assign(new Error('no more'), { code: 'ENOSPC' });
        return watch(place, ...rest);
      }) as typeof watch;
      await start(() => true, { watch: limited, tellsAllChanges: async () => true });
      expect(watcher.hearsEverything).toBe(true);
      await hears(() => mkdir(path.join(root, 'b')), 'b', 'appeared');
      expect(watcher.hearsEverything).toBe(false);
      refuses = false;
      const away = `${root}-away`;
      try {
        await rename(root, away);
        await vi.waitFor(() => expect(onLost).toHaveBeenCalled(), { timeout: 20_000, interval: 5 });
        expect(watcher.hearsEverything).toBe(false);
        await mkdir(path.join(root, 'b'), { recursive: true });
        onLost.mockClear();
        await watcher.check();
        // What changed before the other one was watched was heard by nobody.
        expect([watcher.hearsEverything, onLost.mock.calls.length]).toEqual([true, 1]);
        await watcher.check();
        expect(onLost).toHaveBeenCalledTimes(1);
      } finally {
        await rm(away, { recursive: true, force: true });
      }
    });
  });

  it('tells that changes were lost when the folder is moved away, and watches the one that takes its place', async () => {
    await mkdir(path.join(root, 'a'));
    await start();
    const away = `${root}-away`;
    try {
      await rename(root, away);
      await vi.waitFor(() => expect(onLost).toHaveBeenCalled(), { timeout: 20_000, interval: 5 });
      await mkdir(path.join(root, 'new'), { recursive: true });
      await watcher.check();
      expect(watcher.size).toBe(2);
      await hears(() => writeFile(path.join(root, 'new/file'), '1'), 'new/file', 'appeared');
    } finally {
      await rm(away, { recursive: true, force: true });
    }
  });

  it('tells that changes were lost when the queue of events may have run over, and watches what was made meanwhile', async () => {
    await start();
    const limit = Number(readFileSync('/proc/sys/fs/inotify/max_queued_events', 'utf8'));
    // The event loop stands still meanwhile, so that nobody takes them out.
    // Two by turns, because the kernel makes one of equal events that follow each other.
    const files = ['f0', 'f1'].map((name) => path.join(root, name));
    for (const file of files) writeFileSync(file, '1');
    for (let i = 0; i < limit / 2 + 10; i++) utimesSync(files[i % 2] ?? '', i, i);
    mkdirSync(path.join(root, 'late'));
    await vi.waitFor(() => expect(onLost).toHaveBeenCalled(), { timeout: 20_000, interval: 5 });
    await vi.waitFor(() => expect(watcher.size).toBe(2), { timeout: 20_000, interval: 5 });
    await hears(() => writeFile(path.join(root, 'late/file'), '1'), 'late/file', 'appeared');
  });

  it('tells once that the system allows no more watches, and hears what it can', async () => {
    for (const name of ['a', 'b', 'c']) await mkdir(path.join(root, name));
    let left = 2;
    const limited = ((...given: Parameters<typeof watch>) => {
      if (left-- > 0) return watch(...given);
      throw Object.assign(new Error('ENOSPC: System limit for number of file watchers reached'), { code: 'ENOSPC' });
    }) as typeof watch;
    await start(() => true, { watch: limited });
    expect(onTrouble).toHaveBeenCalledOnce();
    expect(onTrouble).toHaveBeenCalledWith(
      expect.objectContaining({
        code: 'ERR_WATCH_INCOMPLETE',
        message: expect.stringContaining('fs.inotify.max_user_watches'),
      }),
    );
    await hears(() => writeFile(path.join(root, 'top'), '1'), 'top', 'appeared');
    await hears(() => rm(path.join(root, 'c'), { recursive: true }), 'c', 'gone');
  });

  it('tells nothing after it was closed', async () => {
    await start();
    await watcher.close();
    await writeFile(path.join(root, 'late'), '1');
    const second = new DirectoryWatcher(root, { mayContain: () => true, mode: 'tree' });
    const heard = vi.fn();
    await second.start({ onChange: heard, onLost, onTrouble });
    await writeFile(path.join(root, 'later'), '1');
    await vi.waitFor(() => expect(heard).toHaveBeenCalled(), { timeout: 20_000, interval: 5 });
    await second.close();
    expect(onChange).not.toHaveBeenCalled();
  });
});
