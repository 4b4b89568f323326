import type { Clock } from '../../../core/runtime.js';
import type { S3Transport } from '../transport.js';
import { hookBody } from './body-hooks.js';

/**
 * Bounds the bytes per second of bodies, in each direction for itself, by a token bucket that holds one second.
 *
 * A body that is larger than the bucket goes in one piece and is paid for afterwards, so that the mean holds.
 */
export function withBandwidth(inner: S3Transport, clock: Clock, bytesPerSecond: number | undefined): S3Transport {
  if (bytesPerSecond === undefined) return inner;
  const up = createBucket(clock, bytesPerSecond);
  const down = createBucket(clock, bytesPerSecond);
  return {
    async send(request) {
      if (request.body !== undefined) await up(request.body.length, request.signal);
      const response = await inner.send(request);
      return hookBody(response, { onChunk: (chunk) => down(chunk.length, request.signal) });
    },
    close: () => inner.close(),
  };
}

/** Answers a function that resolves when so many bytes may pass. */
function createBucket(
  clock: Clock,
  perSecond: number,
): (bytes: number, signal: AbortSignal | undefined) => Promise<void> {
  let tokens = perSecond;
  let refilledMs = clock.nowMs();
  return async (bytes, signal) => {
    const nowMs = clock.nowMs();
    tokens = Math.min(perSecond, tokens + (Math.max(0, nowMs - refilledMs) / 1000) * perSecond);
    refilledMs = nowMs;
    const debt = -tokens;
    tokens -= bytes;
    if (debt > 0) await clock.sleep((debt / perSecond) * 1000, signal);
  };
}
