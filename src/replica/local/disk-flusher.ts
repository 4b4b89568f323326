import type * as NodeChildProcess from 'node:child_process';
import type * as NodeFs from 'node:fs';

/** Writes everything that waits for the disk on which an open file is; answers whether it did. Never rejects. */
export type FlushDisk = (descriptor: number) => Promise<boolean>;

/**
 * Node.js has no call for `syncfs`, but `sync -f` of GNU and others makes it. So what many files wait for is written at once, and
 * their own `fsync` finds little to do. It is a hint alone: no file counts as durable before its own `fsync`, which also tells
 * what went wrong. So one flush serves all that asked before it began, whatever disks they are on.
 *
 * A flush also writes what others have left to be written, so there is none where that is much. One that takes long all the same is
 * no longer waited for, and nobody asks for another one until it has ended.
 *
 * One shell asks for `sync` again and again, because each process that is started here costs a copy of the tables of all
 * memory. It ends with this process, or thread, which held the other end of its input. Where there is no such program, or it may
 * not be started, or knows no `-f`, it is not tried again.
 *
 * It is sent to a thread as text: it may use nothing from around it.
 *
 * @param mostMs - a file that would wait longer is better off with an `fsync` of its own
 */
export function createDiskFlusher(
  { spawn }: Pick<typeof NodeChildProcess, 'spawn'>,
  { readFileSync }: Pick<typeof NodeFs, 'readFileSync'>,
  mostMs = 100,
): FlushDisk {
  const LOOP = 'while read -r file; do sync -f "$file"; echo $?; done';
  /** In the memory of the whole machine; the files of this process are a few MiB of it. */
  const MOST_LEFT_KIB = 64 * 1024;

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

  const isMuchLeft = (): boolean => {
    try {
      const leftKib = /^Dirty: +(\d+) kB$/m.exec(readFileSync('/proc/meminfo', 'latin1'))?.[1] ?? Infinity;
      return Number(leftKib) > MOST_LEFT_KIB;
    } catch {
      return true;
    }
  };
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
    limit = setTimeout(beLate, mostMs);
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
      if (state === 'failed' || state === 'late' || isMuchLeft()) return tell(false);
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
