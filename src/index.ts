/**
 * Keeps a local folder and a bucket the same, in both directions, without ever losing a version of a file.
 *
 * @example
 * ```ts
 * import { s3 } from 'filecloudsync';
 * const client = await s3.connect();
 * await s3.sync(client, 's3://pictures/2026', 'photos');
 * ```
 *
 * @module
 */
export * as s3 from './s3/index.js';
export {
  type ErrorDetails,
  FileCloudSyncError,
  HaltError,
  LockedError,
  PathError,
  S3ConnectionError,
  StaleError,
  StateDamagedError,
  UsageError,
} from './errors.js';
