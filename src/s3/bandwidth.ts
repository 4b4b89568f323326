const unitBytes: Readonly<Record<string, number>> = {
  '': 1,
  k: 1e3,
  m: 1e6,
  g: 1e9,
  ki: 1024,
  mi: 1024 ** 2,
  gi: 1024 ** 3,
};

/**
 * Turns a bandwidth (`500_000`, `'500kB'`, `'10MiB'`, `'10MiB/s'`) into bytes a second.
 *
 * @returns `undefined` when it makes no sense or is less than 1 KiB a second, with which nothing would ever end.
 */
export function toBytesPerSecond(bandwidth: unknown): number | undefined {
  const match = /^\s*(\d+(?:\.\d+)?)\s*(|k|m|g|ki|mi|gi)b?(?:\/s)?\s*$/i.exec(
    typeof bandwidth === 'number' || typeof bandwidth === 'string' ? String(bandwidth) : '',
  );
  const unit = unitBytes[match?.[2]?.toLowerCase() ?? ''];
  if (match === null || unit === undefined) return undefined;
  const bytes = Math.floor(Number(match[1]) * unit);
  return bytes >= 1024 ? bytes : undefined;
}
