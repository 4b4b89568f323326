/**
 * Makes text harmless for a terminal: control characters, escapes, invisible and direction-changing characters
 * and halves of pairs are shown as `\u{1b}`. Everything else stays as it is; a text already escaped stays the same.
 */
export function escapeText(text: string): string {
  if (HARMLESS.test(text)) return text;
  return text.replaceAll(/[\p{C}\p{Zl}\p{Zp}]/gu, escapeCharacter);
}

/**
 * Shows a path whole, on one line and without doubt: as {@link escapeText}, a backslash is doubled,
 * and a path that is empty or begins or ends in a space stands in quotes.
 */
export function displayPath(path: string): string {
  if (PLAIN.test(path)) return path;
  const shown = escapeText(path.replaceAll('\\', '\\\\'));
  return shown === '' || /^\s|\s$/u.test(shown) ? `"${shown}"` : shown;
}

function escapeCharacter(character: string): string {
  return `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`;
}

/** What nearly all text consists of: found out in a tenth of the time that a look for what is not takes. */
const HARMLESS = /^[ -~]*$/;
/** The same of a path: no backslash, and no space at its ends. */
const PLAIN = /^[!-[\]-~](?:[ -[\]-~]*[!-[\]-~])?$/;
