import { PathError, type FileCloudSyncError } from '../../errors.js';
import { failureError, type ServiceFailure } from './service-error.js';
import type { S3Context } from './s3-context.js';

/** The error of a request that belongs to an upload in parts. */
export function uploadFailure(context: S3Context, path: string, failure: ServiceFailure): FileCloudSyncError {
  if (failure.code === 'NoSuchUpload') return lostUpload(path);
  return failureError(failure, { action: `uploading "${path}"`, bucket: context.api.bucket, path });
}

/** The error of an upload that the store does not have any more. */
export function lostUpload(path: string): PathError {
  return new PathError(
    'ERR_S3_UPLOAD_LOST',
    `Uploading "${path}" failed: the store has dropped the unfinished upload, as it does after some days or when somebody aborts it. It begins anew in the next run.`,
    { data: { path } },
  );
}
