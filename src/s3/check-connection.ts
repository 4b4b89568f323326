import { S3ConnectionError } from '../errors.js';
import type { ConfiguredClient } from '../replica/s3/client-config.js';
import { resolveBucketEndpoint } from '../replica/s3/endpoint.js';
import { readBody } from '../replica/s3/read-body.js';
import { describeFailure, failureError } from '../replica/s3/service-error.js';
import type { S3Request } from '../replica/s3/transport.js';
import { createHttpTransport } from '../replica/s3/http-transport.js';
import { toAddress } from './address.js';
import { systemRuntime } from './system-runtime.js';

/** What {@link checkConnection} asks for. */
export interface ConnectionCheck {
  /** A bucket, or `s3://bucket/prefix`; `undefined`: the list of buckets. */
  readonly bucket: string | undefined;
  /** Where the keys came from, for messages. */
  readonly source: string;
  readonly timeoutMs: number;
  /** Called when the service was asked, before it has answered. */
  readonly onAsked: (() => void) | undefined;
}

/** More than the longest list of buckets. */
const MAX_ANSWER_BYTES = 16 * 1024 * 1024;

/**
 * Asks the service one question that proves that it is an S3 service and accepts the keys.
 *
 * @throws S3ConnectionError with what is wrong, the endpoint, and where the keys came from.
 */
export async function checkConnection(client: ConfiguredClient, check: ConnectionCheck): Promise<void> {
  const { bucket, prefix } = check.bucket === undefined ? { bucket: '', prefix: '' } : toAddress(check.bucket);
  const { origin } = await resolveBucketEndpoint(client, bucket);
  const transport = createHttpTransport({ client, clock: systemRuntime.clock, connectTimeoutMs: check.timeoutMs });
  const signal = AbortSignal.timeout(check.timeoutMs);
  try {
    // Not HEAD of the bucket: its answer has no body, so that neither a web server nor the reason of a 403 can be told.
    const query = { 'list-type': '2', 'max-keys': '1', ...(prefix !== '' && { prefix }) };
    const request: S3Request = {
      method: 'GET',
      bucket,
      key: undefined,
      query: bucket === '' ? {} : query,
      headers: {},
      signal,
    };
    const answering = transport.send(request);
    check.onAsked?.();
    const response = await answering;
    const bytes = await readBody(response, MAX_ANSWER_BYTES);
    if (response.status === 200 && isWanted(bytes)) return;
    const failure = describeFailure(response, bytes);
    if (bucket === '' && isGoodRefusal(failure.code)) return;
    const action =
      bucket === ''
        ? `connecting to ${origin}, with keys from ${check.source}`
        : `looking into the bucket "${bucket}" at ${origin}, with keys from ${check.source}`;
    if (response.status < 300 || (failure.code === '' && response.status < 500))
      throw notS3(action, response.status, bytes);
    throw failureError(failure, { action, bucket, path: undefined });
  } catch (error) {
    throw signal.aborted ? timedOut(origin, check.timeoutMs, error) : error;
  } finally {
    await transport.close();
  }
}

/** Whether a refusal to list buckets proves that the service knows the keys, or at least is an S3 service. */
function isGoodRefusal(code: string): boolean {
  return code === 'AccessDenied' || code === 'NotImplemented' || code === 'MethodNotAllowed';
}

function isWanted(bytes: Uint8Array): boolean {
  return /^\uFEFF?\s*(?:<\?xml[^>]*>\s*)?<(?:ListAllMyBucketsResult|ListBucketResult)[\s>]/.test(
    Buffer.from(bytes.subarray(0, 1000)).toString('utf8'),
  );
}

function notS3(action: string, status: number, bytes: Uint8Array): S3ConnectionError {
  const start = Buffer.from(bytes.subarray(0, 2000)).toString('utf8');
  const found = /<html|<!doctype html/i.test(start)
    ? 'a web page'
    : start.trim() === ''
      ? 'an empty answer'
      : 'something that no S3 service answers';
  return new S3ConnectionError(
    'ERR_S3_NOT_S3',
    `${action.charAt(0).toUpperCase()}${action.slice(1)} failed: what answered is not an S3 service, but ${found} (status ${status}). Check the endpoint and its port.`,
    { data: { status } },
  );
}

function timedOut(origin: string, timeoutMs: number, cause: unknown): S3ConnectionError {
  return new S3ConnectionError(
    'ERR_S3_TIMEOUT',
    `The S3 service at ${origin} could not be used: it did not answer within ${timeoutMs / 1000} seconds. Check the network and the endpoint, or give it more time ("timeoutSeconds").`,
    { cause, data: { origin }, retryable: true },
  );
}
