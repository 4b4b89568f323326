import type { Entry } from '../../core/entry.js';
import { FileCloudSyncError, PathError } from '../../errors.js';
import type { Problem } from '../../core/problem.js';
import type { FileLook } from './file-system.js';
import { fileEntryOf } from './fingerprint.js';
import type { LocalContext } from './local-context.js';
import { pathErrorOf } from './local-error.js';

/** What stands at one path of the folder now. What cannot be looked at is problematic, never absent. */
export async function observePath(context: LocalContext, path: string): Promise<Entry | null> {
  try {
    const found = await context.folder.place(path);
    if (found === undefined) return null;
    try {
      const observedAtMs = context.diskNowMs();
      const stat = await found.parent.lstat(found.name);
      if (stat === null) return null;
      await context.folder.assertExactName(found.parent, found.name, path);
      return entryOf(path, stat, observedAtMs);
    } finally {
      await found.parent.close();
    }
  } catch (error) {
    const explained = pathErrorOf(error, path, 'look at');
    if (!(explained instanceof PathError)) throw explained;
    // A file in the place of a parent folder leaves no room for this path: it is surely absent.
    if (explained.code === 'ERR_FILE_IN_THE_WAY') return null;
    return { kind: 'problematic', path, problem: problemOf(path, explained), subtree: false };
  }
}

/** Describes what stands at a path. */
export function entryOf(path: string, stat: FileLook, observedAtMs: number): Entry {
  switch (stat.type) {
    case 'file':
      return fileEntryOf(path, stat, observedAtMs);
    case 'directory':
      return { kind: 'directory', path };
    case 'symlink':
      return { kind: 'symlink', path };
    case 'other':
      return { kind: 'untracked', path, reason: 'special', subtree: false };
  }
}

/** Turns an error at a path into a problem of the local side. */
export function problemOf(path: string, error: Error): Problem {
  const code = error instanceof FileCloudSyncError ? error.code : 'ERR_DISK_FAILED';
  return { path, side: 'local', code, message: error.message, severity: 'error' };
}
