const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'] as const;

/** Shows a number of bytes in binary units: `0 B`, `812 B`, `2.3 MiB`, `14 GiB`. */
export function formatBytes(bytes: number): string {
  let value = bytes;
  let unit = 0;
  // 1023.5 would be shown as 1024 of the smaller unit.
  while (value >= 1023.5 && unit < UNITS.length - 1) {
    value /= 1024;
    unit += 1;
  }
  const digits = unit === 0 || value >= 9.95 ? 0 : 1;
  return `${value.toFixed(digits)} ${UNITS[unit] ?? 'B'}`;
}

/** Shows a duration with two figures at most: `0.4 s`, `12 s`, `3 min 05 s`, `2 h 10 min`, `3 d 4 h`. */
export function formatDuration(durationMs: number): string {
  const seconds = Math.max(0, durationMs) / 1000;
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  const minutes = Math.floor(whole / 60);
  if (minutes < 60) return `${minutes} min ${String(whole % 60).padStart(2, '0')} s`;
  const hours = Math.floor(minutes / 60);
  if (hours < 24) return `${hours} h ${String(minutes % 60).padStart(2, '0')} min`;
  return `${Math.floor(hours / 24)} d ${hours % 24} h`;
}

/** Counts things in words: `1 file`, `3 files`, `2 copies`. Numbers from 10,000 on are grouped. */
export function formatCount(count: number, one: string, many = `${one}s`): string {
  return `${formatNumber(count)} ${count === 1 ? one : many}`;
}

/** Shows a whole number, grouped by commas from 10,000 on. The same on every machine, whatever its language. */
export function formatNumber(count: number): string {
  const text = String(count);
  return count < 10_000 ? text : text.replaceAll(/\B(?=(?:\d{3})+$)/g, ',');
}

/** Shows an instant as `2026-11-22 14:03:09Z`; `unknown` for what is no time. */
export function formatTime(timeMs: number | undefined): string {
  if (timeMs === undefined) return 'unknown';
  const time = new Date(timeMs);
  return Number.isNaN(time.getTime())
    ? 'unknown'
    : time
        .toISOString()
        .replace('T', ' ')
        .replace(/\.\d+Z$/, 'Z');
}
