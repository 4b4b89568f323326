import { open, readFile, rename, rm, unlink } from 'node:fs/promises';
import path from 'node:path';

/**
 * Replaces a file wholly or not at all, mode 0600. Durable against power loss when it resolves.
 * Two calls for one file must not overlap. A crash may leave a file named `<file>.tmp`, which the next call takes, and
 * {@link removeUnfinished} removes.
 */
export async function writeFileAtomically(file: string, text: string): Promise<void> {
  const temporary = temporaryOf(file);
  try {
    const handle = await open(temporary, 'w', 0o600);
    try {
      await handle.writeFile(text);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(temporary, file);
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => {});
    throw error;
  }
  await syncDirectory(path.dirname(file));
}

/** Removes what a call that was cut off has left. Nobody may be writing the file. */
export async function removeUnfinished(file: string): Promise<void> {
  try {
    await unlink(temporaryOf(file));
  } catch (error) {
    if (!hasCode(error, 'ENOENT')) throw error;
  }
}

function temporaryOf(file: string): string {
  return `${file}.tmp`;
}

/** Makes the names in a directory durable. */
export async function syncDirectory(directory: string): Promise<void> {
  // Windows cannot open a directory; its renames are journalled.
  if (process.platform === 'win32') return;
  const handle = await open(directory, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** The text of a file, or `undefined` when there is none. */
export async function readFileIfPresent(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return undefined;
    throw error;
  }
}

/** Tells whether an error of the operating system carries one of these codes. */
export function hasCode(error: unknown, ...codes: readonly string[]): boolean {
  return error instanceof Error && 'code' in error && codes.includes(String(error.code));
}
