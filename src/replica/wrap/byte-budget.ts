import { throwIfAborted } from '../../errors.js';

/** Memory for bodies, shared by everything that sends. */
export interface ByteBudget {
  /** Resolves when so many bytes are free; answers the function that gives them back. Served in order. */
  take(bytes: number, signal?: AbortSignal): Promise<() => void>;
}

interface Waiter {
  readonly bytes: number;
  readonly grant: () => void;
}

/** Makes a budget. What is larger than the whole budget gets all of it. */
export function createByteBudget(totalBytes: number): ByteBudget {
  let free = totalBytes;
  const waiters: Waiter[] = [];

  const serve = (): void => {
    for (;;) {
      const next = waiters[0];
      if (next === undefined || next.bytes > free) return;
      waiters.shift();
      free -= next.bytes;
      next.grant();
    }
  };

  const wait = (bytes: number, signal: AbortSignal | undefined): Promise<void> =>
    new Promise<void>((resolve, reject) => {
      const giveUp = (): void => {
        waiters.splice(waiters.indexOf(waiter), 1);
        serve();
        reject(signal?.reason);
      };
      const waiter: Waiter = {
        bytes,
        grant: () => {
          signal?.removeEventListener('abort', giveUp);
          resolve();
        },
      };
      waiters.push(waiter);
      signal?.addEventListener('abort', giveUp, { once: true });
      serve();
    });

  return {
    async take(asked, signal) {
      throwIfAborted(signal);
      const bytes = Math.min(asked, totalBytes);
      if (waiters.length === 0 && bytes <= free) free -= bytes;
      else await wait(bytes, signal);
      let given = false;
      return () => {
        if (given) return;
        given = true;
        free += bytes;
        serve();
      };
    },
  };
}
