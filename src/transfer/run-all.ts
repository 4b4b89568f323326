/** Options of {@link runAll}. */
export interface RunAllOptions {
  /** How many run at once, those that left not counted. */
  readonly concurrency: number;
  /** Aborted: nothing new is begun; what runs is awaited. */
  readonly stop?: AbortSignal;
  /** Counts those at work, those that left included. */
  readonly atWork?: AtWork;
}

/** How many work at this moment. */
export interface AtWork {
  count: number;
}

/** With so many at work, those at their end included, nobody leaves early. */
const MOST_RUNNING = 1024;

/**
 * Runs `work` over all items of a stream of pages, several at once.
 *
 * The first error ends it: nothing new is begun, what runs is awaited, then the error is thrown.
 *
 * @param work - may call `leave` when all that is left to do is to wait for something that is shared with others: the next
 * item then begins in its place, unless there is but one place.
 * @returns `true` when every item was worked on, `false` when it was stopped.
 */
export async function runAll<T>(
  pages: AsyncIterable<readonly T[]>,
  work: (item: T, leave: () => void) => Promise<unknown>,
  options: RunAllOptions,
): Promise<boolean> {
  const items = new PagedItems(pages);
  const running = new Set<Promise<void>>();
  const atWork = options.atWork ?? { count: 0 };
  let failure: { readonly error: unknown } | undefined;
  const stopped = (): boolean => options.stop?.aborted === true;
  const fail = (error: unknown): void => {
    failure ??= { error };
  };
  const begin = (item: T): Promise<void> =>
    new Promise((resolve) => {
      const leave = (): void => {
        if (options.concurrency > 1 && running.size < MOST_RUNNING) resolve();
      };
      const end = (): void => {
        running.delete(done);
        atWork.count--;
        resolve();
      };
      atWork.count++;
      const done: Promise<void> = work(item, leave).then(end, (error: unknown) => {
        fail(error);
        end();
      });
      running.add(done);
    });
  const worker = async (): Promise<void> => {
    while (failure === undefined && !stopped()) {
      if (items.areAtHand) await begin(items.take());
      else if (items.haveEnded) return;
      else await items.fetch();
    }
  };
  await Promise.all(Array.from({ length: options.concurrency }, () => worker().catch(fail)));
  await Promise.all(running);
  await items.close();
  if (failure !== undefined) throw failure.error;
  return items.haveEnded;
}

/** The items of a stream of pages, taken one by one by several who wait for the next page together. */
class PagedItems<T> {
  readonly #pages: AsyncIterator<readonly T[]>;
  #page: readonly T[] = [];
  #taken = 0;
  #fetching: Promise<void> | undefined;
  #haveEnded = false;

  constructor(pages: AsyncIterable<readonly T[]>) {
    this.#pages = pages[Symbol.asyncIterator]();
  }

  /** Whether one can be taken. */
  get areAtHand(): boolean {
    return this.#taken < this.#page.length;
  }

  /** No page comes any more. */
  get haveEnded(): boolean {
    return this.#haveEnded;
  }

  /** Waits for the next page; what it brings may be taken by others first. */
  fetch(): Promise<void> {
    return (this.#fetching ??= this.#turn());
  }

  take(): T {
    return this.#page[this.#taken++] as T;
  }

  async close(): Promise<void> {
    await this.#pages.return?.();
  }

  async #turn(): Promise<void> {
    try {
      const next = await this.#pages.next();
      if (next.done === true) this.#haveEnded = true;
      else [this.#page, this.#taken] = [next.value, 0];
    } finally {
      this.#fetching = undefined;
    }
  }
}
