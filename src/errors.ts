/**
 * Options of {@link FileCloudSyncError}.
 */
export interface ErrorDetails {
  /** Facts about the failure, for programs and logs. Never holds a secret. */
  readonly data?: Readonly<Record<string, unknown>>;
  /** What was thrown below, kept whole. */
  readonly cause?: unknown;
  /** Whether the same call may succeed later without any change by a person. Default `false`. */
  readonly retryable?: boolean;
}

/**
 * The base of every error this package throws.
 *
 * `code` is stable and is what programs test; `message` says what happened to what,
 * what was expected and found, and what to do.
 */
export class FileCloudSyncError extends Error {
  /** Stable name of the failure, such as `ERR_LOCKED`. */
  readonly code: string;
  /** Facts about the failure. Never holds a secret. */
  readonly data: Readonly<Record<string, unknown>>;
  /** Whether the same call may succeed later without any change by a person. */
  readonly retryable: boolean;

  constructor(code: string, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.name = new.target.name;
    this.code = code;
    this.data = details.data ?? {};
    this.retryable = details.retryable ?? false;
  }
}

/** The caller asked for something impossible: wrong options, wrong names. Nothing was touched. */
export class UsageError extends FileCloudSyncError {}

/** The S3 service could not be reached, refused the credentials, or the bucket cannot be used. */
export class S3ConnectionError extends FileCloudSyncError {}

/** The run stopped before it changed anything, because what it saw cannot be trusted. */
export class HaltError extends FileCloudSyncError {}

/** Another run holds this pair of folder and bucket. */
export class LockedError extends FileCloudSyncError {}

/**
 * Something at one path could not be done; the run goes on with the other paths.
 * Becomes a problem in the result of the cycle.
 */
export class PathError extends FileCloudSyncError {}

/**
 * What stands at a path is not what was seen when the decision was made.
 * Never shown to a person: the path is observed and decided again.
 */
export class StaleError extends FileCloudSyncError {
  constructor(message: string, details: ErrorDetails = {}) {
    super('ERR_STALE', message, details);
  }
}

/** Tells whether `error` means that the caller's signal was aborted. */
export function isAbort(error: unknown): boolean {
  return error instanceof Error && (error.name === 'AbortError' || ('code' in error && error.code === 'ABORT_ERR'));
}

/** Throws an `AbortError` carrying the signal's reason when it was aborted. */
export function throwIfAborted(signal: AbortSignal | undefined): void {
  signal?.throwIfAborted();
}

/**
 * What is remembered about a pair cannot be believed: rows that fail their checksum, are missing or belong elsewhere.
 * Close the store and open it again: the damaged state is put aside and an empty one takes its place.
 */
export class StateDamagedError extends FileCloudSyncError {
  constructor(message: string, details: ErrorDetails = {}) {
    super('ERR_STATE_DAMAGED', message, { retryable: true, ...details });
  }
}
