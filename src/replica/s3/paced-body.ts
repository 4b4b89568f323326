import type { Clock } from '../../core/runtime.js';
import type { Pace } from './transport.js';

/** A body that goes out as fast as its pace allows. */
export interface PacedBody extends AsyncIterable<Uint8Array> {
  /** Aborted when the service took no piece, or gave no answer after the last, for too long. */
  readonly signal: AbortSignal;
  /** The answer has begun, or the request is over: nothing is watched any more. */
  settle(): void;
}

/**
 * Cuts a body into pieces and gives each when `pace` lets it.
 *
 * Watches the service in the place of undici, which would count the time that is spent waiting for the line as silence.
 */
export function pacedBody(
  body: Uint8Array,
  pace: Pace,
  { clock, longestSilenceMs }: { readonly clock: Clock; readonly longestSilenceMs: number },
): PacedBody {
  const settled = new AbortController();
  const givenUp = new AbortController();
  /** Since when it is the service's turn; `undefined` while it is ours. */
  let waitingSinceMs: number | undefined;

  const watch = async (): Promise<void> => {
    for (;;) {
      const silentMs = waitingSinceMs === undefined ? 0 : Math.max(0, clock.nowMs() - waitingSinceMs);
      if (silentMs >= longestSilenceMs)
        return givenUp.abort(Object.assign(new Error('no answer in time'), { code: 'ETIMEDOUT' }));
      await clock.sleep(longestSilenceMs - silentMs, settled.signal);
    }
  };
  // Ends by `settle`.
  watch().catch(() => {});

  return {
    signal: givenUp.signal,
    settle: () => settled.abort(),
    async *[Symbol.asyncIterator]() {
      for (let at = 0; at < body.length; at += pace.pieceBytes) {
        const piece = body.subarray(at, at + pace.pieceBytes);
        waitingSinceMs = undefined;
        await pace.wait(piece.length);
        waitingSinceMs = clock.nowMs();
        yield piece;
      }
      waitingSinceMs = clock.nowMs();
    },
  };
}
