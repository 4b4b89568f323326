import { isAbort, FileCloudSyncError, PathError } from '../../errors.js';
import { showPath } from '../../core/path.js';
import { errnoOf } from './file-system.js';

interface Explanation {
  readonly code: string;
  readonly text: string;
  readonly retryable?: boolean;
}

const DISK_FULL = { code: 'ERR_DISK_FULL', text: 'the disk is full: free some space and run again', retryable: true };
const DENIED = {
  code: 'ERR_ACCESS_DENIED',
  text: 'the rights of this user do not allow it: give access to the file and its folder',
};
const TOO_MANY_FILES = {
  code: 'ERR_TOO_MANY_OPEN_FILES',
  text: 'too many files are open: raise the limit (ulimit -n) or lower the concurrency',
  retryable: true,
};

const EXPLANATIONS: Readonly<Record<string, Explanation>> = {
  ENOSPC: DISK_FULL,
  EDQUOT: { ...DISK_FULL, text: 'the disk quota of this user is used up: free some space and run again' },
  EFBIG: {
    code: 'ERR_FILE_TOO_LARGE',
    text: 'the disk cannot hold a file of this size: use another disk, or exclude the file',
  },
  EACCES: DENIED,
  EPERM: DENIED,
  EROFS: { code: 'ERR_DISK_READ_ONLY', text: 'the disk is mounted read-only: mount it writable' },
  EMFILE: TOO_MANY_FILES,
  ENFILE: TOO_MANY_FILES,
  ENAMETOOLONG: {
    code: 'ERR_NAME_TOO_LONG',
    text: 'the disk does not take so long a name: rename it on the other side',
  },
  EILSEQ: { code: 'ERR_NAME_NOT_ALLOWED', text: 'the disk does not take this name: rename it on the other side' },
  EINVAL: { code: 'ERR_NAME_NOT_ALLOWED', text: 'the disk does not take this name: rename it on the other side' },
  EXDEV: {
    code: 'ERR_OTHER_DISK',
    text: 'another disk is mounted inside the folder there, and a file cannot be put into place on it safely: exclude that place, or synchronise it as a folder of its own',
  },
  EIO: { code: 'ERR_DISK_IO', text: 'the disk reports an input/output error: check it', retryable: true },
};

/** Turns what a file operation threw into a {@link PathError}; errors of this package and aborts stay as they are. */
export function pathErrorOf(error: unknown, path: string, doing: string): Error {
  if (error instanceof FileCloudSyncError) return error;
  if (isAbort(error) && error instanceof Error) return error;
  const errno = errnoOf(error);
  const known = errno === undefined ? undefined : EXPLANATIONS[errno];
  const code = known?.code ?? 'ERR_DISK_FAILED';
  const text = known?.text ?? (error instanceof Error ? error.message : String(error));
  const suffix = errno === undefined ? '' : ` (${errno})`;
  return new PathError(code, `Could not ${doing} ${showPath(path)}: ${text}${suffix}.`, {
    cause: error,
    retryable: known?.retryable ?? false,
    data: { path, ...(errno === undefined ? {} : { errno }) },
  });
}
