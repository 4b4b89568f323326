import { createDateReader } from './date-reader.js';

/** How far the service's clock is from ours, learnt from the `Date` headers of its answers. */
export interface ClockOffset {
  /** Time of the service minus ours, in milliseconds; 0 until an answer shows a difference. */
  readonly ms: number;
  /** Takes an answer into account. */
  observe(dateHeader: string | undefined, sentMs: number, receivedMs: number): void;
}

/** `Date` has whole seconds: below this a difference cannot be told from noise. */
const NOISE_MS = 2_000;

/** Starts at zero. A difference that is smaller than noise and round trip together counts as none. */
export function createClockOffset(): ClockOffset {
  let ms = 0;
  const readDate = createDateReader();
  return {
    get ms() {
      return ms;
    },
    observe(dateHeader, sentMs, receivedMs) {
      if (dateHeader === undefined) return;
      // The header was rounded down: half a second is its mean error.
      const serverMs = readDate(dateHeader) + 500;
      if (Number.isNaN(serverMs)) return;
      const measured = serverMs - (sentMs + receivedMs) / 2;
      const noise = NOISE_MS + (receivedMs - sentMs) / 2;
      if (Math.abs(measured) <= noise) ms = 0;
      else if (Math.abs(measured - ms) > noise) ms = measured;
    },
  };
}
