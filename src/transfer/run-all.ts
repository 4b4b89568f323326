/** Options of {@link runAll}. */
export interface RunAllOptions {
  /** How many run at once, those that left not counted. */
  readonly concurrency: number;
  /** Aborted: nothing new is begun; what runs is awaited. */
  readonly stop?: AbortSignal;
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
  work: (item: T, leave: () => void) => Promise<void>,
  options: RunAllOptions,
): Promise<boolean> {
  const items = flatten(pages);
  const running = new Set<Promise<void>>();
  let failure: { readonly error: unknown } | undefined;
  let ended = false;
  const stopped = (): boolean => options.stop?.aborted === true;
  const fail = (error: unknown): void => {
    failure ??= { error };
  };
  const begin = (item: T): Promise<void> =>
    new Promise((resolve) => {
      const leave = (): void => {
        if (options.concurrency > 1 && running.size < MOST_RUNNING) resolve();
      };
      const finish = async (): Promise<void> => {
        try {
          await work(item, leave);
        } catch (error) {
          fail(error);
        }
        running.delete(done);
        resolve();
      };
      const done = finish();
      running.add(done);
    });
  const worker = async (): Promise<void> => {
    while (failure === undefined && !ended && !stopped()) {
      const next = await items.next();
      if (next.done === true) {
        ended = true;
        return;
      }
      // A stop that came while the next item was being read still counts: the item is not begun.
      if (stopped()) return;
      await begin(next.value);
    }
  };
  await Promise.all(Array.from({ length: options.concurrency }, () => worker().catch(fail)));
  await Promise.all(running);
  await items.return(undefined);
  if (failure !== undefined) throw failure.error;
  return ended;
}

async function* flatten<T>(pages: AsyncIterable<readonly T[]>): AsyncGenerator<T, void, undefined> {
  for await (const page of pages) yield* page;
}
