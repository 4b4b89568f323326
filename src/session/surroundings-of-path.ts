import type { BaselineStore } from '../store/state-store.js';

/** The directories above a path: `['a', 'a/b']` for `a/b/c`. */
export function ancestorsOf(path: string): string[] {
  const names = path.split('/').slice(0, -1);
  return names.map((_, i) => names.slice(0, i + 1).join('/'));
}

/** Whether anything was agreed on below a directory. */
export async function hasRowBelow(baseline: Pick<BaselineStore, 'scanBelow'>, directoryPath: string): Promise<boolean> {
  for await (const rows of baseline.scanBelow(directoryPath)) if (rows.length > 0) return true;
  return false;
}
