import type { Dialect } from './dialects.js';

let lastMs = NaN;
let lastText = '';

/** A time as documents show it, in the precision of the dialect. Neighbours in a list often share it, so the last one is kept. */
export function isoTime(ms: number, dialect: Pick<Dialect, 'lastModified'>): string {
  const shown = dialect.lastModified === 'seconds' ? ms - (ms % 1000) : ms;
  if (shown !== lastMs) {
    lastMs = shown;
    lastText = new Date(shown).toISOString();
  }
  return lastText;
}
