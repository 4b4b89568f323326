/**
 * Compares two strings in the order of their UTF-8 bytes, which is the order in which S3 lists keys.
 *
 * JavaScript's `<` compares UTF-16 units and disagrees: `'\u{1F600}' < '\uFF61'` is true, their UTF-8 bytes order the other way.
 *
 * @returns a negative number, zero, or a positive number. No allocation; cost: the common prefix.
 */
export function compareByteOrder(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const x = a.charCodeAt(i);
    const y = b.charCodeAt(i);
    if (x === y) continue;
    // Surrogates stand for code points above U+FFFF, which sort after every other unit in UTF-8.
    const xHigh = x >= 0xd800 && x <= 0xdfff;
    const yHigh = y >= 0xd800 && y <= 0xdfff;
    if (xHigh !== yHigh) return xHigh ? 1 : -1;
    return x - y;
  }
  return a.length - b.length;
}
