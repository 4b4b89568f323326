import { type Stats, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { UsageError } from '../errors.js';
import { toAddress } from '../s3/address.js';
import type { PairNames } from './context.js';
import { displayPath } from './escape-text.js';

/**
 * Reads the arguments that name a pair, and says in plain words what is wrong with them.
 *
 * @throws UsageError when folder and bucket are swapped, the bucket makes no sense, or the folder is needed and not there.
 */
export function readPairNames(options: {
  readonly folder: string;
  readonly address: string;
  readonly prefix: string | undefined;
  readonly cwd: string;
  readonly needsFolder: boolean;
}): PairNames {
  const { folder, address } = options;
  if (isAddress(folder)) throw swapped(folder, address);
  const { bucket } = toAddress(address, options.prefix);
  if (options.needsFolder) checkFolder(resolve(options.cwd, folder), folder);
  return { folder: resolve(options.cwd, folder), address, bucket };
}

/** Whether a text looks like an address of a bucket. */
export function isAddress(text: string): boolean {
  return /^s3:\/\//i.test(text);
}

function swapped(first: string, second: string): UsageError {
  const hint = isAddress(second)
    ? 'Both are buckets: filecloudsync keeps one folder and one bucket the same.'
    : `Folder and bucket are swapped. The folder comes first: ${displayPath(second)} ${displayPath(first)}`;
  return new UsageError('ERR_USAGE', hint);
}

function checkFolder(path: string, typed: string): void {
  const found = look(path, typed);
  if (found === undefined) {
    throw new UsageError(
      'ERR_FOLDER_MISSING',
      `The folder ${displayPath(typed)} does not exist. Make it (mkdir), or check the path: a folder that is missing is never taken for an empty one.`,
      { data: { folder: path } },
    );
  }
  if (!found.isDirectory()) {
    throw new UsageError(
      'ERR_FOLDER_NOT_A_DIRECTORY',
      `${displayPath(typed)} is a file, not a folder. Name the folder that holds it.`,
      {
        data: { folder: path },
      },
    );
  }
}

function look(path: string, typed: string): Stats | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false });
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : String(error);
    // Something above it is a file.
    if (code === 'ENOTDIR') return undefined;
    throw new UsageError(
      'ERR_FOLDER_NOT_READABLE',
      `The folder ${displayPath(typed)} cannot be reached by this user (${code}). Give the right to read it and to enter what is above it, or check the path.`,
      { cause: error, data: { folder: path } },
    );
  }
}
