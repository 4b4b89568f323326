import type { BaselineRow } from './baseline.js';
import { compareByteOrder } from './byte-order.js';
import { Cover } from './cover.js';
import type { Entry } from './entry.js';
import { PageCursor } from './page-cursor.js';
import type { Triple } from './triple.js';

/** The three ordered streams of a cycle, in pages. */
export interface Streams {
  /** Strictly ascending in UTF-8 byte order of the path; an entry with `subtree` stands where `path/` does. */
  readonly local: AsyncIterable<readonly Entry[]>;
  /** The same order. */
  readonly remote: AsyncIterable<readonly Entry[]>;
  /** The same order. */
  readonly baseline: AsyncIterable<readonly BaselineRow[]>;
}

/**
 * Takes what all three streams say of one path, if nobody else has to hear of it; `false`: it is given like any other.
 *
 * Asked only of paths that have no other above or below them that is given.
 */
export type PassOver = (local: Entry, remote: Entry, row: BaselineRow) => boolean;

/**
 * Walks the folder, the bucket and the baseline in lock step and gives, page by page, what each says about each path.
 *
 * Where one side is silent about a path below something it could not or would not look into, the path is untracked or
 * problematic on that side, never absent; an inherited problem keeps the path of where it was met.
 * Triples come in the order of `path` (`path/` for those with `subtree`). Memory: two pages of each stream and one of triples.
 *
 * @param passOver - saves most of the work for paths at which nothing was changed, which are nearly all.
 * @throws StreamOrderError when a stream is out of order; whatever a stream throws.
 */
export async function* mergeJoin(
  streams: Streams,
  pageSize = 1000,
  passOver?: PassOver,
): AsyncGenerator<readonly Triple[], void, undefined> {
  const local = new PageCursor('local', streams.local, sortKey);
  const remote = new PageCursor('remote', streams.remote, sortKey);
  const baseline = new PageCursor('baseline', streams.baseline, (row) => row.path);
  const localCover = new Cover('local');
  const remoteCover = new Cover('remote');
  const given = new GivenAbove();
  const give = (
    key: string,
    atLocal: Entry | undefined,
    atRemote: Entry | undefined,
    row: BaselineRow | undefined,
  ): Triple => {
    const path = atLocal?.path ?? atRemote?.path ?? key;
    const triple: Triple = {
      path,
      local: atLocal ?? localCover.inherited(key, path),
      remote: atRemote ?? remoteCover.inherited(key, path),
      baseline: row,
    };
    if (atLocal !== undefined) localCover.enter(atLocal);
    if (atRemote !== undefined) remoteCover.enter(atRemote);
    given.add(key, path);
    return key === path ? triple : { ...triple, subtree: true };
  };
  try {
    await Promise.all([local.load(), remote.load(), baseline.load()]);
    let page: Triple[] = [];
    let key = least(least(local.key, remote.key), baseline.key);
    while (key !== undefined) {
      const atLocal = local.key === key ? local.item : undefined;
      const atRemote = remote.key === key ? remote.item : undefined;
      const row = baseline.key === key ? baseline.item : undefined;
      const mayPass = passOver !== undefined && atLocal !== undefined && atRemote !== undefined && row !== undefined;
      const isPending = mayPass && !given.isAbove(key);
      if (!isPending) page.push(give(key, atLocal, atRemote, row));
      if (page.length >= pageSize) {
        yield page;
        page = [];
      }
      if (atLocal !== undefined && !local.advance()) await local.load();
      // Where one stream goes, the others go too, nearly always: then the order is checked once for all of them.
      const ahead = atLocal === undefined ? undefined : local.key;
      if (atRemote !== undefined && !remote.follow(ahead) && !remote.advance()) await remote.load();
      if (row !== undefined && !baseline.follow(ahead) && !baseline.advance()) await baseline.load();
      const next = least(least(local.key, remote.key), baseline.key);
      if (isPending && (next?.startsWith(key) === true || !passOver(atLocal, atRemote, row))) {
        page.push(give(key, atLocal, atRemote, row));
        if (page.length >= pageSize) {
          yield page;
          page = [];
        }
      }
      key = next;
    }
    if (page.length > 0) yield page;
  } finally {
    local.stop();
    remote.stop();
    baseline.stop();
  }
}

/** Knows which of the paths that were given stand above the walk. Holds those that are a string prefix of where it stands. */
class GivenAbove {
  readonly #paths: string[] = [];

  add(key: string, path: string): void {
    this.#leaveTo(key);
    this.#paths.push(path);
  }

  /** Whether `key` lies below one of them. */
  isAbove(key: string): boolean {
    this.#leaveTo(key);
    return this.#paths.some((path) => key.charCodeAt(path.length) === SLASH);
  }

  #leaveTo(key: string): void {
    let top = this.#paths.at(-1);
    while (top !== undefined && !key.startsWith(top)) {
      this.#paths.pop();
      top = this.#paths.at(-1);
    }
  }
}

const SLASH = 0x2f;

/** Where an entry stands in the order: a whole directory as `name/`, anything else as its path. */
export function sortKey(entry: Entry): string {
  return entry.kind !== 'file' && 'subtree' in entry && entry.subtree ? `${entry.path}/` : entry.path;
}

function least(a: string | undefined, b: string | undefined): string | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  // Nearly always all three stand at the same path.
  if (a === b) return a;
  return compareByteOrder(a, b) <= 0 ? a : b;
}
