import type { BaselineRow } from '../core/baseline.js';
import type { Clock } from '../core/runtime.js';
import type { BaselinePort } from './context.js';
import type { AtWork } from './run-all.js';

/** How long a row waits for others, in milliseconds. A crash meanwhile costs a comparison by digest in the next cycle. */
const GATHER_MS = 10;
/** The same where so many rows came together the last time that more are sure to come. */
const MANY_ROWS = 8;
const GATHER_MANY_MS = 40;

/** Changes that are written together; `null` drops the row. */
interface Group {
  readonly changes: Map<string, BaselineRow | null>;
  readonly written: Promise<void>;
  /** Calls that wait for it. */
  waiting: number;
  /** Ends the wait for others. */
  readonly stop: AbortController;
}

/**
 * Gathers single rows for a moment and writes them together: a row on its own costs two trips into the database's thread.
 *
 * A call still resolves only when its rows are written, and calls take effect in their order. What asks for `sync` is not
 * kept waiting, but for what was asked before it; and nobody waits for others once all that are `atWork` wait.
 */
export function gatherRows(inner: BaselinePort, clock: Clock, atWork?: Readonly<AtWork>): BaselinePort {
  let group: Group | undefined;
  let lastRows = 0;

  const writeLater = async (changes: Group['changes'], { signal }: AbortController): Promise<void> => {
    await clock.sleep(lastRows < MANY_ROWS ? GATHER_MS : GATHER_MANY_MS, signal).catch((error: unknown) => {
      if (!signal.aborted) throw error;
    });
    group = undefined;
    lastRows = changes.size;
    const rows: BaselineRow[] = [];
    const gone: string[] = [];
    for (const [path, row] of changes) {
      if (row === null) gone.push(path);
      else rows.push(row);
    }
    await Promise.all([inner.put(rows), inner.delete(gone)]);
  };
  /** The group that gathers. */
  const open = (): Group => {
    if (group === undefined) {
      const changes: Group['changes'] = new Map();
      const stop = new AbortController();
      group = { changes, written: writeLater(changes, stop), waiting: 0, stop };
    }
    return group;
  };
  /** Waits until a group is written: at once where all that are at work wait for it. */
  const wait = (joined: Group): Promise<void> => {
    joined.waiting++;
    if (joined.waiting >= (atWork?.count ?? Infinity)) joined.stop.abort();
    return joined.written;
  };
  const afterGroup = async (write: () => Promise<void>): Promise<void> => {
    await group?.written;
    await write();
  };

  return {
    put(rows, options) {
      if (options?.sync === true) return afterGroup(() => inner.put(rows, options));
      const joined = open();
      for (const row of rows) joined.changes.set(row.path, row);
      return wait(joined);
    },
    delete(paths, options) {
      if (options?.sync === true) return afterGroup(() => inner.delete(paths, options));
      const joined = open();
      for (const path of paths) joined.changes.set(path, null);
      return wait(joined);
    },
  };
}
