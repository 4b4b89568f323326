import type { Runtime } from '../../core/runtime.js';
import { withAdaptiveLimit } from './wrap/adaptive-limit.js';
import type { Backoff } from '../wrap/backoff.js';
import { withBandwidth } from './wrap/bandwidth.js';
import { withRetry } from './wrap/retry.js';
import { withTrace, type RequestEvent, type TracedTransport } from './wrap/trace.js';
import type { ClockOffset } from './clock-offset.js';
import type { S3Transport } from './transport.js';

/** Options of {@link composeTransport}. */
export interface ComposeOptions {
  readonly runtime: Runtime;
  readonly backoff: Backoff;
  readonly concurrency: number;
  readonly bandwidthBytesPerSecond: number | undefined;
  readonly onRequest: ((event: RequestEvent) => void) | undefined;
  readonly clockOffset: ClockOffset;
}

/** What {@link composeTransport} makes. */
export interface ComposedTransport {
  readonly transport: S3Transport;
  /** Sends at once, whatever the bounds are, and once: for the few requests that have to be under way together. */
  readonly together: S3Transport;
  readonly trace: TracedTransport;
}

/**
 * Wraps a transport whose errors have our names. From the outside in: retry, whose waits hold no place in flight; the bound of
 * requests in flight; bandwidth; and closest to the wire the trace, which sees each attempt.
 */
export function composeTransport(base: S3Transport, options: ComposeOptions): ComposedTransport {
  const { clock } = options.runtime;
  const { clockOffset } = options;
  const trace = withTrace(base, {
    clock,
    onRequest: options.onRequest,
    onDate: (dateHeader, sentMs, receivedMs) => clockOffset.observe(dateHeader, sentMs, receivedMs),
  });
  const bounded = withAdaptiveLimit(withBandwidth(trace, clock, options.bandwidthBytesPerSecond), options.concurrency);
  return { transport: withRetry(bounded, options.backoff), together: trace, trace };
}
