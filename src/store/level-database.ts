import type { ClassicLevel } from 'classic-level';
import { chmod, mkdir, readdir } from 'node:fs/promises';
import path from 'node:path';
import { FileCloudSyncError, LockedError, StateDamagedError } from '../errors.js';
import { hasCode, readFileIfPresent, removeUnfinished, writeFileAtomically } from './atomic-file.js';
import type { Database, DatabaseOperation, DatabasePage, KeyRange } from './database.js';
import { stateUnusable, withStateErrors } from './state-unusable.js';

/** Rows per page of an iteration. */
const PAGE_ROWS = 1000;
/** LevelDB fills a page until this many bytes at most; its own default of 16 KiB makes pages of about 80 rows. */
const PAGE_BYTES = 1024 * 1024;
const MARK_FILE = 'mark';

/** Begins to load the native module. What fails of it fails in {@link openLevelDatabase} again, and is told there. */
export function preloadDatabase(): void {
  import('classic-level').catch(() => undefined);
}

/**
 * Opens a LevelDB database in a directory of its own, creating it (mode 0700) when there is none.
 *
 * Throws `LockedError` when any process has it open, `StateDamagedError` when it cannot be read,
 * and `ERR_STATE_UNUSABLE` when the disk or its permissions stand in the way (which is no damage).
 * The native module is loaded on the first call only.
 */
export async function openLevelDatabase(directory: string): Promise<Database> {
  try {
    await mkdir(directory, { recursive: true, mode: 0o700 });
  } catch (error) {
    throw stateUnusable(directory, error);
  }
  const { ClassicLevel: Level } = await import('classic-level');
  const level = new Level<string, string>(directory, { keyEncoding: 'utf8', valueEncoding: 'utf8' });
  try {
    await level.open();
  } catch (error) {
    // A database that failed to open is closed already, its lock included.
    throw translate(directory, error);
  }
  await restrictFiles(directory);
  // A crash kept it from its place; until another mark is written nobody else takes it.
  await removeUnfinished(path.join(directory, MARK_FILE));
  return new LevelDatabase(directory, level);
}

class LevelDatabase implements Database {
  readonly #directory: string;
  readonly #level: ClassicLevel<string, string>;

  constructor(directory: string, level: ClassicLevel<string, string>) {
    this.#directory = directory;
    this.#level = level;
  }

  get(key: string): Promise<string | undefined> {
    return this.#translated(() => this.#level.get(key));
  }

  getMany(keys: readonly string[]): Promise<(string | undefined)[]> {
    return this.#translated(() => this.#level.getMany([...keys]));
  }

  batch(operations: readonly DatabaseOperation[], options?: { readonly sync?: boolean }): Promise<void> {
    return this.#translated(async () => {
      // A chained batch takes a fifth of the time of an array with options.
      const batch = this.#level.batch();
      for (const operation of operations) {
        if (operation.type === 'put') batch.put(operation.key, operation.value);
        else batch.del(operation.key);
      }
      await batch.write({ sync: options?.sync ?? false });
    });
  }

  async *iterate(range: KeyRange): AsyncIterable<DatabasePage> {
    this.#assertOpen();
    const iterator = this.#level.iterator({ ...range, highWaterMarkBytes: PAGE_BYTES });
    const read = (): Promise<[string, string][]> => {
      const page = this.#translated(() => iterator.nextv(PAGE_ROWS));
      // A page that nobody asks for any more may fail unheard.
      page.catch(() => {});
      return page;
    };
    try {
      let ahead = read();
      for (;;) {
        const page = await ahead;
        if (page.length === 0) return;
        // LevelDB reads on its own thread while the caller works on this page.
        ahead = read();
        yield page;
      }
    } finally {
      await iterator.close();
    }
  }

  clear(range: KeyRange): Promise<void> {
    return this.#translated(() => this.#level.clear(range));
  }

  async readMark(): Promise<string | undefined> {
    this.#assertOpen();
    return readFileIfPresent(path.join(this.#directory, MARK_FILE));
  }

  async writeMark(text: string): Promise<void> {
    this.#assertOpen();
    await withStateErrors(this.#directory, () => writeFileAtomically(path.join(this.#directory, MARK_FILE), text));
  }

  async close(): Promise<void> {
    await this.#translated(() => this.#level.close());
    await restrictFiles(this.#directory);
  }

  #assertOpen(): void {
    if (this.#level.status !== 'open') throw usedAfterClose(this.#directory, undefined);
  }

  async #translated<T>(run: () => Promise<T>): Promise<T> {
    try {
      return await run();
    } catch (error) {
      throw translate(this.#directory, error);
    }
  }
}

/** Says what a failure of LevelDB means, reading the codes of the error and of its cause. */
function translate(directory: string, error: unknown): unknown {
  const cause = error instanceof Error && error.cause !== undefined ? error.cause : error;
  const message = messageOf(cause);
  // A disk without locks (some network disks) answers with the same code.
  if (hasCode(cause, 'LEVEL_LOCKED') && !/No locks available|not supported/i.test(message)) {
    return new LockedError(
      'ERR_LOCKED',
      `The state in ${directory} is open already. Wait until the other run has ended.`,
      {
        data: { directory },
        cause: error,
        retryable: true,
      },
    );
  }
  if (hasCode(cause, 'LEVEL_CORRUPTION') || /^(NotFound|Invalid argument):/.test(message))
    return damaged(directory, cause);
  if (hasCode(cause, 'LEVEL_DATABASE_NOT_OPEN', 'LEVEL_ITERATOR_NOT_OPEN')) {
    return usedAfterClose(directory, error);
  }
  // LevelDB has no code for a missing or misshapen file of its own, or for a block beyond the end of one (invalid argument):
  // only the words of the system tell it from a full disk.
  if (
    hasCode(cause, 'LEVEL_IO_ERROR') &&
    /No such file|Is a directory|Not a directory|Invalid argument/i.test(message)
  ) {
    return damaged(directory, cause);
  }
  return stateUnusable(directory, cause);
}

function usedAfterClose(directory: string, cause: unknown): FileCloudSyncError {
  return new FileCloudSyncError('ERR_STATE_CLOSED', `The state in ${directory} was used after it was closed.`, {
    cause,
  });
}

function damaged(directory: string, cause: unknown): StateDamagedError {
  return new StateDamagedError(
    `The state in ${directory} is damaged: ${messageOf(cause)}. It is put aside and rebuilt when it is opened again.`,
    {
      data: { directory },
      cause,
    },
  );
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** LevelDB makes its files with the process's mask; the directory (0700) already keeps others out. */
async function restrictFiles(directory: string): Promise<void> {
  for (const name of await readdir(directory)) {
    try {
      await chmod(path.join(directory, name), 0o600);
    } catch (error) {
      if (!hasCode(error, 'ENOENT')) throw error;
    }
  }
}
