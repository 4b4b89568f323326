/**
 * Decodes a key of a listing with `encoding-type=url`, where a space may be `+` or `%20`.
 *
 * @returns `undefined` when the bytes are no UTF-8 or an escape is broken: such a key cannot be named.
 */
export function decodeListedKey(encoded: string): string | undefined {
  if (!/[%+]/.test(encoded)) return encoded;
  const spaced = encoded.replaceAll('+', ' ');
  try {
    return decodeURIComponent(spaced);
  } catch {
    return undefined;
  }
}
