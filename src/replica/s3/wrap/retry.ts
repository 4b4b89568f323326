import { FileCloudSyncError, isAbort } from '../../../errors.js';
import type { S3Request, S3Response, S3Transport } from '../transport.js';
import type { Backoff } from '../../wrap/backoff.js';
import { discard } from './discard.js';

/** Answers that mean "later": throttled, overloaded, or an error of the service itself. */
const TRANSIENT = new Set([408, 429, 500, 502, 503, 504]);

/** Tells whether an answer may differ when the same request is sent later. */
export function isTransientStatus(status: number): boolean {
  return TRANSIENT.has(status);
}

/** Tells whether a failure to get an answer may pass by itself. */
export function isTransientError(error: unknown): boolean {
  if (isAbort(error)) return false;
  return error instanceof FileCloudSyncError ? error.retryable : true;
}

/**
 * Tells whether a request may be sent twice without a look at what the first did: reads, parts of an upload
 * (the same bytes under the same number), aborting an upload. Writes, deletes, copies, and beginnings and completions
 * of uploads are not: their senders look at the store before they send again, or remember that they did.
 */
export function isSafeToRepeat(request: S3Request): boolean {
  const { method, query } = request;
  if (method === 'GET' || method === 'HEAD') return true;
  return method !== 'POST' && 'uploadId' in query;
}

/** The wait the service asked for, in milliseconds, at most 30 s. */
export function retryAfterMs(response: S3Response): number {
  const seconds = Number(response.headers['retry-after'] ?? 0);
  return Number.isFinite(seconds) && seconds > 0 ? Math.min(seconds, 30) * 1000 : 0;
}

/** Sends again what is safe to repeat, when no answer came or one that means "later". */
export function withRetry(inner: S3Transport, backoff: Backoff): S3Transport {
  const sendAgain = async (request: S3Request, attempt: number, failed?: S3Response): Promise<S3Response> => {
    if (failed !== undefined) await discard(failed);
    const waitMs = failed === undefined ? 0 : retryAfterMs(failed);
    await backoff.wait(attempt, request.signal, waitMs);
    request.onResend?.();
    return trySend(request, attempt + 1);
  };
  const trySend = (request: S3Request, attempt: number): Promise<S3Response> => {
    const sent = inner.send(request);
    if (attempt >= backoff.attempts) return sent;
    return sent.then(
      (response) => (isTransientStatus(response.status) ? sendAgain(request, attempt, response) : response),
      (error: unknown) => {
        if (!isTransientError(error)) throw error;
        return sendAgain(request, attempt);
      },
    );
  };
  return {
    send: (request) => (isSafeToRepeat(request) ? trySend(request, 1) : inner.send(request)),
    close: () => inner.close(),
  };
}
