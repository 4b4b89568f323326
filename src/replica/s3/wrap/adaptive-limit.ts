import type { S3Request, S3Response, S3Transport } from '../transport.js';
import { hookBody } from './body-hooks.js';
import { isTransientError } from './retry.js';

/** Answers by which a service says that it gets too much. */
const THROTTLED = new Set([429, 503]);

/** A transport that bounds the requests in flight. */
export interface LimitedTransport extends S3Transport {
  /** How many requests may be in flight now. */
  readonly limit: number;
}

/**
 * Bounds the requests in flight, and adapts the bound: halved when the service throttles or does not answer,
 * one more after as many successes as the bound (additive increase, multiplicative decrease). Waiters are served in order.
 *
 * A request counts until its body has ended.
 */
export function withAdaptiveLimit(inner: S3Transport, most: number): LimitedTransport {
  let limit = Math.max(1, most);
  let inFlight = 0;
  let successes = 0;
  let startedCount = 0;
  /** Requests that were under way at the last decrease say nothing new. */
  let ignoreUpTo = 0;
  const waiters: (() => void)[] = [];

  const release = (): void => {
    inFlight--;
    while (inFlight < limit) {
      const next = waiters.shift();
      if (next === undefined) return;
      inFlight++;
      next();
    }
  };
  const hooks = { onEnd: release };
  const waitForPlace = (signal: AbortSignal | undefined): Promise<void> =>
    new Promise<void>((resolve, reject) => {
      const grant = (): void => {
        signal?.removeEventListener('abort', giveUp);
        resolve();
      };
      const giveUp = (): void => {
        waiters.splice(waiters.indexOf(grant), 1);
        reject(signal?.reason);
      };
      waiters.push(grant);
      signal?.addEventListener('abort', giveUp, { once: true });
    });
  const decrease = (started: number): void => {
    if (started <= ignoreUpTo) return;
    ignoreUpTo = startedCount;
    successes = 0;
    limit = Math.max(1, Math.floor(limit / 2));
  };
  const increase = (): void => {
    if (++successes < limit) return;
    successes = 0;
    limit = Math.min(most, limit + 1);
  };

  const sendInPlace = (request: S3Request): Promise<S3Response> => {
    const started = ++startedCount;
    return inner.send(request).then(
      (response) => {
        if (THROTTLED.has(response.status)) decrease(started);
        else increase();
        return hookBody(response, hooks);
      },
      (error: unknown) => {
        if (isTransientError(error)) decrease(started);
        release();
        throw error;
      },
    );
  };

  return {
    get limit() {
      return limit;
    },
    send(request) {
      const { signal } = request;
      if (signal?.aborted === true) return Promise.reject(signal.reason);
      if (inFlight >= limit) return waitForPlace(signal).then(() => sendInPlace(request));
      inFlight++;
      return sendInPlace(request);
    },
    close: () => inner.close(),
  };
}
