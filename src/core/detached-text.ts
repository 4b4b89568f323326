/**
 * A copy of a text that was cut out of a longer one. To be kept beyond the page it came with: the engine lets a piece refer to
 * the whole, so that a path of thirty characters would keep a page of a thousand paths in memory.
 */
export function detachedText(text: string): string {
  return JSON.parse(JSON.stringify(text)) as string;
}
