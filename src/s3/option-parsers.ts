/** Takes the text as it is. */
export function asText(text: string): unknown {
  return text;
}

/** One item a line; empty lines do not count. */
export function asTexts(text: string): unknown {
  return text.split(/\r?\n/).filter((line) => line !== '');
}

/** A number; text that is none stays text, so that the check can show it. */
export function asNumber(text: string): unknown {
  const trimmed = text.trim();
  if (/^(never|infinity)$/i.test(trimmed)) return Number.POSITIVE_INFINITY;
  return trimmed === '' || Number.isNaN(Number(trimmed)) ? text : Number(trimmed);
}

/** A share: a number, or a percentage such as `25%`. */
export function asShare(text: string): unknown {
  const percent = /^\s*(\d+(?:\.\d+)?)\s*%\s*$/.exec(text);
  return percent === null ? asNumber(text) : Number(percent[1]) / 100;
}

/** `true`, `1`, `yes` and `on`, or `false`, `0`, `no` and `off`; other text stays text. */
export function asFlag(text: string): unknown {
  const word = text.trim().toLowerCase();
  if (['true', '1', 'yes', 'on'].includes(word)) return true;
  if (['false', '0', 'no', 'off'].includes(word)) return false;
  return text;
}
