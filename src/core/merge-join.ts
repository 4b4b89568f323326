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
 * Walks the folder, the bucket and the baseline in lock step and gives, page by page, what each says about each path.
 *
 * Where one side is silent about a path below something it could not or would not look into, the path is untracked or
 * problematic on that side, never absent; an inherited problem keeps the path of where it was met.
 * Triples come in the order of `path` (`path/` for those with `subtree`). Memory: two pages of each stream and one of triples.
 *
 * @throws StreamOrderError when a stream is out of order; whatever a stream throws.
 */
export async function* mergeJoin(
  streams: Streams,
  pageSize = 1000,
): AsyncGenerator<readonly Triple[], void, undefined> {
  const local = new PageCursor('local', streams.local, sortKey);
  const remote = new PageCursor('remote', streams.remote, sortKey);
  const baseline = new PageCursor('baseline', streams.baseline, (row) => row.path);
  const localCover = new Cover('local');
  const remoteCover = new Cover('remote');
  try {
    await Promise.all([local.load(), remote.load(), baseline.load()]);
    let page: Triple[] = [];
    for (;;) {
      const localKey = local.key;
      const remoteKey = remote.key;
      const baselineKey = baseline.key;
      const key = least(least(localKey, remoteKey), baselineKey);
      if (key === undefined) break;
      const atLocal = localKey === key ? local.item : undefined;
      const atRemote = remoteKey === key ? remote.item : undefined;
      const row = baselineKey === key ? baseline.item : undefined;
      const path = atLocal?.path ?? atRemote?.path ?? key;
      const triple: Triple = {
        path,
        local: atLocal ?? localCover.inherited(key, path),
        remote: atRemote ?? remoteCover.inherited(key, path),
        baseline: row,
      };
      page.push(key === path ? triple : { ...triple, subtree: true });
      if (page.length >= pageSize) {
        yield page;
        page = [];
      }
      if (atLocal !== undefined) {
        localCover.enter(atLocal);
        if (!local.advance()) await local.load();
      }
      if (atRemote !== undefined) {
        remoteCover.enter(atRemote);
        if (!remote.advance()) await remote.load();
      }
      if (row !== undefined && !baseline.advance()) await baseline.load();
    }
    if (page.length > 0) yield page;
  } finally {
    local.stop();
    remote.stop();
    baseline.stop();
  }
}

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
