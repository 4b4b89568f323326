import { spawn, type ChildProcess } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { PassThrough } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createDiskFlusher } from './disk-flusher.js';

/** A shell that is not there, and answers what it is told to. */
class FakeShell extends EventEmitter {
  readonly stdin = new PassThrough({ encoding: 'latin1' });
  readonly stdout = new PassThrough();
  readonly kill = vi.fn<() => boolean>(() => true);

  /** What it was asked since last time. */
  asked(): string {
    return String(this.stdin.read() ?? '');
  }

  async say(text: string): Promise<void> {
    this.stdout.write(text);
    await settle();
  }
}
const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** A machine on which so much is left to be written. */
const leftOn = (meminfo: () => string) => ({ readFileSync: meminfo as unknown as typeof fs.readFileSync });
const MEMINFO = 'MemFree:         5000000 kB\nDirty:             65536 kB\nWriteback:       9000000 kB\n';
const nothingLeft = leftOn(() => 'Dirty: 0 kB\n');

/** A flusher, and the shells that it has started. */
function bench(start: () => FakeShell = () => new FakeShell(), meminfo = () => MEMINFO) {
  const shells: FakeShell[] = [];
  const flush = createDiskFlusher(
    {
      spawn: (() => {
        const shell = start();
        shells.push(shell);
        return shell;
      }) as unknown as typeof spawn,
    },
    leftOn(meminfo),
  );
  const shell = (): FakeShell => shells.at(-1) ?? expect.fail('no shell was started');
  return { flush, shells, shell };
}
/** A machine that runs tests may have much to write. */
const LONG_MS = 20_000;
const pathOf = (descriptor: number): string => `/proc/${process.pid}/fd/${descriptor}\n`;

describe('the flush of a disk', () => {
  it('is asked of one shell, by open file, and serves all who asked before it began', async () => {
    const { flush, shells, shell } = bench();
    const told: number[] = [];
    const ask = (descriptor: number): void => {
      void flush(descriptor).then((isFlushed) => told.push(isFlushed ? descriptor : -descriptor));
    };
    ask(3);
    ask(4);
    ask(5);
    expect(shell().asked()).toBe(pathOf(3));
    await shell().say('0\n');
    expect(told).toEqual([3]);
    expect(shell().asked()).toBe(pathOf(4));
    ask(6);
    await shell().say('0\n');
    expect(told).toEqual([3, 4, 5]);
    expect(shell().asked()).toBe(pathOf(6));
    await shell().say('0\n');
    expect(told).toEqual([3, 4, 5, 6]);
    expect(shell().asked()).toBe('');
    ask(7);
    expect(shell().asked()).toBe(pathOf(7));
    expect(shells).toHaveLength(1);
  });

  it.each<[string, (shell: FakeShell) => unknown]>([
    ['the program fails', (shell) => shell.say('1\n')],
    ['the shell cannot be started', (shell) => shell.emit('error', new Error('spawn /bin/sh ENOENT'))],
    ['the shell ends', (shell) => shell.emit('exit', null, 'SIGTERM')],
    ['the shell no longer listens', (shell) => shell.stdin.emit('error', new Error('write EPIPE'))],
  ])('fails when %s, with all that were asked, and is not tried again', async (_, happen) => {
    const { flush, shells, shell } = bench();
    const both = Promise.all([flush(3), flush(4)]);
    await happen(shell());
    await expect(both).resolves.toEqual([false, false]);
    expect(shell().kill).toHaveBeenCalled();
    // What it says then belongs to nobody.
    await shell().say('0\n');
    await expect(flush(5)).resolves.toBe(false);
    expect(shells).toHaveLength(1);
  });

  it('fails where no process may be started', async () => {
    const start = vi.fn<() => FakeShell>(() => {
      throw Object.assign(new Error('Access to this API has been restricted'), { code: 'ERR_ACCESS_DENIED' });
    });
    const { flush } = bench(start);
    await expect(flush(3)).resolves.toBe(false);
    await expect(flush(3)).resolves.toBe(false);
    expect(start).toHaveBeenCalledOnce();
  });

  it.each<[string, () => string]>([
    ['more than 64 MiB are left to be written', () => MEMINFO.replace('65536', '65537')],
    ['it does not say how much', () => 'MemFree: 1 kB\n'],
    [
      'it cannot be asked how much',
      () => {
        throw Object.assign(new Error('ENOENT'), { code: 'ENOENT' });
      },
    ],
  ])('is not asked for on a machine where %s, and is afterwards', async (_, meminfo) => {
    let now = meminfo;
    const { flush, shells, shell } = bench(undefined, () => now());
    await expect(flush(3)).resolves.toBe(false);
    expect(shells).toHaveLength(0);
    now = () => MEMINFO;
    const flushed = flush(4);
    await shell().say('0\n');
    await expect(flushed).resolves.toBe(true);
  });

  describe('that takes long', () => {
    beforeEach(() => {
      vi.useFakeTimers();
    });
    afterEach(() => {
      vi.useRealTimers();
    });

    it('is waited for no longer than 100 ms, and none is asked for until it has ended', async () => {
      const { flush, shells, shell } = bench();
      const told: boolean[] = [];
      const note = (isFlushed: boolean): unknown => told.push(isFlushed);
      void flush(3).then(note);
      void flush(4).then(note);
      await vi.advanceTimersByTimeAsync(99);
      expect(told).toEqual([]);
      await vi.advanceTimersByTimeAsync(1);
      expect(told).toEqual([false, false]);
      expect(vi.getTimerCount()).toBe(0);
      await expect(flush(5)).resolves.toBe(false);
      expect(shell().asked()).toBe(pathOf(3));
      // The file was closed meanwhile, which says nothing about the program.
      shell().stdout.write('1\n');
      await vi.advanceTimersByTimeAsync(0);
      const next = flush(6);
      expect(shell().asked()).toBe(pathOf(6));
      shell().stdout.write('0\n');
      await expect(next).resolves.toBe(true);
      expect(vi.getTimerCount()).toBe(0);
      expect(shells).toHaveLength(1);
      expect(shell().kill).not.toHaveBeenCalled();
    });
  });

  const hasSync = process.platform === 'linux';
  it.runIf(hasSync)('is made by the programs of this machine, which end with whoever asked', async () => {
    const base = fs.mkdtempSync(path.join(os.tmpdir(), 'filecloudsync-'));
    const file = fs.openSync(path.join(base, "it's $HOME"), 'w');
    const children: ChildProcess[] = [];
    const flush = createDiskFlusher(
      {
        spawn: ((...given: Parameters<typeof spawn>) => {
          const child = spawn(...given);
          children.push(child);
          return child;
        }) as unknown as typeof spawn,
      },
      nothingLeft,
      LONG_MS,
    );
    try {
      fs.writeSync(file, 'content');
      await expect(flush(file)).resolves.toBe(true);
      await expect(flush(file)).resolves.toBe(true);
      const [shell] = children;
      expect(children).toHaveLength(1);
      shell?.stdin?.end();
      expect(await once(shell ?? expect.fail(), 'exit')).toEqual([0, null]);
      await expect(flush(file)).resolves.toBe(false);
    } finally {
      fs.closeSync(file);
      fs.rmSync(base, { recursive: true });
    }
  });

  it.runIf(hasSync)('fails where there is no such file', async () => {
    await expect(createDiskFlusher({ spawn }, nothingLeft, LONG_MS)(2 ** 30)).resolves.toBe(false);
  });
});
