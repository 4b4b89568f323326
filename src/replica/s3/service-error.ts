import { PathError, S3ConnectionError, type FileCloudSyncError } from '../../errors.js';
import { isDamage } from './damage.js';
import { withoutSecrets } from './known-secrets.js';
import { isTransientStatus, retryAfterMs } from './wrap/retry.js';
import { readBody } from './read-body.js';
import type { S3Response } from './transport.js';
import { childText, readXml } from './xml-reader.js';
import { decodeXmlBytes } from './xml-text.js';

/** A refusal by the service, as data: many are expected answers. */
export interface ServiceFailure {
  readonly status: number;
  /** The service's own name for it, such as `NoSuchKey`; `''` when it gave none (answers to HEAD have no body). */
  readonly code: string;
  readonly message: string;
  /** The region where the bucket is, when the answer names it. */
  readonly region: string | undefined;
  readonly requestId: string | undefined;
  /** The wait that was asked for. */
  readonly retryAfterMs: number;
  /** What answered does not look like S3. */
  readonly isForeign: boolean;
}

/** No error document of S3 comes near it. */
const MAX_ERROR_BYTES = 64 * 1024;

/** Reads what a refusal says. Never throws for what the answer holds. */
export async function readFailure(response: S3Response): Promise<ServiceFailure> {
  const bytes = await readBody(response, MAX_ERROR_BYTES).catch(() => new Uint8Array());
  return describeFailure(response, bytes);
}

/** The same for a body that was read already: some calls answer 200 with an error in it. */
export function describeFailure(response: S3Response, bytes: Uint8Array): ServiceFailure {
  const { headers, status } = response;
  let code = '';
  let message = '';
  let region = headers['x-amz-bucket-region'];
  let isForeign = false;
  try {
    if (bytes.length > 0) {
      const root = readXml(decodeXmlBytes(bytes));
      code = childText(root, 'Code') ?? '';
      message = childText(root, 'Message') ?? '';
      region ??= childText(root, 'Region');
      isForeign = root.name !== 'Error' && code === '';
    }
  } catch {
    isForeign = true;
  }
  return {
    // A 200 with an error in it is an error of the service.
    status: status < 300 ? 500 : status,
    code: plain(code, 64),
    message: plain(message, 200),
    region: region === undefined ? undefined : plain(region, 40),
    requestId: headers['x-amz-request-id'] === undefined ? undefined : plain(headers['x-amz-request-id'], 100),
    retryAfterMs: retryAfterMs(response),
    isForeign,
  };
}

/** Tells whether a refusal may mean that a precondition did not hold: stores answer 304, 404, 409 or 412. */
export function isPreconditionFailure(failure: ServiceFailure): boolean {
  if (failure.status === 404) return failure.code !== 'NoSuchBucket' && failure.code !== 'NoSuchUpload';
  return failure.status === 412 || failure.status === 409 || failure.status === 304;
}

/** Tells whether the store does not know what was asked of it (a header, an operation). */
export function isUnsupported(failure: ServiceFailure): boolean {
  return (
    failure.status === 501 ||
    failure.code === 'NotImplemented' ||
    (failure.status === 400 && /^Invalid(?:Argument|Request)$/.test(failure.code))
  );
}

/** Tells whether it may pass by itself. */
export function isTransientFailure(failure: ServiceFailure): boolean {
  return isTransientStatus(failure.status) || failure.code === 'SlowDown' || failure.code === 'RequestTimeout';
}

/** Tells whether the same may be accepted when it is sent again. */
export function isWorthRepeating(failure: ServiceFailure): boolean {
  return isTransientFailure(failure) || isDamage(failure);
}

const CREDENTIAL_CODES: ReadonlyMap<string, string> = new Map([
  ['InvalidAccessKeyId', 'the access key is not known there'],
  ['SignatureDoesNotMatch', 'the secret does not belong to the access key'],
  ['ExpiredToken', 'the session token has expired'],
  ['TokenRefreshRequired', 'the session token has expired'],
  ['InvalidToken', 'the session token is not valid'],
  ['InvalidSecurity', 'the credentials are not valid'],
  ['AuthFailure', 'the credentials are not valid'],
  ['AccountProblem', 'there is a problem with the account'],
]);

/** Where a failure happened, for its message. */
export interface FailureContext {
  /** What was tried, as `listing the bucket "b"`. */
  readonly action: string;
  readonly bucket: string;
  /** The path concerned; `undefined` when the whole bucket is. */
  readonly path: string | undefined;
}

/**
 * Makes the error of a refusal: `PathError` when it is about one path, `S3ConnectionError` when it is about the
 * bucket, the credentials or the service.
 */
export function failureError(failure: ServiceFailure, context: FailureContext): FileCloudSyncError {
  const { status, code, region, requestId } = failure;
  const data = { status, serviceCode: code, bucket: context.bucket, ...(requestId !== undefined && { requestId }) };
  const said = `${status}${code === '' ? '' : ` ${code}`}${failure.message === '' ? '' : `: ${failure.message}`}`;
  const connection = (name: string, what: string, retryable = false): S3ConnectionError =>
    new S3ConnectionError(name, `${capital(context.action)} failed: ${what} (the service answered ${said}).`, {
      data: region === undefined ? data : { ...data, region },
      retryable,
    });

  const credentials = CREDENTIAL_CODES.get(code);
  if (credentials !== undefined) return connection('ERR_S3_CREDENTIALS', `${credentials}. Check the credentials`);
  if (code === 'RequestTimeTooSkewed')
    return connection('ERR_S3_CLOCK', 'the clock of this machine is too far off. Set it');
  if (code === 'NoSuchBucket') {
    return connection(
      'ERR_S3_BUCKET_NOT_FOUND',
      `there is no bucket "${context.bucket}" at this endpoint. Check its name and the endpoint`,
    );
  }
  if (isOtherRegion(failure)) {
    const where = region === undefined ? 'another region or endpoint' : `the region ${region}`;
    const remedy = region === undefined ? 'Give its region' : `Give region "${region}"`;
    return connection('ERR_S3_WRONG_REGION', `the bucket "${context.bucket}" is in ${where}. ${remedy}`);
  }
  if (status >= 300 && status < 400) {
    return connection('ERR_S3_REDIRECT', 'the service sends elsewhere, which is never followed. Check the endpoint');
  }
  if (failure.isForeign && !isTransientFailure(failure)) {
    return connection(
      'ERR_S3_NOT_S3',
      'what answered is not an S3 service (a web page or a proxy). Check the endpoint and its port',
    );
  }
  if (context.path === undefined) {
    if (status === 403) {
      return connection(
        'ERR_S3_FORBIDDEN',
        `these credentials have no right to do that in the bucket "${context.bucket}". Ask for the right, or use others`,
      );
    }
    if (isTransientFailure(failure))
      return connection('ERR_S3_UNAVAILABLE', 'the service cannot answer now. Run again later', true);
    return connection('ERR_S3_REFUSED', 'the service refuses it, for the reason that it gives here');
  }
  const about = (name: string, what: string, retryable = false): PathError =>
    new PathError(name, `${capital(context.action)} failed: ${what} (the service answered ${said}).`, {
      data: { ...data, path: context.path },
      retryable,
    });
  // Before 403, which it is on AWS: the right is there, the bytes are not.
  if (code === 'InvalidObjectState')
    return about('ERR_S3_ARCHIVED', 'the object is in an archive. Restore it there, or exclude the path');
  if (status === 403)
    return about(
      'ERR_S3_FORBIDDEN',
      'these credentials have no right to do that. Ask for the right, or exclude the path',
    );
  if (isDamage(failure))
    return about(
      'ERR_S3_CORRUPT_WRITE',
      'other bytes arrived than were sent, each time. It is tried again in the next run; look at the network if it stays',
      true,
    );
  if (isTransientFailure(failure))
    return about('ERR_S3_UNAVAILABLE', 'the service could not do it now. It is tried again in the next run', true);
  return about('ERR_S3_REFUSED', 'the service refuses it, for the reason that it gives here');
}

function isOtherRegion({ status, code, region }: ServiceFailure): boolean {
  if (code === 'PermanentRedirect' || code === 'TemporaryRedirect' || code === 'AuthorizationHeaderMalformed')
    return true;
  if (code === 'IllegalLocationConstraintException') return true;
  return (status === 301 || status === 307) && region !== undefined;
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** Text from outside, short, without our secrets and without characters that a terminal would act on. */
function plain(text: string, most: number): string {
  return withoutSecrets(text)
    .slice(0, most)
    .replaceAll(/[^\x20-\x7e]/g, ' ')
    .trim()
    .replace(/\.$/, '');
}
