/**
 * Makes text harmless for a terminal: control characters, escapes, invisible and direction-changing characters
 * and halves of pairs are shown as `\u{1b}`. Everything else stays as it is; a text already escaped stays the same.
 */
export function escapeText(text: string): string {
  return text.replaceAll(/[\p{C}\p{Zl}\p{Zp}]/gu, escapeCharacter);
}

/**
 * Shows a path whole, on one line and without doubt: as {@link escapeText}, a backslash is doubled,
 * and a path that is empty or begins or ends in a space stands in quotes.
 */
export function displayPath(path: string): string {
  const shown = escapeText(path.replaceAll('\\', '\\\\'));
  return shown === '' || /^\s|\s$/u.test(shown) ? `"${shown}"` : shown;
}

function escapeCharacter(character: string): string {
  return `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`;
}
