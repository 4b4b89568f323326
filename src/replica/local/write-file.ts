import { showPath } from '../../core/path.js';
import { throwIfAborted } from '../../errors.js';
import type { Outcome, Precondition, Source, Stale, WriteOptions, Written } from '../replica.js';
import { errnoOf } from './file-system.js';
import type { FileStat } from './file-system.js';
import { clearEmptyDirectory } from './clear-empty-directory.js';
import { fileEntryOf, fingerprintOf, isSameFileMoved } from './fingerprint.js';
import type { Place } from './folder.js';
import type { LocalContext } from './local-context.js';
import { pathErrorOf } from './local-error.js';
import type { LocalTrash } from './local-trash.js';
import type { SharedPlace } from './shared-place.js';
import { isLinkUnsupported, renameIfFree } from './put-back.js';
import { stageFile } from './stage-file.js';
import type { StagedFile } from './staged-file.js';
import { whyStale } from './standing.js';
import { writeWithOthers } from './write-with-others.js';

/** How often a place is looked up again when its folder is removed under it. */
const ATTEMPTS = 5;

/** One file that is written, and how: what all steps of it go by. */
interface Writing {
  readonly context: LocalContext;
  readonly trash: LocalTrash;
  readonly path: string;
  readonly source: Source;
  readonly precondition: Precondition;
  readonly options: WriteOptions;
  /** The directory of a new file, held open; `undefined`: only a walk from the root leads to it. */
  readonly shared: SharedPlace | undefined;
}

/**
 * Puts the content of a source at a path: fetched and verified under a staged name, then put into place in one step.
 * The version that is replaced is in the trash before. Steps and what a crash leaves after each:
 *
 * 1. staged: nothing but a file in `tmp`.
 * 2. (replaced) the old version in the trash, the path free; `beforeReplace` was told.
 * 3. linked: the new version in place.
 *
 * A small new file goes the same steps with others, where that is possible; it is not looked at before, as nothing is fetched in vain.
 */
export async function writeFile(
  context: LocalContext,
  trash: LocalTrash,
  path: string,
  source: Source,
  precondition: Precondition,
  options: WriteOptions,
): Promise<Outcome<Written>> {
  if (precondition !== null)
    return fetchAndPlace({ context, trash, path, source, precondition, options, shared: undefined });
  const written = await writeWithOthers(context, path, source, options);
  if (written !== undefined && written !== 'not-placed') return written;
  // The bytes of one that has no place were told already.
  const left = written === undefined ? options : { ...options, onBytes: undefined };
  // New files come many to a directory, which is opened once for those that come together.
  const shared = await context.places.tryTake(path);
  try {
    return await fetchAndPlace({ context, trash, path, source, precondition, options: left, shared });
  } finally {
    await shared?.release();
  }
}

async function fetchAndPlace(writing: Writing): Promise<Outcome<Written>> {
  const { context, path, source, precondition, options } = writing;
  const before = await lookAt(writing);
  const early = whyStale(path, before, precondition);
  if (early !== undefined) return { outcome: 'stale', message: early };
  const staged = await stageFile(
    context,
    path,
    source,
    before === null ? options : { mode: before.mode & 0o777, base: precondition?.entry, ...options },
  );
  try {
    await source.verify(options.signal);
    throwIfAborted(options.signal);
    return (await place(writing, staged)) ?? { outcome: 'done', ...(await finish(writing, staged)) };
  } catch (error) {
    throw pathErrorOf(error, path, 'write');
  } finally {
    await staged.discard();
  }
}

/** Takes away the staged name of a file that is in place, and tells what was put there. */
async function finish({ context, path }: Writing, staged: StagedFile): Promise<Written> {
  // The name in `tmp` goes first: taking it away changes the ctime of the file in place.
  if (staged.hasName) {
    await staged.directory.unlink(staged.name).catch((error: unknown) => {
      if (errnoOf(error) === undefined) throw error;
    });
    staged.forgetName();
  }
  const observedAtMs = context.diskNowMs();
  const stat = await staged.file.stat();
  // Somebody may have written to it already, and have set its time back: what is answered is what was put there, which is then seen to have changed.
  // RACE: an edit that keeps the size and sets this very time again, since the file was linked.
  const own = isSameFileMoved(stat, fingerprintOf(staged.stat)) ? stat : staged.stat;
  const { digest, parts } = staged;
  return { entry: fileEntryOf(path, own, observedAtMs), digest, parts };
}

/** Looks at a path before anything is fetched for it; what is found is looked at again before anything is changed. */
async function lookAt({ context, path, shared }: Writing): Promise<FileStat | null> {
  let found: Place | undefined;
  try {
    if (shared !== undefined && (await shared.parent.lstat(shared.name)) === null) return null;
    found = await context.folder.place(path);
    if (found === undefined) return null;
    const stat = await found.parent.lstat(found.name);
    return stat?.type === 'directory' && (await clearEmptyDirectory(found)) ? null : stat;
  } catch (error) {
    throw pathErrorOf(error, path, 'look at');
  } finally {
    await found?.parent.close();
  }
}

async function place(writing: Writing, staged: StagedFile): Promise<Stale | undefined> {
  const { path, precondition, shared } = writing;
  for (let attempt = 1; ; attempt++) {
    const looked = await lookAgain(writing, attempt === 1 ? shared : undefined);
    if (looked === undefined) return { outcome: 'stale', message: `${showPath(path)} is gone.` };
    const { found, standing, close } = looked;
    try {
      const message = whyStale(path, standing, precondition);
      if (message !== undefined) return { outcome: 'stale', message };
      return precondition === null
        ? await putNew(writing, staged, found)
        : await putInstead(writing, staged, found, precondition);
    } catch (error) {
      // Another change emptied and removed the folder: it is made again.
      if (precondition !== null || errnoOf(error) !== 'ENOENT' || attempt === ATTEMPTS) throw error;
    } finally {
      await close();
    }
  }
}

/** Where a path leads now, what stands there, and how the place is given back. */
interface Looked {
  readonly found: Place;
  readonly standing: FileStat | null;
  readonly close: () => Promise<void>;
}

/** Finds the place of a path: the directory that is held open, if the path leads there still, else by a walk from the root. */
async function lookAgain(
  { context, path, precondition }: Writing,
  shared: SharedPlace | undefined,
): Promise<Looked | undefined> {
  if (shared !== undefined) {
    const standing = await shared.lookAgain();
    if (standing !== undefined) return { found: shared, standing, close: async () => {} };
    shared.forget();
  }
  const found = await context.folder.place(path, { make: precondition === null });
  if (found === undefined) return undefined;
  const close = (): Promise<void> => found.parent.close();
  try {
    return { found, standing: await found.parent.lstat(found.name), close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function putNew({ context, path }: Writing, staged: StagedFile, found: Place): Promise<Stale | undefined> {
  if (!(await linkIntoPlace(staged, found))) {
    return { outcome: 'stale', message: `Something appeared at ${showPath(path)}.` };
  }
  await context.syncDirectory(found.parent, found.identity);
  return undefined;
}

async function putInstead(
  { context, trash, path, options }: Writing,
  staged: StagedFile,
  found: Place,
  precondition: NonNullable<Precondition>,
): Promise<Stale | undefined> {
  await context.beforeReplace(path);
  const taken = await trash.take(found, { path, entry: precondition.entry, reason: options.reason ?? 'replaced' });
  if (taken === undefined) return { outcome: 'stale', message: `${showPath(path)} was changed at the last moment.` };
  try {
    let linked: boolean;
    try {
      linked = await linkIntoPlace(staged, found);
    } catch (error) {
      await taken.restore();
      throw error;
    }
    await context.syncDirectory(found.parent);
    return linked
      ? undefined
      : {
          outcome: 'stale',
          message: `Something appeared at ${showPath(path)}; the version before it is in the trash.`,
        };
  } finally {
    await taken.close();
  }
}

/** Answers `false` when the name is taken. */
async function linkIntoPlace(staged: StagedFile, found: Place): Promise<boolean> {
  try {
    await staged.directory.link(staged.name, found.parent, found.name);
    return true;
  } catch (error) {
    if (errnoOf(error) === 'EEXIST') return false;
    if (!isLinkUnsupported(error)) throw error;
    return await renameIfFree(staged.directory, staged.name, found);
  }
}
