import { displayPath } from '../escape-text.js';
import { formatBytes } from '../format.js';

/** More lines would hide the rest of the tour. */
const MAX_LINES = 30;

/** Shows two listings beside each other, one path a line, with sizes. */
export function sideBySide(
  left: { readonly title: string; readonly files: ReadonlyMap<string, number> },
  right: { readonly title: string; readonly files: ReadonlyMap<string, number> },
): string {
  const paths = [...new Set([...left.files.keys(), ...right.files.keys()])].sort();
  const cell = (files: ReadonlyMap<string, number>, path: string): string => {
    const size = files.get(path);
    return size === undefined ? '-' : `${formatBytes(size).padStart(8)}  ${displayPath(path)}`;
  };
  const rows = paths.slice(0, MAX_LINES).map((path) => [cell(left.files, path), cell(right.files, path)] as const);
  const width = Math.max(left.title.length, ...rows.map(([text]) => text.length));
  const lines = [[left.title, right.title] as const, ...rows].map(([a, b]) => `  ${a.padEnd(width)}  |  ${b}`);
  const more = paths.length - rows.length;
  return [...lines, ...(more > 0 ? [`  … and ${more} more`] : [])].join('\n');
}
