import { compareByteOrder } from './byte-order.js';

/** A stream that has to be in order was not; nothing it said can be used. */
export class StreamOrderError extends Error {
  readonly code = 'ERR_STREAM_ORDER';

  constructor(stream: string, previous: string, next: string) {
    super(
      `The ${stream} stream is out of order: ${JSON.stringify(next)} came after ${JSON.stringify(previous)}, where each ` +
        `path has to come once and in the byte order of UTF-8. The run cannot go on; this is a fault of the store or of its adapter.`,
    );
    this.name = 'StreamOrderError';
  }
}

/**
 * Walks a stream of pages item by item, asking for the next page while the current one is in use.
 *
 * Holds two pages at most. `key` is the sort key of the current item, `undefined` at the end.
 * Keys have to ascend strictly, else {@link StreamOrderError}.
 */
export class PageCursor<T> {
  readonly #name: string;
  readonly #keyOf: (item: T) => string;
  readonly #iterator: AsyncIterator<readonly T[]>;
  #page: readonly T[] = [];
  #index = -1;
  #next: Promise<IteratorResult<readonly T[]>>;
  #item: T | undefined;
  #key: string | undefined;

  constructor(name: string, stream: AsyncIterable<readonly T[]>, keyOf: (item: T) => string) {
    this.#name = name;
    this.#keyOf = keyOf;
    this.#iterator = stream[Symbol.asyncIterator]();
    this.#next = this.#request();
  }

  get key(): string | undefined {
    return this.#key;
  }

  get item(): T | undefined {
    return this.#item;
  }

  /** Goes on within the page at hand; `false`: the page is used up, and `load` has to be awaited. */
  advance(): boolean {
    this.#index++;
    const item = this.#page[this.#index];
    if (item === undefined) return false;
    const key = this.#keyOf(item);
    if (this.#key !== undefined && compareByteOrder(this.#key, key) >= 0) {
      throw new StreamOrderError(this.#name, this.#key, key);
    }
    this.#item = item;
    this.#key = key;
    return true;
  }

  /**
   * Goes on within the page at hand to an item at `key`, which another stream at the same place has shown to come next;
   * `false`, and nothing was done, when the next item is another one.
   */
  follow(key: string | undefined): boolean {
    const item = this.#page[this.#index + 1];
    if (item === undefined || key === undefined || this.#keyOf(item) !== key) return false;
    this.#index++;
    this.#item = item;
    this.#key = key;
    return true;
  }

  /** Goes on to the first item of the next page that has one. */
  async load(): Promise<void> {
    do {
      const result = await this.#next;
      if (result.done === true) {
        this.#item = undefined;
        this.#key = undefined;
        return;
      }
      this.#page = result.value;
      this.#index = -1;
      this.#next = this.#request();
    } while (!this.advance());
  }

  /** Tells the stream that no more is wanted. Does not wait: a request under way may take long, and nobody needs it. */
  stop(): void {
    this.#iterator.return?.()?.catch(() => {});
  }

  #request(): Promise<IteratorResult<readonly T[]>> {
    const request = this.#iterator.next();
    // A failure is met by whoever awaits the page; until then it is no unhandled rejection.
    request.catch(() => {});
    return request;
  }
}
