import type { Entry } from '../../core/entry.js';
import type { Problem } from '../../core/problem.js';
import { HaltError, throwIfAborted } from '../../errors.js';
import type { ScanOptions, ScanPage } from '../replica.js';
import { errnoOf } from './file-system.js';
import { FolderWalk, type Stretch } from './folder-walk.js';
import type { LocalContext } from './local-context.js';
import { pathErrorOf } from './local-error.js';

const PAGE_ENTRIES = 1000;
/** How far the walk of names runs ahead of what is known of the files: each stretch may hold a directory open. */
const STRETCHES_AHEAD = 32;

/**
 * Walks the folder in UTF-8 byte order of the paths, holding one directory's names at a time for each level.
 *
 * Entries ascend strictly by `path`, or by `path + '/'` where the entry stands for a whole directory (`subtree`).
 * A file that vanishes during the walk is absent; a directory that cannot be read is problematic; when the folder itself
 * was exchanged the walk throws.
 */
export async function* scanFolder(context: LocalContext, options: ScanOptions): AsyncIterable<ScanPage> {
  yield* scanFrom(context, options, (walk) => openTop(context, walk));
}

/**
 * Walks what lies below one directory of the folder, like {@link scanFolder}; gives nothing when it is not there.
 *
 * @throws PathError when it cannot be read, or when a file or a link stands there or on the way.
 */
export async function* scanBelow(
  context: LocalContext,
  directoryPath: string,
  options: ScanOptions,
): AsyncIterable<ScanPage> {
  yield* scanFrom(context, options, (walk) => openBelow(context, walk, directoryPath));
}

async function* scanFrom(
  context: LocalContext,
  options: ScanOptions,
  open: (walk: FolderWalk) => Promise<void>,
): AsyncGenerator<ScanPage> {
  const problems: Problem[] = [];
  const walk = new FolderWalk(context, options.filter, (problem) => problems.push(problem));
  const ahead: Stretch[] = [];
  let entries: Entry[] = [];
  const takePage = (): ScanPage => {
    const page = { entries, problems: problems.splice(0) };
    entries = [];
    return page;
  };
  try {
    await open(walk);
    for (;;) {
      throwIfAborted(options.signal);
      await runAhead(walk, ahead, () => problems.length >= PAGE_ENTRIES);
      const first = ahead.shift();
      if (first !== undefined) for (const entry of await first.entries) entries.push(entry);
      if (entries.length >= PAGE_ENTRIES || problems.length >= PAGE_ENTRIES) yield takePage();
      if (first === undefined && walk.isDone) break;
    }
    await assertStillThere(context);
    yield takePage();
  } finally {
    // A descriptor that is closed while somebody looks through it may be another directory's a moment later.
    await Promise.allSettled(ahead.map((stretch) => stretch.entries));
    await walk.close();
  }
}

async function runAhead(walk: FolderWalk, ahead: Stretch[], isFull: () => boolean): Promise<void> {
  let names = ahead.reduce((sum, stretch) => sum + stretch.size, 0);
  const isAheadEnough = (): boolean =>
    isFull() || (ahead.length > 0 && (names >= walk.namesAhead || ahead.length >= STRETCHES_AHEAD));
  while (!walk.isDone && !isAheadEnough()) {
    const stretch = await walk.next();
    if (stretch === undefined) continue;
    names += stretch.size;
    ahead.push(stretch);
  }
}

async function openTop(context: LocalContext, walk: FolderWalk): Promise<void> {
  try {
    await walk.enter(await context.folder.open(), '');
  } catch (error) {
    throw unreadable(context, error);
  }
}

async function openBelow(context: LocalContext, walk: FolderWalk, directoryPath: string): Promise<void> {
  // Some name in it: what is opened is its parent.
  const found = await context.folder.place(`${directoryPath}/-`);
  if (found === undefined) return;
  try {
    await walk.enter(found.parent, `${directoryPath}/`);
  } catch (error) {
    throw pathErrorOf(error, directoryPath, 'read the folder');
  }
}

/** Throws when the folder that was walked is not there any more: its absence would be read as deletions. */
async function assertStillThere(context: LocalContext): Promise<void> {
  try {
    const root = await context.folder.open();
    await root.close();
  } catch (error) {
    throw unreadable(context, error);
  }
}

function unreadable({ folder }: LocalContext, error: unknown): unknown {
  const errno = errnoOf(error);
  if (errno === undefined) return error;
  return new HaltError(
    'ERR_FOLDER_NOT_READABLE',
    `The folder ${folder.path} could not be read (${errno}). Nothing was done; check its disk and the right to read it, and run again.`,
    { cause: error },
  );
}
