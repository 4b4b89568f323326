import { rememberLast } from '../../core/remember-last.js';

/**
 * Reads dates of headers, in milliseconds since 1970; `NaN` for what is none. The same one comes with many answers, and
 * reading a date is slow: the last is kept.
 */
export function createDateReader(): (header: string | undefined) => number {
  return rememberLast((header) => (header === undefined ? Number.NaN : Date.parse(header)));
}
