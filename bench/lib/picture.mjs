// Draws a comparison as a picture: one bar a program, least and most as a thin line, ours in another colour. SVG, no library:
// thirty lines of rectangles do not pay for one.

const WIDTH = 760;
const NAMES = 300;
const BARS = 330;
const ROW = 26;
const TOP = 56;

const escape = (text) =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');

/**
 * @param {{ title: string, subtitle: string, unit: string, bars: { name: string, median: number, min?: number, max?: number }[] }} chart
 *   the first bar is ours
 * @returns {string} a whole SVG document
 */
export function drawBars({ title, subtitle, unit, bars }) {
  const most = Math.max(...bars.map((bar) => bar.max ?? bar.median), Number.MIN_VALUE);
  const scale = (value) => (value / most) * BARS;
  const rows = bars.map((bar, i) => drawBar(bar, i, unit, scale));
  const height = TOP + bars.length * ROW + 12;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img" aria-label="${escape(title)}">`,
    '<style>text{font:13px system-ui,sans-serif;fill:#24292f}.t{font-weight:600;font-size:15px}.s{fill:#57606a;font-size:12px}</style>',
    `<rect width="${WIDTH}" height="${height}" fill="#ffffff"/>`,
    `<text class="t" x="12" y="22">${escape(title)}</text>`,
    `<text class="s" x="12" y="42">${escape(subtitle)}</text>`,
    ...rows,
    '</svg>',
    '',
  ].join('\n');
}

function drawBar({ name, median, min, max }, index, unit, scale) {
  const y = TOP + index * ROW;
  const middle = y + ROW / 2 - 3;
  const end = NAMES + scale(median);
  const spread =
    min === undefined || max === undefined
      ? ''
      : `<line x1="${round(NAMES + scale(min))}" x2="${round(NAMES + scale(max))}" y1="${middle}" y2="${middle}" stroke="#24292f" stroke-width="1.5"/>`;
  return [
    `<text x="${NAMES - 8}" y="${y + 15}" text-anchor="end">${escape(shorten(name))}</text>`,
    `<rect x="${NAMES}" y="${y}" width="${round(Math.max(scale(median), 1))}" height="${ROW - 6}" fill="${index === 0 ? '#1a7f37' : '#8c959f'}"/>`,
    spread,
    `<text x="${round(Math.max(end, NAMES + scale(max ?? median)) + 8)}" y="${y + 15}">${show(median)} ${escape(unit)}</text>`,
  ].join('');
}

const shorten = (name) => (name.length > 42 ? `${name.slice(0, 41)}…` : name);
const round = (value) => Number(value.toFixed(1));

/** Three digits, as a person would say them. */
export function show(value) {
  if (value >= 1000) return Math.round(value).toLocaleString('en');
  return String(Number(value.toPrecision(3)));
}
