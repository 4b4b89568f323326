import type { BaselineRow } from '../core/baseline.js';
import type { FileEntry } from '../core/entry.js';

/** What {@link believedFolder} makes of the baseline; the two are to be read side by side. */
export interface BelievedFolder {
  readonly local: AsyncIterable<readonly FileEntry[]>;
  readonly baseline: AsyncIterable<readonly BaselineRow[]>;
}

/**
 * The folder as it would be if nothing had been done in it since both sides agreed, beside the baseline itself, which is read once.
 *
 * A row of which that cannot be said (a racy file, a download that was cut short) stands for no file: it is never passed over.
 */
export function believedFolder(baseline: AsyncIterable<readonly BaselineRow[]>): BelievedFolder {
  const [rows, again] = twice(baseline);
  return { local: entriesOf(rows), baseline: again };
}

async function* entriesOf(pages: AsyncIterable<readonly BaselineRow[]>): AsyncGenerator<readonly FileEntry[]> {
  for await (const rows of pages) yield rows.flatMap(entryOf);
}

function entryOf({ path, sizeBytes, local, replacing }: BaselineRow): FileEntry | readonly [] {
  if (local === null || replacing === true) return [];
  return { kind: 'file', path, sizeBytes, fingerprint: local, modifiedMs: undefined, modifiedSource: 'mtime' };
}

interface Node<T> {
  readonly result: Promise<IteratorResult<T>>;
  next?: Node<T>;
}

/** Gives each item to two readers; what only one of them has read is held. */
function twice<T>(items: AsyncIterable<T>): readonly [AsyncIterable<T>, AsyncIterable<T>] {
  const iterator = items[Symbol.asyncIterator]();
  const nextNode = (): Node<T> => ({ result: iterator.next() });
  let first: Node<T> | undefined;
  async function* read(): AsyncGenerator<T> {
    try {
      for (let node = (first ??= nextNode()); ; node = node.next ??= nextNode()) {
        const { done, value } = await node.result;
        if (done === true) return;
        yield value;
      }
    } finally {
      await iterator.return?.();
    }
  }
  return [read(), read()];
}
