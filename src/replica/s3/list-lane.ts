import { compareByteOrder } from '../../core/byte-order.js';
import { untrusted, type CheckedPage } from './listing-page.js';

/** Where a page begins: after a key, or where another page ended; both `undefined`: at the beginning. */
export interface PageStart {
  readonly startAfter: string | undefined;
  readonly token: string | undefined;
}

/** Fetches one page. `after`: the last key before it, wherever it is said to begin. */
export type FetchPage = (start: PageStart, after: string | undefined) => Promise<CheckedPage>;

/** Pages without a key that a listing may have in a row: stores that delete lazily answer some. */
const MAX_EMPTY_PAGES = 100;

/**
 * A part of a listing, fetched page after page by the store's own tokens: what it gives is contiguous, like a listing on its own.
 * Only where it begins has to be believed.
 */
export class ListLane {
  /** It holds the keys after this one; `undefined`: from the first. */
  readonly after: string | undefined;
  /** The key that came first here when the last listing was made; `undefined`: not known. */
  readonly expected: string | undefined;
  /** Up to here it runs ahead; `undefined`: to the end, one page ahead. */
  until: string | undefined;
  readonly #fetch: FetchPage;
  readonly #onArrival: (lane: ListLane) => void;
  readonly #pages: CheckedPage[] = [];
  #token: string | undefined;
  #lastKey: string | undefined;
  #started = false;
  #ended = false;
  #inFlight: Promise<void> | undefined;
  #failure: { readonly error: unknown } | undefined;

  constructor(
    place: {
      readonly after: string | undefined;
      readonly expected: string | undefined;
      readonly until: string | undefined;
    },
    ports: { readonly fetch: FetchPage; readonly onArrival: (lane: ListLane) => void },
  ) {
    this.after = place.after;
    this.expected = place.expected;
    this.until = place.until;
    this.#fetch = ports.fetch;
    this.#onArrival = ports.onArrival;
  }

  /** Pages that are here or under way. */
  get held(): number {
    return this.#pages.length + (this.#inFlight === undefined ? 0 : 1);
  }

  /** Whether the next page can be taken without waiting. */
  get isReady(): boolean {
    return this.#pages.length > 0 || this.#ended || this.#failure !== undefined;
  }

  get hasFailed(): boolean {
    return this.#failure !== undefined;
  }

  /** Whether another page of it will be needed for certain, or, without an end, probably. */
  get wantsMore(): boolean {
    if (this.#inFlight !== undefined || this.#ended || this.#failure !== undefined) return false;
    if (this.until === undefined) return this.#pages.length === 0;
    return this.#lastKey === undefined || compareByteOrder(this.#lastKey, this.until) < 0;
  }

  /** Whether the store began somewhere else than it was asked to. */
  get isMisplaced(): boolean {
    const first = firstName(this.#pages[0])?.key;
    return this.after !== undefined && first !== undefined && compareByteOrder(first, this.after) <= 0;
  }

  /** Asks for the next page, unless it is under way or there is none. */
  request(): void {
    if (this.#inFlight !== undefined || this.#ended || this.#failure !== undefined) return;
    this.#inFlight = this.#fetchNext().then(
      () => this.#arrived(),
      (error: unknown) => {
        this.#failure = { error };
        this.#arrived();
      },
    );
  }

  /** Waits for the next page and leaves it; `undefined` at the end. Throws what fetching it threw. */
  async peek(): Promise<CheckedPage | undefined> {
    while (this.#pages.length === 0) {
      if (this.#failure !== undefined) throw this.#failure.error;
      if (this.#ended) return undefined;
      this.request();
      await this.#inFlight;
    }
    return this.#pages[0];
  }

  /** Takes the next page; `undefined` at the end. Throws what fetching it threw. */
  async take(): Promise<CheckedPage | undefined> {
    const page = await this.peek();
    this.#pages.shift();
    return page;
  }

  #arrived(): void {
    this.#inFlight = undefined;
    this.#onArrival(this);
  }

  async #fetchNext(): Promise<void> {
    for (let emptyPages = 0; ; emptyPages++) {
      if (emptyPages > MAX_EMPTY_PAGES) throw untrusted(`${emptyPages} pages in a row held no key`);
      const start = { startAfter: this.#started ? undefined : this.after, token: this.#token };
      const page = await this.#fetch(start, this.#lastKey ?? this.after);
      this.#started = true;
      if (page.nextToken !== undefined && page.nextToken === this.#token) throw untrusted('a page leads to itself');
      this.#token = page.nextToken;
      this.#ended = page.nextToken === undefined;
      this.#lastKey = page.lastKey ?? this.#lastKey;
      if (page.objects.length > 0) this.#pages.push(page);
      if (page.objects.length > 0 || this.#ended) return;
    }
  }
}

/** The first key of a page that is a name, and where it stands. */
export function firstName(page: CheckedPage | undefined): { readonly key: string; readonly index: number } | undefined {
  if (page === undefined) return undefined;
  const index = page.keys.findIndex((key) => key !== undefined);
  const key = page.keys[index];
  return key === undefined ? undefined : { key, index };
}
