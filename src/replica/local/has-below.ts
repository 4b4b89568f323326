import { PathError } from '../../errors.js';
import type { LocalContext } from './local-context.js';
import { scanBelow } from './scan-folder.js';

const EVERYTHING = { includesFile: () => true, mayContain: () => true };

/** Whether any file stands below a path. Below a file or a link nothing does; where a directory cannot be read, it throws. */
export async function hasFileBelow(
  context: LocalContext,
  path: string,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  const options = { filter: EVERYTHING, ...(signal !== undefined && { signal }) };
  try {
    for await (const { entries, problems } of scanBelow(context, path, options))
      if (entries.length + problems.length > 0) return true;
    return false;
  } catch (error) {
    if (error instanceof PathError && NOTHING_BELOW.has(error.code)) return false;
    throw error;
  }
}

const NOTHING_BELOW: ReadonlySet<string> = new Set(['ERR_FILE_IN_THE_WAY', 'ERR_SYMLINK_IN_PATH']);
