import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { hasCode } from './atomic-file.js';

/** A small file of settings, as it was found. */
export interface ConfigFile {
  readonly text: string;
  /** Other users of this machine may read it. Always `false` where the system has no such modes. */
  readonly readableByOthers: boolean;
}

/** What stands at the path is no file of settings; `reason` says what it is, and never what it holds. */
export class ConfigFileError extends Error {
  readonly reason: string;

  constructor(reason: string, cause?: unknown) {
    super(reason, cause === undefined ? undefined : { cause });
    this.name = 'ConfigFileError';
    this.reason = reason;
  }
}

const LARGEST_BYTES = 64 * 1024;

/**
 * Reads a small file of settings that people write by hand.
 *
 * @returns `undefined` when there is none.
 * @throws ConfigFileError when it is a directory or a device, cannot be read, is larger than 64 KiB or not UTF-8.
 */
export async function readConfigFile(file: string): Promise<ConfigFile | undefined> {
  try {
    // O_NONBLOCK: a FIFO of that name would otherwise wait for a writer, for ever.
    const handle = await open(file, nonBlockingRead());
    try {
      const stat = await handle.stat();
      if (stat.isDirectory()) throw new ConfigFileError('is a directory');
      if (!stat.isFile()) throw new ConfigFileError('is not a regular file');
      if (stat.size > LARGEST_BYTES) throw new ConfigFileError(`is larger than ${LARGEST_BYTES} bytes`);
      const bytes = await handle.readFile();
      return { text: decode(bytes), readableByOthers: process.platform !== 'win32' && (stat.mode & 0o044) !== 0 };
    } finally {
      await handle.close();
    }
  } catch (error) {
    if (error instanceof ConfigFileError) throw error;
    if (hasCode(error, 'ENOENT', 'ENOTDIR')) return undefined;
    if (hasCode(error, 'EISDIR')) throw new ConfigFileError('is a directory', error);
    throw new ConfigFileError(
      hasCode(error, 'EACCES', 'EPERM') ? 'may not be read by this user' : 'could not be read',
      error,
    );
  }
}

function nonBlockingRead(): number {
  return constants.O_RDONLY | (constants.O_NONBLOCK ?? 0);
}

function decode(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new ConfigFileError('is not UTF-8 text');
  }
}
