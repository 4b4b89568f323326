import { throwIfAborted } from '../../errors.js';

/** Memory for bodies, shared by everything that sends. */
export interface ByteBudget {
  /** Answers the function that gives them back: at once where so many bytes are free, else when they are. Served in order. */
  take(bytes: number, signal?: AbortSignal): (() => void) | Promise<() => void>;
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

  const giverBack = (bytes: number): (() => void) => {
    let given = false;
    return () => {
      if (given) return;
      given = true;
      free += bytes;
      serve();
    };
  };

  return {
    take(asked, signal) {
      throwIfAborted(signal);
      const bytes = Math.min(asked, totalBytes);
      if (waiters.length > 0 || bytes > free) return wait(bytes, signal).then(() => giverBack(bytes));
      free -= bytes;
      return giverBack(bytes);
    },
  };
}
