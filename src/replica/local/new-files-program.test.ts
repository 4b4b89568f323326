import type * as NodeFs from 'node:fs';
import type { MessagePort } from 'node:worker_threads';
import { describe, expect, it, vi } from 'vitest';
import {
  newFilesProgram,
  NUMBERS_OF_A_FILE,
  STATS_OF_A_FILE,
  type NewFilesAnswer,
  type NewFilesQuestion,
  type WayForThread,
} from './new-files-program.js';

const CONSTANTS = { O_RDWR: 2, O_CREAT: 64, O_EXCL: 128, O_NOFOLLOW: 131_072 };
const STAT = {
  mode: 33_188n,
  size: 1n,
  mtimeNs: 2n,
  ctimeNs: 3n,
  ino: 4n,
  dev: 5n,
  nlink: 1n,
  isDirectory: () => true,
};
const TOLD = [33_188n, 1n, 2n, 3n, 4n, 5n, 1n];
const ROOT = { path: '/folder/', identity: '5-4', follows: true };
const WAY: WayForThread = { prefix: 'a/', descriptor: 7, landmarks: [ROOT] };

interface Asked {
  readonly name: string;
  readonly content?: string;
  readonly modified?: number;
  readonly way?: WayForThread;
}

function questionOf(files: readonly Asked[]): NewFilesQuestion {
  const ways = [...new Set(files.map(({ way = WAY }) => way))];
  let end = 0;
  const numbers = files.flatMap(({ content = '', modified = NaN, way = WAY }) => {
    end += content.length;
    return [ways.indexOf(way), end, modified];
  });
  return {
    ways,
    names: files.flatMap(({ name }) => [`tmp/${name}`, name]),
    numbers: new Float64Array(numbers),
    content: new Uint8Array(Buffer.from(files.map(({ content = '' }) => content).join(''))),
  };
}

/** The thread, but here, over a disk that notes what is asked of it; a call that begins with `fails` fails. */
function thread(
  fails: (call: string) => string | undefined = () => undefined,
  statOf: (nth: number) => typeof STAT = () => STAT,
  isFlushed = false,
) {
  const calls: string[] = [];
  const call = (text: string): void => {
    calls.push(text);
    const code = fails(text);
    if (code !== undefined) throw Object.assign(new Error(`${code}: it failed`), { code, syscall: text.split(' ')[0] });
  };
  const syncing: (() => void)[] = [];
  let descriptor = 10;
  let stats = 0;
  const fs = {
    constants: CONSTANTS,
    openSync(path: string, flags: number) {
      call(`open ${path} ${flags}`);
      return descriptor++;
    },
    writeSync(to: number, bytes: Uint8Array, start: number, length: number, position: number) {
      const count = Math.min(2, length);
      call(`write ${to} ${Buffer.from(bytes).toString('latin1', start, start + count)} at ${position}`);
      return count;
    },
    futimesSync: (to: number, _access: number, modified: number) => call(`futimes ${to} ${modified}`),
    fstatSync(of: number) {
      call(`fstat ${of}`);
      return statOf(stats++);
    },
    closeSync: (of: number) => call(`close ${of}`),
    statSync(path: string) {
      call(`stat ${path}`);
      return STAT;
    },
    lstatSync(path: string) {
      call(`lstat ${path}`);
      if (path === 'missing') return undefined;
      return { ...STAT, isDirectory: () => path !== 'file' };
    },
    linkSync: (from: string, to: string) => call(`link ${from} ${to}`),
    unlinkSync: (path: string) => call(`unlink ${path}`),
    fsyncSync: (of: number) => call(`fsync here ${of}`),
    fsync(of: number, done: (error: Error | null) => void) {
      syncing.push(() => {
        try {
          call(`fsync ${of}`);
          done(null);
        } catch (error) {
          done(error as Error);
        }
      });
    },
  };
  const answers = new Map<number, NewFilesAnswer>();
  let receive: (message: [number, NewFilesQuestion]) => void = () => {};
  const port = {
    on: (_name: string, listener: typeof receive) => (receive = listener),
    postMessage: ([id, answer]: [number, NewFilesAnswer], moved: readonly ArrayBuffer[]) => {
      expect(moved).toEqual([answer.stats.buffer]);
      answers.set(id, answer);
    },
  };
  newFilesProgram(port as unknown as MessagePort, fs as unknown as typeof NodeFs, async (of) => {
    call(`flush ${of}`);
    await Promise.resolve();
    return isFlushed;
  });
  const settle = () => new Promise((resolve) => setImmediate(resolve));
  return {
    calls,
    answers,
    async ask(id: number, ...files: readonly Asked[]) {
      receive([id, questionOf(files)]);
      await settle();
    },
    /** Ends the syncs that are under way: those of the files first, then those of the directories. */
    async sync() {
      for (const end of syncing.splice(0)) end();
      await settle();
    },
    /** What became of a message. */
    toldOf: (id: number) => answers.get(id)?.told,
    statsOf: (id: number) => Array.from(answers.get(id)?.stats ?? []),
  };
}

const verbs = (calls: readonly string[]): (string | undefined)[] => calls.map((call) => call.split(' ')[0]);

it('says how many numbers belong to each file', () => {
  expect(questionOf([{ name: 'x' }]).numbers).toHaveLength(NUMBERS_OF_A_FILE);
  expect(TOLD).toHaveLength(STATS_OF_A_FILE);
});

describe('a file that another thread makes and puts into place', () => {
  it('gets its name only when it is whole and durable, and is told of only when that is', async () => {
    const { ask, calls, sync, answers, toldOf, statsOf } = thread();
    const way = {
      ...WAY,
      landmarks: [ROOT, { path: '/proc/self/fd/3/a', identity: '5-4', follows: false }],
    };
    await ask(1, { name: 'w', content: '-' }, { name: 'x', content: 'abc', modified: 5.5, way });
    expect(calls).toEqual([
      `open tmp/w ${2 + 64 + 128 + 131_072}`,
      'write 10 - at 0',
      `open tmp/x ${2 + 64 + 128 + 131_072}`,
      'write 11 ab at 0',
      'write 11 c at 2',
      'futimes 11 5.5',
    ]);
    calls.length = 0;
    await sync();
    expect(calls).toEqual([
      'fsync 10',
      'fsync 11',
      'fstat 10',
      'fstat 11',
      'stat /folder/',
      'link tmp/w a/w',
      'stat /folder/',
      'lstat /proc/self/fd/3/a',
      'link tmp/x a/x',
    ]);
    expect(answers.size).toBe(0);
    calls.length = 0;
    await sync();
    expect(calls).toEqual(['fsync 7', 'unlink tmp/w', 'fstat 10', 'close 10', 'unlink tmp/x', 'fstat 11', 'close 11']);
    expect(toldOf(1)).toEqual(['placed', 'placed']);
    expect(statsOf(1)).toEqual([...TOLD, ...TOLD]);
  });

  it('is durable before any file of its message gets a name', async () => {
    const { ask, calls, sync } = thread();
    await ask(1, { name: 'x', content: 'x' }, { name: 'y', content: 'y' });
    expect(verbs(calls)).toEqual(['open', 'write', 'open', 'write']);
    await sync();
    await sync();
    expect(verbs(calls).lastIndexOf('fstat')).toBeGreaterThan(verbs(calls).indexOf('link'));
    expect(calls.indexOf('fsync 11')).toBeLessThan(calls.indexOf('link tmp/x a/x'));
  });

  it('shares the look at its way with those of its message that get their names in a row, and with no later ones', async () => {
    const { ask, calls, sync } = thread();
    const other = { ...WAY, prefix: 'b/', descriptor: 8 };
    await ask(1, { name: 'x' }, { name: 'z', way: other }, { name: 'y' });
    await sync();
    await sync();
    await ask(2, { name: 'w' });
    await sync();
    expect(calls.filter((call) => /^(stat|link)/.test(call))).toEqual([
      'stat /folder/',
      'link tmp/x a/x',
      'stat /folder/',
      'link tmp/z b/z',
      'link tmp/y a/y',
      'stat /folder/',
      'link tmp/w a/w',
    ]);
  });

  it('shares the sync of its directory with those of its message, and with no others', async () => {
    const { ask, calls, sync } = thread();
    const other = { ...WAY, prefix: 'b/', descriptor: 8 };
    await ask(1, { name: 'x' }, { name: 'y' }, { name: 'z', way: other });
    await ask(2, { name: 'w' });
    await sync();
    await sync();
    expect(calls.filter((call) => /^(link|fsync [78])/.test(call))).toEqual([
      'link tmp/x a/x',
      'link tmp/y a/y',
      'link tmp/z b/z',
      'link tmp/w a/w',
      'fsync 7',
      'fsync 8',
      'fsync 7',
    ]);
  });

  describe('with as many that the whole disk is flushed', () => {
    const many = (count: number): Asked[] => Array.from({ length: count }, (_, i) => ({ name: `${i}` }));
    const syncs = (calls: readonly string[]): string[] => calls.filter((call) => /^(flush|fsync)/.test(call));
    const numbered = (what: string, from: number, to: number): string[] =>
      Array.from({ length: to - from }, (_, i) => `${what} ${10 + from + i}`);

    it('is durable by its own sync all the same, before any of them gets a name', async () => {
      const { ask, calls, sync, answers, toldOf } = thread(undefined, undefined, true);
      await ask(1, ...many(32));
      expect(syncs(calls)).toEqual(['flush 10', ...numbered('fsync here', 0, 32)]);
      expect(verbs(calls).indexOf('flush')).toBeGreaterThan(verbs(calls).lastIndexOf('open'));
      expect(verbs(calls).indexOf('link')).toBeGreaterThan(verbs(calls).lastIndexOf('fsync'));
      expect(answers.size).toBe(0);
      await sync();
      expect(toldOf(1)).toEqual(Array.from({ length: 32 }, () => 'placed'));
    });

    it('does not keep others from their places when its own sync fails', async () => {
      const { ask, calls, sync, toldOf } = thread(
        (call) => (call === 'fsync here 11' ? 'EIO' : undefined),
        undefined,
        true,
      );
      await ask(1, ...many(32));
      await sync();
      const told = toldOf(1);
      expect(told?.[1]).toEqual({ message: 'EIO: it failed', code: 'EIO', syscall: 'fsync' });
      expect(told?.filter((what) => what === 'placed')).toHaveLength(31);
      expect(calls).not.toContain('link tmp/1 a/1');
    });

    it('is synced with others at a time where the disk could not be flushed', async () => {
      const { ask, calls, sync } = thread();
      await ask(1, ...many(32));
      expect(syncs(calls)).toEqual(['flush 10']);
      await sync();
      expect(syncs(calls)).toEqual(['flush 10', ...numbered('fsync', 0, 32)]);
    });

    it('is synced with others at a time once syncs have taken long though it was', async () => {
      let nowMs = 0;
      const clock = vi.spyOn(performance, 'now').mockImplementation(() => nowMs);
      const { ask, calls, sync } = thread(
        (call) => {
          if (call.startsWith('fsync here')) nowMs += 4;
          return undefined;
        },
        undefined,
        true,
      );
      await ask(1, ...many(32));
      clock.mockRestore();
      // A quarter of a millisecond for each: 8 for all.
      expect(syncs(calls)).toEqual(['flush 10', 'fsync here 10', 'fsync here 11']);
      await sync();
      expect(syncs(calls).slice(3)).toEqual(numbered('fsync', 2, 32));
    });

    it('has the disk flushed by one that could be made, and by none where none could', async () => {
      const some = thread((call) => (call.startsWith('open tmp/0 ') ? 'EEXIST' : undefined), undefined, true);
      await some.ask(1, ...many(32));
      expect(syncs(some.calls)[0]).toBe('flush 10');
      expect(some.calls).not.toContain('fsync here -1');
      const none = thread((call) => (call.startsWith('open ') ? 'EMFILE' : undefined), undefined, true);
      await none.ask(1, ...many(32));
      expect(syncs(none.calls)).toEqual([]);
      expect(none.toldOf(1)).toHaveLength(32);
    });

    it('is one of 32: for fewer it would cost more than it spares', async () => {
      const { ask, calls } = thread(undefined, undefined, true);
      await ask(1, ...many(31));
      expect(syncs(calls)).toEqual([]);
    });
  });

  it.each(['open', 'write', 'futimes', 'fsync', 'fstat'])(
    'leaves nothing when %s fails, and tells why',
    async (which) => {
      const { ask, calls, sync, toldOf, statsOf } = thread((call) =>
        call.startsWith(`${which} `) && !call.startsWith('fsync 7') ? 'ENOSPC' : undefined,
      );
      await ask(1, { name: 'x', content: 'x', modified: 1 });
      await sync();
      expect(toldOf(1)).toEqual([{ message: 'ENOSPC: it failed', code: 'ENOSPC', syscall: which }]);
      expect(statsOf(1)).toEqual(TOLD.map(() => 0n));
      expect(calls).not.toContain('link tmp/x a/x');
      // What another made under the name is not touched.
      expect(calls.filter((call) => /^(close|unlink)/.test(call))).toEqual(
        which === 'open' ? [] : ['unlink tmp/x', 'close 10'],
      );
    },
  );

  it('does not keep others from theirs when it fails', async () => {
    const { ask, calls, sync, toldOf, statsOf } = thread((call) => (call === 'fsync 10' ? 'EIO' : undefined));
    await ask(1, { name: 'x' }, { name: 'y' });
    await sync();
    await sync();
    expect(toldOf(1)).toEqual([{ message: 'EIO: it failed', code: 'EIO', syscall: 'fsync' }, 'placed']);
    expect(statsOf(1)).toEqual([...TOLD.map(() => 0n), ...TOLD]);
    expect(calls).not.toContain('link tmp/x a/x');
  });

  it.each<[string, readonly WayForThread['landmarks'][number][], string | undefined]>([
    ['another directory stands on the way', [{ ...ROOT, identity: '5-6' }], undefined],
    ['nothing stands on the way', [{ ...ROOT, path: 'missing', follows: false }], undefined],
    ['a file stands on the way', [{ ...ROOT, path: 'file', follows: false }], undefined],
    ['the way cannot be seen', [ROOT], 'stat '],
    ['something stands in its place', [ROOT], 'link '],
  ])('gets no name where %s, and is gone', async (_, landmarks, failing) => {
    const { ask, calls, sync, toldOf, statsOf } = thread((call) =>
      failing !== undefined && call.startsWith(failing) ? 'EEXIST' : undefined,
    );
    await ask(1, { name: 'x', way: { ...WAY, landmarks } });
    await sync();
    expect(toldOf(1)).toEqual(['not-placed']);
    expect(statsOf(1)).toEqual(TOLD.map(() => 0n));
    expect(calls).not.toContain('fsync 7');
    if (failing !== 'link ') expect(calls).not.toContain('link tmp/x a/x');
    expect(calls.slice(-2)).toEqual(['unlink tmp/x', 'close 10']);
  });

  it('is not placed when its name could not be made durable, and its first name is gone', async () => {
    const { ask, calls, sync, toldOf } = thread((call) => (call === 'fsync 7' ? 'EIO' : undefined));
    await ask(1, { name: 'x' });
    await sync();
    await sync();
    expect(toldOf(1)).toEqual([{ message: 'EIO: it failed', code: 'EIO', syscall: 'fsync' }]);
    expect(calls.slice(-2)).toEqual(['unlink tmp/x', 'close 10']);
  });

  it.each(['unlink', 'close'])('is placed though %s fails', async (which) => {
    const { ask, sync, toldOf, statsOf } = thread((call) => (call.startsWith(which) ? 'EIO' : undefined));
    await ask(1, { name: 'x' });
    await sync();
    await sync();
    expect(toldOf(1)).toEqual(['placed']);
    expect(statsOf(1)).toEqual(TOLD);
  });

  it.each<[string, Partial<typeof STAT>, readonly bigint[]]>([
    ['as it stands when only its names were changed', { ctimeNs: 9n }, TOLD.with(3, 9n)],
    ['as it was made when it is longer by now', { ctimeNs: 9n, size: 8n }, TOLD],
    ['as it was made when it was written to by now', { ctimeNs: 9n, mtimeNs: 8n }, TOLD],
  ])('is told of %s', async (_, change, expected) => {
    const { ask, sync, statsOf } = thread(undefined, (nth) => (nth === 0 ? STAT : { ...STAT, ...change }));
    await ask(1, { name: 'x' });
    await sync();
    await sync();
    expect(statsOf(1)).toEqual(expected);
  });

  it('is told of as it was made when it cannot be looked at in its place', async () => {
    let looks = 0;
    const { ask, sync, toldOf, statsOf } = thread((call) =>
      call.startsWith('fstat') && ++looks === 2 ? 'EIO' : undefined,
    );
    await ask(1, { name: 'x' });
    await sync();
    await sync();
    expect(toldOf(1)).toEqual(['placed']);
    expect(statsOf(1)).toEqual(TOLD);
  });
});
