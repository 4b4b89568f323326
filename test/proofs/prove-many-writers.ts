import { DIALECTS, type DialectName } from '../../src/testing/s3/dialects.js';
import { runManyWriters, type WritersScale } from './n6-many-writers.js';

const FULL: WritersScale = { writers: 100, keys: 200, operations: 20_000 };
/** In turn: stores whose conditions hold, and stores that ignore them, all or some. */
const NAMES: readonly DialectName[] = [
  'aws',
  'garage-1.2',
  'conditions-409',
  'create-only',
  'selectel',
  'gcs-xml',
  'conditions-304',
  'ceph-16',
  'conditions-404',
  'oss',
];
const HONOURING: ReadonlySet<DialectName> = new Set<DialectName>([
  'aws',
  'conditions-409',
  'selectel',
  'conditions-304',
  'conditions-404',
]);

/** Runs many writers with seeds `first`, `first + stride`, …; throws for the first in which a version is lost or an update overwritten. */
export async function proveManyWriters(
  first: number,
  count: number,
  stride: number,
  scale: WritersScale = FULL,
): Promise<{ readonly runs: number; readonly operations: number; readonly overwritten: number }> {
  let operations = 0;
  let overwritten = 0;
  for (let i = 0; i < count; i++) {
    const seed = first + i * stride;
    const name = NAMES[seed % NAMES.length] ?? 'aws';
    const result = await runManyWriters(seed, { ...DIALECTS[name], leastPartBytes: 1 }, scale);
    const { lost, unseenOverwritten, diverging } = result;
    if (lost.length > 0 || diverging.length > 0)
      throw new Error(
        `seed ${seed} on ${name}: lost ${lost.join(', ')}; diverging ${diverging.slice(0, 10).join(', ')}`,
      );
    if (HONOURING.has(name) && unseenOverwritten > 0)
      throw new Error(
        `seed ${seed} on ${name}: ${unseenOverwritten} versions were overwritten by a machine that had not seen them`,
      );
    operations += result.operations;
    overwritten += unseenOverwritten;
  }
  return { runs: count, operations, overwritten };
}
