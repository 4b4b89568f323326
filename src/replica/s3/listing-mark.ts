import type { ScanMark } from '../replica.js';
import { forEachBounded } from './for-each-bounded.js';
import { detachedKey, isSeekable } from './list-hints.js';
import type { CheckedPage } from './listing-page.js';
import { isSamePage, type PageDigest } from './page-digest.js';

/** A page of a listing: what came after a key. */
interface MarkedPage {
  /** `undefined`: it was the first. */
  readonly after: string | undefined;
  readonly digest: PageDigest;
}

/** Asks for what comes after a key, as many keys as a page has. */
export type FetchDigest = (after: string | undefined, signal: AbortSignal) => Promise<PageDigest | undefined>;

/**
 * Makes a mark of a listing while its pages go by.
 *
 * Invariant: the pages of a mark cover all keys, each beginning at or before the end of the one before it, and the last says that there
 * are no more. So where each of them, asked for again, says the same, the whole listing does. Memory: a key and a digest for each.
 */
export class ListingMark implements ScanMark {
  readonly #fetch: FetchDigest;
  readonly #most: number;
  readonly #fetched = new WeakMap<CheckedPage, MarkedPage>();
  readonly #pages: MarkedPage[] = [];
  #canTell = true;
  #isWhole = false;

  /** @param most - how many pages are asked for at once. */
  constructor(fetch: FetchDigest, most: number) {
    this.#fetch = fetch;
    this.#most = most;
  }

  /** Whether all pages were taken, and can be asked for again. */
  get isWhole(): boolean {
    return this.#canTell && this.#isWhole;
  }

  /** Takes notice of a page that has arrived, and may be needed. */
  fetched(page: CheckedPage, after: string | undefined, digest: PageDigest | undefined): void {
    const canAsk = after === undefined || isSeekable(after);
    if (digest === undefined || !canAsk) return;
    this.#fetched.set(page, { after: after === undefined ? undefined : detachedKey(after), digest });
  }

  /** Takes notice of a page that is part of the listing, in order. */
  took(page: CheckedPage): void {
    const marked = this.#fetched.get(page);
    if (marked === undefined) this.#canTell = false;
    else this.#pages.push(marked);
    this.#isWhole = page.nextToken === undefined;
  }

  async holds(signal?: AbortSignal): Promise<boolean> {
    let holds = this.isWhole;
    await forEachBounded(this.#pages, this.#most, signal, async ({ after, digest }, stop) => {
      // The others are under way, and not waited for any longer than the one that tells.
      if (holds && !isSamePage(digest, await this.#fetch(after, stop))) holds = false;
    });
    return holds;
  }
}
