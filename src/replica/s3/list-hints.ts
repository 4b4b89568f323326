import { compareByteOrder } from '../../core/byte-order.js';
import type { FactMemory } from './upload-memory.js';

/** A place between two keys at which a part of a listing may begin. */
export interface Boundary {
  /** The part holds the keys after this one. */
  readonly after: string;
  /** The key that came next; `undefined`: this one was chosen so that the part begins with a key that the one before it has too. */
  readonly expected: string | undefined;
}

/** What the last listing leaves to the next one. */
export interface ListHints {
  /** Ascending. */
  readonly boundaries: readonly Boundary[];
  /** The store cannot begin after a key, and is not asked to before this time. Milliseconds since 1970. */
  readonly pausedUntilMs?: number;
}

/** What a listing that has come to its end has found. */
export interface ListingFindings {
  readonly cannotSeek: boolean;
  /** Pages that were asked for. */
  readonly requests: number;
  /** The fewest pages that it could have been. */
  readonly leastRequests: number;
  readonly boundaries: readonly Boundary[];
}

/** Bounds what is remembered: beyond it each second boundary is dropped. 20,000 serve 20,000,000 objects. */
export const MAX_BOUNDARIES = 20_000;
const MAX_CHARACTERS = 4 * 1024 * 1024;
const MAX_KEY_UNITS = 1024;
const PAUSE_MS = 7 * 24 * 3_600_000;
/** So many characters after the prefix have both keys of a cut in common that is believed without a key in both parts. */
const MIN_SHARED_UNITS = 4;
const NO_HINTS: ListHints = { boundaries: [] };

/** The name of the fact that holds the hints for what lies below a prefix. */
export function hintsFact(bucket: string, prefix: string): string {
  return `s3-list-hints-1 ${bucket} ${prefix}`;
}

/** Reads the hints; whatever else stands in their place is none. Throws when the memory cannot be read. */
export async function readHints(facts: FactMemory, name: string, prefix: string, nowMs: number): Promise<ListHints> {
  const fact = await facts.get<unknown>(name);
  if (typeof fact !== 'object' || fact === null) return NO_HINTS;
  const { boundaries, pausedUntilMs } = fact as { readonly boundaries?: unknown; readonly pausedUntilMs?: unknown };
  if (typeof pausedUntilMs === 'number' && pausedUntilMs > nowMs && pausedUntilMs <= nowMs + PAUSE_MS)
    return { boundaries: [], pausedUntilMs };
  return { boundaries: Array.isArray(boundaries) ? cleanBoundaries(boundaries, prefix) : [] };
}

/** Keeps of anything the part that is a list of boundaries in order. */
function cleanBoundaries(found: readonly unknown[], prefix: string): Boundary[] {
  const boundaries: Boundary[] = [];
  let last: string | undefined;
  for (const each of found.slice(0, MAX_BOUNDARIES)) {
    const [after, expected]: unknown[] = Array.isArray(each) ? each : [];
    if (typeof after !== 'string' || !after.startsWith(prefix) || !isSeekable(after)) continue;
    if (last !== undefined && compareByteOrder(last, after) >= 0) continue;
    last = after;
    boundaries.push({
      after,
      expected: typeof expected === 'string' && isNear(after, expected, prefix.length) ? expected : undefined,
    });
  }
  return boundaries;
}

/** Writes what a listing found, if the next one would be better off with it. */
export async function writeHints(
  facts: FactMemory,
  name: string,
  { known, found, nowMs }: { readonly known: ListHints; readonly found: ListingFindings; readonly nowMs: number },
): Promise<void> {
  if (known.pausedUntilMs !== undefined) return;
  if (found.cannotSeek) return facts.put(name, { boundaries: [], pausedUntilMs: nowMs + PAUSE_MS });
  const { boundaries, requests, leastRequests } = found;
  // Those that cut well are kept: each listing would move them a little otherwise, and write them all.
  const serves = known.boundaries.length > 0 && requests <= leastRequests;
  if (serves || isSame(known.boundaries, boundaries)) return;
  await facts.put(name, {
    boundaries: boundaries.map(({ after, expected }) => (expected === undefined ? [after] : [after, expected])),
  });
}

function isSame(a: readonly Boundary[], b: readonly Boundary[]): boolean {
  return (
    a.length === b.length && a.every(({ after, expected }, i) => after === b[i]?.after && expected === b[i]?.expected)
  );
}

/** The last two keys of a page; what comes next decides how it is cut. */
interface PendingCut {
  readonly before: string | undefined;
  readonly after: string | undefined;
}

/**
 * Finds the boundaries of a listing while its keys go by: one for each page.
 *
 * They are laid so that an unchanged bucket is listed in as many pages as without them. A part may then begin exactly where
 * the one before it ends, and that nothing lies between is known from the last listing alone; which is enough where the keys
 * are plain and so near to each other that no store can misread the one and still find the other. Else the boundary is one
 * key earlier, so that both parts have a key in common, which costs one request for a million keys.
 */
export class BoundaryFinder {
  readonly #prefixLength: number;
  #pageKeys = 0;
  #factor = 1;
  #count = 0;
  /** The number of keys before the last boundary. */
  #base = 0;
  #previous: string | undefined;
  #pending: PendingCut | undefined;
  #found: (Boundary & { readonly ordinal: number })[] = [];
  #characters = 0;

  constructor(prefix: string) {
    this.#prefixLength = prefix.length;
  }

  /** How many keys were taken notice of. */
  get count(): number {
    return this.#count;
  }

  /** The most keys that a page held. */
  get pageKeys(): number {
    return this.#pageKeys;
  }

  get boundaries(): readonly Boundary[] {
    return this.#found.map(({ after, expected }) => ({ after, expected }));
  }

  /** Takes notice of how many keys a page held. */
  sawPage(keys: number): void {
    if (keys <= this.#pageKeys) return;
    this.#pageKeys = keys;
    if (this.#found.length > 0) this.#thin();
  }

  /** Takes the next keys. */
  add(keys: readonly (string | undefined)[]): void {
    for (const key of keys) {
      if (this.#pending !== undefined) this.#settle(this.#pending, key);
      this.#count++;
      if (this.#count - this.#base >= this.#spacing) this.#pending = { before: this.#previous, after: key };
      this.#previous = key;
    }
  }

  get #spacing(): number {
    return this.#pageKeys * this.#factor;
  }

  #settle({ before, after }: PendingCut, next: string | undefined): void {
    this.#pending = undefined;
    this.#base = this.#count;
    if (after !== undefined && next !== undefined && isNear(after, next, this.#prefixLength))
      return this.#push(after, next);
    // With one key in common, the next part is one key shorter.
    this.#base--;
    if (before !== undefined && isSeekable(before)) this.#push(before, undefined);
  }

  #push(after: string, expected: string | undefined): void {
    this.#found.push({
      after: detachedKey(after),
      expected: expected === undefined ? undefined : detachedKey(expected),
      ordinal: this.#base,
    });
    this.#characters += after.length + (expected?.length ?? 0);
    if (this.#found.length <= MAX_BOUNDARIES && this.#characters <= MAX_CHARACTERS) return;
    this.#factor *= 2;
    this.#thin();
  }

  /** Drops those that have become too near to each other. */
  #thin(): void {
    let last = 0;
    this.#found = this.#found.filter(({ ordinal }) => {
      if (ordinal - last < this.#spacing) return false;
      last = ordinal;
      return true;
    });
    this.#base = last;
    this.#characters = this.#found.reduce(
      (sum, { after, expected }) => sum + after.length + (expected?.length ?? 0),
      0,
    );
  }
}

/** Whether a store that begins after the one key, and finds the other, cannot have misread the one. */
function isNear(after: string, next: string, prefixLength: number): boolean {
  const shared = prefixLength + MIN_SHARED_UNITS;
  return isPlain(after) && isPlain(next) && after.length > shared && next.startsWith(after.slice(0, shared));
}

/** A key that needs no escape anywhere. */
function isPlain(key: string): boolean {
  return /^[\w./~-]{1,1024}$/.test(key);
}

/** A key that can be sent as a place to begin at. */
export function isSeekable(key: string): boolean {
  return key.length > 0 && key.length <= MAX_KEY_UNITS && !/[\p{Surrogate}\p{Cc}\uFFFE\uFFFF]/u.test(key);
}

/** A copy: a key that was cut out of a page keeps the whole page in memory. */
export function detachedKey(key: string): string {
  return Buffer.from(key).toString();
}
