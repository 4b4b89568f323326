import { S3ConnectionError, type FileCloudSyncError } from '../errors.js';
import { readBody } from '../replica/s3/read-body.js';
import { isContent } from '../replica/s3/s3-api.js';
import { failureError, isTransientFailure, readFailure, type ServiceFailure } from '../replica/s3/service-error.js';
import { isTransientError } from '../replica/s3/wrap/retry.js';
import type { BucketTools } from './with-bucket.js';

/** The largest document that is read into memory, packed or not. */
export const MAX_DOCUMENT_BYTES = 512 * 1024 * 1024;

/** Reads a whole object into memory; `undefined`: there is none. Throws what {@link failureError} makes of a refusal. */
export async function readObject({ api, backoff }: BucketTools, key: string): Promise<Uint8Array | undefined> {
  for (let attempt = 1; ; attempt++) {
    const response = await api.get(key, {});
    if (!isContent(response)) {
      const failure = await readFailure(response);
      if (isAbsent(failure)) return undefined;
      throw objectError(failure, 'reading', api.bucket, key);
    }
    try {
      return await readBody(response, MAX_DOCUMENT_BYTES);
    } catch (error) {
      if (attempt >= backoff.attempts || !isTransientError(error)) throw error;
    }
    await backoff.wait(attempt, undefined);
  }
}

/** Writes a whole object with one PUT: readers see the old one or the new one, never a part. The last writer wins. */
export async function writeObject(
  { api, backoff }: BucketTools,
  key: string,
  body: Uint8Array,
  headers: Readonly<Record<string, string>>,
): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    const isLast = attempt >= backoff.attempts;
    let waitMs = 0;
    try {
      const answer = await api.put(key, body, headers);
      if (answer.ok) return;
      // Sending the same bytes again is harmless, because no condition is asked for.
      if (isLast || !isTransientFailure(answer.failure)) throw objectError(answer.failure, 'writing', api.bucket, key);
      waitMs = answer.failure.retryAfterMs;
    } catch (error) {
      if (isLast || !(error instanceof S3ConnectionError) || !error.retryable) throw error;
    }
    await backoff.wait(attempt, undefined, waitMs);
  }
}

/** Whether a refusal means that the object is absent, and not that the bucket is. */
export function isAbsent({ status, code, isForeign }: ServiceFailure): boolean {
  return status === 404 && code !== 'NoSuchBucket' && !isForeign;
}

/** The error of a refusal about one object. */
export function objectError(failure: ServiceFailure, doing: string, bucket: string, key: string): FileCloudSyncError {
  return failureError(failure, { action: `${doing} the object "${key}" of the bucket "${bucket}"`, bucket, path: key });
}
