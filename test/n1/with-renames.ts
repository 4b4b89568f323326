import { compareByteOrder } from '../../src/core/byte-order.js';
import type { Decision } from '../../src/core/decision.js';
import {
  filedOrder,
  halvesOf,
  isGoneHalf,
  isMadeHalf,
  pairFiled,
  renameOf,
  type Filed,
} from '../../src/core/rename.js';
import type { World } from './world.js';

/** A plan in which renames stand in the place of their halves. Contents are seen as they are, as if every file had been hashed. */
export async function withRenames(world: World, decisions: readonly Decision[]): Promise<readonly Decision[]> {
  const renames: Decision[] = [];
  for (const origin of ['local', 'remote'] as const) {
    const file = (isHalf: typeof isGoneHalf, content: (path: string) => number | undefined): Filed[] =>
      decisions
        .filter((decision) => isHalf(decision, origin))
        .map((decision) => ({ key: String(content(decision.path)), decision }))
        .toSorted((a, b) => compareByteOrder(filedOrder(a), filedOrder(b)));
    const gone = file(isGoneHalf, (path) => world.rows.get(path)?.content);
    const made = file(isMadeHalf, (path) => world.files[origin].get(path)?.content);
    for await (const pair of pairFiled(once(gone), once(made))) {
      if (pair.gone === undefined || pair.made === undefined || pair.made.action === 'compare') continue;
      renames.push(renameOf(pair.gone, pair.made, origin));
    }
  }
  const replaced = new Set(renames.flatMap((rename) => halvesOf(rename) ?? []).map(({ path }) => path));
  return [...decisions.filter(({ path }) => !replaced.has(path)), ...renames];
}

async function* once<T>(items: T[]): AsyncGenerator<T[]> {
  yield items;
}
