import { FileCloudSyncError } from '../errors.js';

/**
 * The error of a state that the disk or its permissions keep from being used, which is no damage:
 * `ERR_STATE_UNUSABLE`, retryable.
 */
export function stateUnusable(directory: string, cause: unknown): FileCloudSyncError {
  const text = cause instanceof Error ? cause.message : String(cause);
  return new FileCloudSyncError(
    'ERR_STATE_UNUSABLE',
    `The state in ${directory} cannot be read or written: ${text}. Check the disk's free space and the directory's permissions.`,
    { data: { directory }, cause, retryable: true },
  );
}

/** Gives what the operating system refuses about the files of the state the name {@link stateUnusable}; other errors pass as they are. */
export async function withStateErrors<T>(directory: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const isOfSystem = error instanceof Error && 'errno' in error && 'syscall' in error;
    throw isOfSystem ? stateUnusable(directory, error) : error;
  }
}
