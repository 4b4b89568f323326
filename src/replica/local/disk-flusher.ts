import type * as NodeChildProcess from 'node:child_process';

/** Writes everything that waits for the disk on which an open file is; answers whether it did. Never rejects. */
export type FlushDisk = (descriptor: number) => Promise<boolean>;

/**
 * Node.js has no call for `syncfs`, but `sync -f` of GNU and others makes it. So what many files wait for is written at once, and
 * their own `fsync` finds little to do. It is a hint alone: no file counts as durable before its own `fsync`, which also tells
 * what went wrong.
 *
 * One shell asks for `sync` again and again, because each process that is started here costs a copy of the tables of all
 * memory. It ends with this process, or thread, which held the other end of its input. Whatever goes wrong with it ends it, and
 * none is started again: where there is no such program, or it may not be started, or knows no `-f`, or others write so much
 * to the disk that it takes long.
 *
 * It is sent to a thread as text: it may use nothing from around it.
 */
export function createDiskFlusher({ spawn }: Pick<typeof NodeChildProcess, 'spawn'>): FlushDisk {
  const LOOP = 'while read -r file; do sync -f "$file"; echo $?; done';
  /** A file that waits longer is better off with an `fsync` of its own. */
  const MOST_MS = 1000;

  interface Asked {
    readonly tell: (isFlushed: boolean) => void;
    readonly limit: NodeJS.Timeout;
  }
  let shell: NodeChildProcess.ChildProcess | undefined;
  let hasFailed = false;
  const asked: Asked[] = [];

  const answer = (isFlushed: boolean): void => {
    const first = asked.shift();
    if (first === undefined) return;
    clearTimeout(first.limit);
    first.tell(isFlushed);
  };
  const fail = (): void => {
    hasFailed = true;
    shell?.kill();
    while (asked.length > 0) answer(false);
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
    started.stdout.setEncoding('latin1').on('data', (said: string) => {
      for (const status of said.split('\n').slice(0, -1)) {
        if (status !== '0') return fail();
        answer(true);
      }
    });
    return started;
  };
  return (descriptor) =>
    new Promise((tell) => {
      if (hasFailed) return tell(false);
      asked.push({ tell, limit: setTimeout(fail, MOST_MS) });
      try {
        shell ??= start();
        shell.stdin?.write(`/proc/${process.pid}/fd/${descriptor}\n`);
      } catch {
        fail();
      }
    });
}
