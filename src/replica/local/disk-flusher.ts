import type * as NodeChildProcess from 'node:child_process';

/** Writes everything that waits for the disk on which an open file is; answers whether it did. Never rejects. */
export type FlushDisk = (descriptor: number) => Promise<boolean>;

/**
 * Node.js has no call for `syncfs`, but `sync -f` of GNU and others makes it. So what many files wait for is written at once, and
 * their own `fsync` finds little to do. It is a hint alone: no file counts as durable before its own `fsync`, which also tells
 * what went wrong. So one flush serves all that asked before it began, whatever disks they are on.
 *
 * Others may have left much to be written to the same disk. A flush that takes long is no longer waited for, and nobody asks for
 * another one until it has ended.
 *
 * One shell asks for `sync` again and again, because each process that is started here costs a copy of the tables of all
 * memory. It ends with this process, or thread, which held the other end of its input. Where there is no such program, or it may
 * not be started, or knows no `-f`, it is not tried again.
 *
 * It is sent to a thread as text: it may use nothing from around it.
 */
export function createDiskFlusher({ spawn }: Pick<typeof NodeChildProcess, 'spawn'>): FlushDisk {
  const LOOP = 'while read -r file; do sync -f "$file"; echo $?; done';
  /** A file that would wait longer is better off with an `fsync` of its own. */
  const MOST_MS = 100;

  interface Asked {
    readonly descriptor: number;
    readonly tell: (isFlushed: boolean) => void;
  }
  let shell: NodeChildProcess.ChildProcess | undefined;
  let state: 'ready' | 'flushing' | 'late' | 'failed' = 'ready';
  let limit: NodeJS.Timeout | undefined;
  /** Those for whom the disk is being flushed, and those who came since it began. */
  let served: readonly Asked[] = [];
  let waiting: Asked[] = [];

  const tellServed = (isFlushed: boolean): void => {
    clearTimeout(limit);
    for (const { tell } of served) tell(isFlushed);
    served = [];
  };
  const giveUp = (): void => {
    tellServed(false);
    for (const { tell } of waiting) tell(false);
    waiting = [];
  };
  const fail = (): void => {
    state = 'failed';
    shell?.kill();
    giveUp();
  };
  const beLate = (): void => {
    state = 'late';
    giveUp();
  };
  const begin = (): void => {
    const [first] = waiting;
    if (first === undefined) return;
    served = waiting;
    waiting = [];
    state = 'flushing';
    limit = setTimeout(beLate, MOST_MS);
    shell?.stdin?.write(`/proc/${process.pid}/fd/${first.descriptor}\n`);
  };
  const hear = (said: string): void => {
    if (state === 'failed') return;
    // Whoever asked for one that is late may have closed the file before it could be opened.
    if (state === 'flushing' && said !== '0\n') return fail();
    state = 'ready';
    tellServed(true);
    begin();
  };
  const start = (): NodeChildProcess.ChildProcess => {
    // None of what this process knows goes along.
    const started = spawn('/bin/sh', ['-c', LOOP], {
      stdio: ['pipe', 'pipe', 'ignore'],
      cwd: '/',
      env: { PATH: '/usr/bin:/bin' },
    });
    started.on('error', fail);
    started.on('exit', fail);
    started.stdin.on('error', fail);
    // One short line at a time, because one flush is asked for at a time.
    started.stdout.setEncoding('latin1').on('data', hear);
    return started;
  };
  return (descriptor) =>
    new Promise((tell) => {
      if (state === 'failed' || state === 'late') return tell(false);
      waiting.push({ descriptor, tell });
      if (state === 'flushing') return;
      try {
        shell ??= start();
        begin();
      } catch {
        fail();
      }
    });
}
