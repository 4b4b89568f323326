/**
 * Writes a value as one line of JSON, without the line break: safe for BigInt (a number when it is safe, else a string),
 * for what JSON has no word for (left out, or `null` in a list), for errors (code and message) and for terminals
 * (no character that one would obey is left bare).
 */
export function toJsonLine(value: unknown): string {
  const text = JSON.stringify(value, (_key, part: unknown) => {
    if (typeof part === 'bigint') return Number.isSafeInteger(Number(part)) ? Number(part) : String(part);
    if (part instanceof Error) {
      return { ...('code' in part ? { code: part.code } : {}), message: part.message };
    }
    return part;
  });
  // JSON leaves DEL, the C1 controls (U+009B opens an escape), the line separators and U+FEFF bare.
  return text.replaceAll(
    /[\u007F-\u009F\u2028\u2029\uFEFF]/g,
    (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
