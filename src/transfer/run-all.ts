/** Options of {@link runAll}. */
export interface RunAllOptions {
  /** How many run at once. */
  readonly concurrency: number;
  /** Aborted: nothing new is begun; what runs is awaited. */
  readonly stop?: AbortSignal;
}

/**
 * Runs `work` over all items of a stream of pages, several at once.
 *
 * The first error ends it: nothing new is begun, what runs is awaited, then the error is thrown.
 *
 * @returns `true` when every item was worked on, `false` when it was stopped.
 */
export async function runAll<T>(
  pages: AsyncIterable<readonly T[]>,
  work: (item: T) => Promise<void>,
  options: RunAllOptions,
): Promise<boolean> {
  const items = flatten(pages);
  let failure: { readonly error: unknown } | undefined;
  let ended = false;
  const stopped = (): boolean => options.stop?.aborted === true;
  const worker = async (): Promise<void> => {
    while (failure === undefined && !ended && !stopped()) {
      const next = await items.next();
      if (next.done === true) {
        ended = true;
        return;
      }
      // A stop that came while the next item was being read still counts: the item is not begun.
      if (stopped()) return;
      await work(next.value);
    }
  };
  const guarded = async (): Promise<void> => {
    try {
      await worker();
    } catch (error) {
      failure ??= { error };
    }
  };
  await Promise.all(Array.from({ length: options.concurrency }, guarded));
  await items.return(undefined);
  if (failure !== undefined) throw failure.error;
  return ended;
}

async function* flatten<T>(pages: AsyncIterable<readonly T[]>): AsyncGenerator<T, void, undefined> {
  for await (const page of pages) yield* page;
}
