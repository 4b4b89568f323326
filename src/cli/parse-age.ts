const DAY_MS = 86_400_000;
const UNIT_MS: Readonly<Record<string, number>> = { m: 60_000, h: 3_600_000, d: DAY_MS, w: 7 * DAY_MS };

/** Reads an age such as `30d`, `12h`, `90m` or `2w` as milliseconds; `undefined` when it is none. `0d` is allowed: everything. */
export function parseAge(text: string): number | undefined {
  const match = /^(\d{1,6}(?:\.\d+)?)([mhdw])$/.exec(text.trim());
  const unit = UNIT_MS[match?.[2] ?? ''];
  return match === null || unit === undefined ? undefined : Number(match[1]) * unit;
}
