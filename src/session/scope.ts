import type { Triple } from '../core/triple.js';
import { compareByteOrder } from '../core/byte-order.js';
import type { Replica } from '../replica/replica.js';
import type { BaselineStore } from '../store/state-store.js';

/** How many paths are observed at once, and handed on as one page. */
const OBSERVE_PAGE = 32;

/** Looks at exact paths, instead of walking both sides: for `files`, and for deciding again what changed meanwhile. */
export async function* observePaths(
  paths: readonly string[],
  sides: { readonly local: Replica; readonly remote: Replica; readonly baseline: Pick<BaselineStore, 'get'> },
  signal?: AbortSignal,
): AsyncGenerator<readonly Triple[]> {
  const sorted = Array.from(new Set(paths)).toSorted(compareByteOrder);
  for (let start = 0; start < sorted.length; start += OBSERVE_PAGE) {
    signal?.throwIfAborted();
    yield await Promise.all(
      sorted.slice(start, start + OBSERVE_PAGE).map(async (path): Promise<Triple> => {
        const [local, remote, baseline] = await Promise.all([
          sides.local.observe(path, signal),
          sides.remote.observe(path, signal),
          sides.baseline.get(path),
        ]);
        return { path, local, remote, baseline };
      }),
    );
  }
}
