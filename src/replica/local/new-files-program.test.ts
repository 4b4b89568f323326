import type * as NodeFs from 'node:fs';
import type { MessagePort } from 'node:worker_threads';
import { expect, it } from 'vitest';
import {
  newFilesProgram,
  type MakeJob,
  type NewFilesAnswer,
  type NewFilesQuestion,
  type PlaceJob,
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
const ROOT = { path: '/folder/', identity: '5-4', follows: true };

/** The thread, but here, over a disk that notes what is asked of it; a call that begins with `fails` fails. */
function thread(fails: (call: string) => string | undefined = () => undefined) {
  const calls: string[] = [];
  const call = (text: string): void => {
    calls.push(text);
    const code = fails(text);
    if (code !== undefined) throw Object.assign(new Error(`${code}: it failed`), { code, syscall: text.split(' ')[0] });
  };
  const syncing: (() => void)[] = [];
  let descriptor = 10;
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
    fchmodSync: (to: number, mode: number) => call(`fchmod ${to} ${mode}`),
    fstatSync(of: number) {
      call(`fstat ${of}`);
      return STAT;
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
    postMessage: ([id, answer]: [number, NewFilesAnswer]) => answers.set(id, answer),
  };
  newFilesProgram(port as unknown as MessagePort, fs as unknown as typeof NodeFs);
  const settle = () => new Promise((resolve) => setImmediate(resolve));
  return {
    calls,
    answers,
    async ask(id: number, jobs: readonly (MakeJob | PlaceJob)[], content = '') {
      receive([id, { jobs, content: new Uint8Array(Buffer.from(content)) }]);
      await settle();
    },
    /** Ends the syncs that are under way. */
    async sync() {
      for (const end of syncing.splice(0)) end();
      await settle();
    },
  };
}

const made = (path: string, start: number, end: number, more: Partial<MakeJob> = {}): MakeJob => ({
  step: 'make',
  path,
  start,
  end,
  modified: undefined,
  mode: undefined,
  ...more,
});
const placed = (name: string, more: Partial<PlaceJob> = {}): PlaceJob => ({
  step: 'place',
  way: [ROOT],
  staged: `tmp/${name}`,
  place: `a/${name}`,
  directory: 7,
  ...more,
});

it('makes a file anew, whole and durable, and tells of it only then', async () => {
  const { ask, calls, sync, answers } = thread();
  await ask(1, [made('tmp/x', 1, 4, { modified: 5.5, mode: 0o640 })], '-abc-');
  expect(calls).toEqual([
    `open tmp/x ${2 + 64 + 128 + 131_072}`,
    'write 10 ab at 0',
    'write 10 c at 2',
    'futimes 10 5.5',
    'fchmod 10 416',
  ]);
  expect(answers.size).toBe(0);
  await sync();
  expect(calls.slice(5)).toEqual(['fsync 10', 'fstat 10']);
  expect(answers.get(1)).toEqual([{ descriptor: 10, stat: [33_188n, 1n, 2n, 3n, 4n, 5n, 1n] }]);
});

it('writes all files of a message before it waits for the disk', async () => {
  const { ask, calls, sync, answers } = thread();
  await ask(1, [made('tmp/x', 0, 1), made('tmp/y', 1, 2)], 'xy');
  expect(calls.map((call) => call.split(' ')[0])).toEqual(['open', 'write', 'open', 'write']);
  await sync();
  expect(answers.get(1)).toHaveLength(2);
});

it.each(['open', 'write', 'futimes', 'fchmod', 'fsync', 'fstat'])(
  'tells what went wrong where %s fails, and holds nothing open',
  async (which) => {
    const { ask, calls, sync, answers } = thread((call) => (call.startsWith(`${which} `) ? 'ENOSPC' : undefined));
    await ask(1, [made('tmp/x', 0, 1, { modified: 1, mode: 1 })], 'x');
    await sync();
    expect(answers.get(1)).toEqual([{ error: { message: 'ENOSPC: it failed', code: 'ENOSPC', syscall: which } }]);
    expect(calls.filter((call) => call.startsWith('close'))).toEqual(which === 'open' ? [] : ['close 10']);
    expect(calls.some((call) => call.startsWith('fstat'))).toBe(which === 'fstat');
  },
);

it('takes the staged name away only when the name in place is durable', async () => {
  const { ask, calls, sync, answers } = thread();
  const way = [ROOT, { path: '/proc/self/fd/3/a', identity: '5-4', follows: false }];
  await ask(1, [placed('x', { way })]);
  expect(calls).toEqual(['stat /folder/', 'lstat /proc/self/fd/3/a', 'link tmp/x a/x']);
  expect(answers.size).toBe(0);
  await sync();
  expect(calls.slice(3)).toEqual(['fsync 7', 'unlink tmp/x']);
  expect(answers.get(1)).toEqual([{ placed: 'here' }]);
});

it('syncs a directory once for all names that a message gives in it, and again for those of the next', async () => {
  const { ask, calls, sync } = thread();
  await ask(1, [placed('x'), placed('y'), placed('z', { directory: 8 })]);
  await ask(2, [placed('w')]);
  await sync();
  expect(calls.filter((call) => /^(link|fsync)/.test(call))).toEqual([
    'link tmp/x a/x',
    'link tmp/y a/y',
    'link tmp/z a/z',
    'link tmp/w a/w',
    'fsync 7',
    'fsync 8',
    'fsync 7',
  ]);
});

it.each([
  ['another directory stands on the way', { way: [{ ...ROOT, identity: '5-6' }] }, undefined, 'elsewhere'],
  ['nothing stands on the way', { way: [{ ...ROOT, path: 'missing', follows: false }] }, undefined, 'elsewhere'],
  ['a file stands on the way', { way: [{ ...ROOT, path: 'file', follows: false }] }, undefined, 'elsewhere'],
  ['the way cannot be seen', {}, 'stat ', 'elsewhere'],
  ['the name cannot be given', {}, 'link ', 'elsewhere'],
] as const)('gives no name where %s', async (_, more, failing, expected) => {
  const { ask, calls, sync, answers } = thread((call) =>
    failing !== undefined && call.startsWith(failing) ? 'EACCES' : undefined,
  );
  await ask(1, [placed('x', more)]);
  await sync();
  expect(answers.get(1)).toEqual([{ placed: expected }]);
  expect(calls.filter((call) => /^(fsync|unlink)/.test(call))).toEqual([]);
  if (failing !== 'link ') expect(calls).not.toContain('link tmp/x a/x');
});

it('says when something stands at the name', async () => {
  const { ask, answers } = thread((call) => (call.startsWith('link') ? 'EEXIST' : undefined));
  await ask(1, [placed('x')]);
  expect(answers.get(1)).toEqual([{ placed: 'taken' }]);
});

it('tells when a name could not be made durable, and leaves the staged one', async () => {
  const { ask, calls, sync, answers } = thread((call) => (call.startsWith('fsync') ? 'EIO' : undefined));
  await ask(1, [placed('x')]);
  await sync();
  expect(answers.get(1)).toEqual([{ error: { message: 'EIO: it failed', code: 'EIO', syscall: 'fsync' } }]);
  expect(calls).not.toContain('unlink tmp/x');
});

it('has placed a file whose staged name cannot be taken away', async () => {
  const { ask, sync, answers } = thread((call) => (call.startsWith('unlink') ? 'EIO' : undefined));
  await ask(1, [placed('x')]);
  await sync();
  expect(answers.get(1)).toEqual([{ placed: 'here' }]);
});
