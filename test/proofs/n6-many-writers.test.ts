import { describe, expect, it } from 'vitest';
import { DIALECTS, type Dialect, type DialectName } from '../../src/testing/s3/dialects.js';
import { runManyWriters, type WritersResult } from './n6-many-writers.js';

const IS_LONG = process.env['FILECLOUDSYNC_PROVE'] === '1';
const SEEDS = Number(process.env['FILECLOUDSYNC_SEEDS'] ?? (IS_LONG ? 50 : 1));
const FIRST_SEED = Number(process.env['FILECLOUDSYNC_SEED'] ?? 1);
const SCALE = IS_LONG ? { writers: 100, keys: 200, operations: 20_000 } : { writers: 16, keys: 40, operations: 400 };

/** Stores whose conditions hold, on every operation that is used for a change. */
const HONOURING: readonly DialectName[] = ['aws', 'conditions-409', 'selectel', 'conditions-304', 'conditions-404'];
/** Stores that ignore conditions, all or some of them, or check them too early. */
const IGNORING: readonly DialectName[] = [
  'garage-1.2',
  'incus-7',
  'create-only',
  'gcs-xml',
  'ceph-16',
  'oss',
  'seaweedfs-3.96',
  'delete-ignores',
];

/** Part sizes as small as the files here. */
const small = (name: DialectName): Dialect => ({ ...DIALECTS[name], leastPartBytes: 1 });

async function runSeeds(names: readonly DialectName[]): Promise<WritersResult[]> {
  const results: WritersResult[] = [];
  for (let i = 0; i < (IS_LONG ? SEEDS : Math.max(SEEDS, 2)); i++) {
    const name = names[i % names.length];
    if (name === undefined) continue;
    const result = await runManyWriters(FIRST_SEED + i, small(name), SCALE);
    const { seed, dialect, operations, requests, unseenOverwritten, lost, diverging } = result;
    console.log(
      `N6: seed ${seed} on ${dialect}: ${operations} operations, ${requests} requests, ${unseenOverwritten} versions overwritten unseen, ${lost.length} lost, ${diverging.length} diverging`,
    );
    results.push(result);
  }
  return results;
}

describe(`N6: ${SCALE.writers} writers, ${SCALE.keys} keys, ${SCALE.operations} operations`, () => {
  it('lose no update on a store that honours conditions', { timeout: 7_200_000 }, async () => {
    for (const { seed, lost, unseenOverwritten, diverging, remarks } of await runSeeds(HONOURING)) {
      expect({ seed, lost, unseenOverwritten, diverging }).toEqual({
        seed,
        lost: [],
        unseenOverwritten: 0,
        diverging: [],
      });
      expect(remarks.flat()).toEqual([]);
    }
  });

  it(
    'have every overwritten version in a trash on a store that ignores conditions, and are told so once',
    { timeout: 7_200_000 },
    async () => {
      let overwritten = 0;
      for (const { seed, lost, unseenLost, unseenOverwritten, diverging, remarks } of await runSeeds(IGNORING)) {
        expect({ seed, lost, unseenLost, diverging }).toEqual({ seed, lost: [], unseenLost: [], diverging: [] });
        overwritten += unseenOverwritten;
        for (const told of remarks) {
          expect(told).toHaveLength(1);
          expect(told[0]).toMatch(/^This store ignores conditions on .*trash/);
        }
      }
      // Without a single race there would be nothing to find.
      expect(overwritten).toBeGreaterThan(0);
    },
  );
});
