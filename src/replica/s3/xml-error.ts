import { S3ConnectionError } from '../../errors.js';

/** Makes the error of a document that is not what the service should have answered. */
export function xmlError(what: string, position: number): S3ConnectionError {
  return new S3ConnectionError(
    'ERR_S3_BAD_ANSWER',
    `The S3 service answered a document that cannot be trusted: ${what} at character ${position}. Nothing was concluded from it; run again, and look at what stands between here and the service if it stays.`,
    { data: { position }, retryable: true },
  );
}
