import { compareByteOrder } from '../../core/byte-order.js';
import { FileCloudSyncError, HaltError, isAbort } from '../../errors.js';
import { firstName, ListLane, type FetchPage } from './list-lane.js';
import type { Boundary } from './list-hints.js';
import type { CheckedPage } from './listing-page.js';
import type { ListedObject } from './list-scanner.js';

/** A run of objects, in order. */
export interface ListedRun {
  readonly objects: readonly ListedObject[];
  /** As in {@link CheckedPage}. */
  readonly keys: readonly (string | undefined)[];
}

/** Options of {@link listInLanes}. */
export interface LaneOptions {
  readonly fetch: FetchPage;
  /** Where the keys may be cut, ascending. Whatever they are, the answer is the same. */
  readonly boundaries: readonly Boundary[];
  /** Most pages that are under way or wait to be used. */
  readonly mostAhead: number;
  /** Given each page that is part of the listing, in order, of which only a piece may be. */
  readonly onPage?: ((page: CheckedPage) => void) | undefined;
}

/** What a listing has learned about beginning after a key. */
export interface LaneReport {
  /** The store began somewhere else than it was asked to, or refused to. */
  readonly cannotSeek: boolean;
}

/** One lane may not fit because the bucket has changed meanwhile; after so many the listing goes on without them. */
const MAX_MISFITS = 4;

/**
 * Lists all objects in order, several stretches of the keys at once, of which each begins after a boundary.
 *
 * What a lane gives is believed only where it is joined without a gap: the lane before it has already seen the key with
 * which it begins, or ends exactly at the boundary, and the key after it is the one of the last listing. Otherwise the lane
 * before simply goes on, by the store's own tokens, as a listing without lanes does. So neither a boundary that is out of
 * date nor a store that begins at the wrong place changes what is listed; both cost requests.
 *
 * Each time that the consumer has to wait, twice as many pages are kept under way, up to `mostAhead`: a near store is asked
 * for little ahead, and a listing that is left early has asked for little. Memory: those pages. Keys across runs are not checked here.
 *
 * @throws what fetching a page threw; of a lane whose answer is not needed only what `checkPage` throws and aborts.
 */
export function listInLanes(options: LaneOptions): AsyncGenerator<ListedRun, LaneReport, undefined> {
  return new LaneListing(options).run();
}

class LaneListing {
  readonly #fetch: FetchPage;
  readonly #mostAhead: number;
  readonly #onPage: LaneOptions['onPage'];
  /** Those from `#next` on are not opened yet. */
  #boundaries: readonly Boundary[];
  #next = 0;
  #ahead = 1;
  #misfits = 0;
  #cannotSeek = false;
  /** The lane that is being given, and behind it those that run ahead, in order. */
  readonly #lanes: ListLane[] = [];

  constructor({ fetch, boundaries, mostAhead, onPage }: LaneOptions) {
    this.#fetch = fetch;
    this.#boundaries = boundaries;
    this.#mostAhead = mostAhead;
    this.#onPage = onPage;
  }

  async *run(): AsyncGenerator<ListedRun, LaneReport, undefined> {
    let lane = this.#open(undefined);
    /** Where the lane was joined within its next page. */
    let from = 0;
    try {
      for (;;) {
        this.#pump();
        if (!lane.isReady) this.#grow();
        const page = await lane.take();
        if (page === undefined) return { cannotSeek: this.#cannotSeek };
        this.#onPage?.(page);
        this.#pump();
        const joint = page.nextToken === undefined ? undefined : await this.#findJoint(lane, page);
        const run = slice(page, from, joint?.until ?? page.keys.length);
        if (run.keys.length > 0) yield run;
        from = joint?.from ?? 0;
        lane = joint?.lane ?? lane;
      }
    } finally {
      this.#giveUp();
    }
  }

  /** Finds the lane that goes on where this page leads, if one does without a gap. Lanes that were overtaken are dropped. */
  async #findJoint(lane: ListLane, page: CheckedPage): Promise<Joint | undefined> {
    const { lastKey } = page;
    if (lastKey === undefined) return undefined;
    const candidate = this.#nearest(lastKey);
    if (candidate?.after === undefined) {
      this.#skipTo(lane, lastKey);
      return undefined;
    }
    const { after, expected } = candidate;
    const isExact = after === lastKey;
    // Without a word on what comes next, the next page of this lane will tell.
    if (isExact && (expected === undefined || page.keys.at(-1) !== lastKey)) return undefined;
    const first = await this.#firstOf(candidate);
    // It was given up meanwhile.
    if (this.#lanes[1] !== candidate) return undefined;
    if (isExact) {
      if (first?.index !== 0 || first.key !== expected) return undefined;
      return this.#join({ lane: candidate, until: page.keys.length, from: 0 });
    }
    const until = page.keys.findIndex((key) => key !== undefined && !isUpTo(key, after));
    if (first !== undefined && first.key === page.keys[until])
      return this.#join({ lane: candidate, until, from: first.index });
    this.#misfits++;
    if (this.#misfits >= MAX_MISFITS) {
      this.#cannotSeek = true;
      this.#giveUp();
    } else this.#lanes.splice(1, 1);
    this.#skipTo(lane, lastKey);
    return undefined;
  }

  /** The lane in which most of what follows a key is known: the last one that this page overlaps, else one that begins at its end. */
  #nearest(lastKey: string): ListLane | undefined {
    const [, ...ahead] = this.#lanes;
    const beginsExactly = ahead.find(({ after }) => after === lastKey);
    const overlapped = ahead.findLastIndex(({ after }) => after !== undefined && compareByteOrder(after, lastKey) < 0);
    if (overlapped > 0) this.#lanes.splice(1, overlapped);
    return ahead[overlapped] ?? beginsExactly;
  }

  #join(joint: Joint): Joint {
    this.#lanes.shift();
    return joint;
  }

  /** The first key of a lane; `undefined` when it has none, or could not be had. */
  async #firstOf(lane: ListLane): Promise<ReturnType<typeof firstName>> {
    if (!lane.isReady) this.#grow();
    try {
      return firstName(await lane.peek());
    } catch (error) {
      // A page that contradicts itself is of a store that cannot be trusted at all.
      if (error instanceof HaltError || isAbort(error)) throw error;
      this.#cannotSeek ||= error instanceof FileCloudSyncError && !error.retryable;
      this.#giveUp();
      return undefined;
    }
  }

  #grow(): void {
    this.#ahead = Math.min(this.#mostAhead, this.#ahead * 2);
    this.#pump();
  }

  /** Asks for as many pages as may be ahead, the nearest first. */
  #pump(): void {
    let held = this.#lanes.reduce((sum, lane) => sum + lane.held, 0);
    for (const lane of this.#lanes) {
      if (held >= this.#ahead) return;
      if (!lane.wantsMore) continue;
      lane.request();
      held++;
    }
    for (; held < this.#ahead; held++) {
      const boundary = this.#boundaries[this.#next];
      if (boundary === undefined) return;
      this.#next++;
      this.#open(boundary).request();
    }
  }

  #open(boundary: Boundary | undefined): ListLane {
    const lane = new ListLane(
      { after: boundary?.after, expected: boundary?.expected, until: this.#boundaries[this.#next]?.after },
      { fetch: this.#fetch, onArrival: (arrived) => this.#arrived(arrived) },
    );
    this.#lanes.push(lane);
    return lane;
  }

  #arrived(lane: ListLane): void {
    // What one met, the next would meet too.
    if (lane.hasFailed) this.#boundaries = [];
    if (lane.isMisplaced) {
      this.#cannotSeek = true;
      this.#giveUp();
    }
    this.#pump();
  }

  /** The lane at hand has gone past boundaries at which no other begins. */
  #skipTo(lane: ListLane, lastKey: string): void {
    for (;;) {
      const boundary = this.#boundaries[this.#next];
      if (boundary === undefined || !isUpTo(boundary.after, lastKey)) break;
      this.#next++;
    }
    lane.until = this.#lanes[1]?.after ?? this.#boundaries[this.#next]?.after;
  }

  /** Goes on without other lanes. What they have asked for is not waited for. */
  #giveUp(): void {
    this.#boundaries = [];
    this.#lanes.splice(1);
    for (const lane of this.#lanes) lane.until = undefined;
  }
}

/** Where one lane ends and another goes on. */
interface Joint {
  readonly lane: ListLane;
  /** How much of the page at hand is given first. */
  readonly until: number;
  /** Where in its first page the other lane goes on. */
  readonly from: number;
}

function isUpTo(key: string, last: string): boolean {
  return compareByteOrder(key, last) <= 0;
}

function slice({ objects, keys }: CheckedPage, from: number, until: number): ListedRun {
  if (from === 0 && until === keys.length) return { objects, keys };
  return { objects: objects.slice(from, until), keys: keys.slice(from, until) };
}
