import type { FileEntry } from '../../core/entry.js';
import { showPath } from '../../core/path.js';
import type { ChangeOptions, Outcome, Precondition } from '../replica.js';
import { errnoOf } from './file-system.js';
import { fileEntryOf, isSameFileMoved } from './fingerprint.js';
import type { Place } from './folder.js';
import type { LocalContext } from './local-context.js';
import { pathErrorOf } from './local-error.js';
import type { LocalTrash } from './local-trash.js';
import { pruneEmptyParents } from './prune-empty-parents.js';
import { isLinkUnsupported, renameIfFree } from './put-back.js';
import { whyStale } from './standing.js';

/** One file that is moved, and how: what all steps of it go by. */
interface Moving {
  readonly context: LocalContext;
  readonly trash: LocalTrash;
  readonly path: string;
  readonly to: string;
  readonly precondition: NonNullable<Precondition>;
  readonly options: ChangeOptions;
}

/**
 * Gives a file another path. Never replaces anything: the new name is made first (so that after a crash the file has
 * both names, never none), then the old name goes by way of the trash, where it is looked at once more. Folders that this
 * leaves empty are removed; never the root.
 */
export async function moveFile(
  context: LocalContext,
  trash: LocalTrash,
  path: string,
  to: string,
  precondition: NonNullable<Precondition>,
  options: ChangeOptions,
): Promise<Outcome<{ readonly entry: FileEntry }>> {
  const moved = await moveToPlace({ context, trash, path, to, precondition, options });
  if (moved.outcome === 'done') await pruneEmptyParents(context, path);
  return moved;
}

async function moveToPlace(moving: Moving): Promise<Outcome<{ readonly entry: FileEntry }>> {
  const { context, path, to, precondition } = moving;
  const from = await context.folder.place(path);
  if (from === undefined) return { outcome: 'stale', message: `${showPath(path)} is gone.` };
  try {
    const message = whyStale(path, await from.parent.lstat(from.name), precondition);
    if (message !== undefined) return { outcome: 'stale', message };
    const target = await context.folder.place(to, { make: true });
    if (target === undefined) return { outcome: 'stale', message: `The folder of ${showPath(to)} is gone.` };
    try {
      const failed = await moveBetween(moving, from, target);
      if (failed !== undefined) return { outcome: 'stale', message: failed };
      const observedAtMs = context.diskNowMs();
      const stat = await target.parent.lstat(target.name);
      if (stat === null || !isSameFileMoved(stat, precondition.fingerprint)) {
        return { outcome: 'stale', message: `${showPath(to)} was changed at the last moment.` };
      }
      return { outcome: 'done', entry: fileEntryOf(to, stat, observedAtMs) };
    } finally {
      await target.parent.close();
    }
  } catch (error) {
    throw pathErrorOf(error, path, 'rename');
  } finally {
    await from.parent.close();
  }
}

/** Answers why the move did not happen, or `undefined` when it did. */
async function moveBetween(
  { context: { syncDirectory }, trash, path, to, precondition, options }: Moving,
  from: Place,
  target: Place,
): Promise<string | undefined> {
  const named = await giveName(from, target, precondition);
  if (named === 'taken') return `Something stands at ${showPath(to)}.`;
  if (named === 'renamed') {
    await syncDirectory(target.parent);
    await syncDirectory(from.parent);
    return undefined;
  }
  await syncDirectory(target.parent);
  const taken = await trash.take(from, { path, entry: precondition.entry, reason: options.reason ?? 'replaced' });
  if (taken === undefined) {
    // The file was changed meanwhile: it stays where it is, and the name that was made for it goes again.
    const undone = await trash.take(target, { path: to, entry: precondition.entry, reason: 'unexpected' });
    await undone?.close();
    return `${showPath(path)} was changed at the last moment.`;
  }
  try {
    const stat = await target.parent.lstat(target.name);
    await syncDirectory(from.parent);
    if (stat !== null && isSameFileMoved(stat, precondition.fingerprint)) await taken.drop();
  } finally {
    await taken.close();
  }
  return undefined;
}

/** Gives the file its new name, as a second one where the disk can do it. */
async function giveName(
  from: Place,
  target: Place,
  precondition: NonNullable<Precondition>,
): Promise<'linked' | 'renamed' | 'taken'> {
  try {
    await from.parent.link(from.name, target.parent, target.name);
    return 'linked';
  } catch (error) {
    if (isLinkUnsupported(error)) return (await renameIfFree(from.parent, from.name, target)) ? 'renamed' : 'taken';
    if (errnoOf(error) !== 'EEXIST') throw error;
    const standing = await target.parent.lstat(target.name);
    // The very file: a move that was cut off has made the new name already.
    return standing !== null && isSameFileMoved(standing, precondition.fingerprint) ? 'linked' : 'taken';
  }
}
