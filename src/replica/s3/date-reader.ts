/**
 * Reads dates of headers, in milliseconds since 1970; `NaN` for what is none. The same one comes with many answers, and
 * reading a date is slow: the last is kept.
 */
export function createDateReader(): (header: string | undefined) => number {
  let lastHeader: string | undefined;
  let lastMs = Number.NaN;
  return (header) => {
    if (header === lastHeader) return lastMs;
    lastHeader = header;
    lastMs = header === undefined ? Number.NaN : Date.parse(header);
    return lastMs;
  };
}
