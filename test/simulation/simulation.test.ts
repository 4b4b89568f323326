import { describe, expect, it } from 'vitest';
import { simulate } from './simulate.js';

/** `FCS_N2`: how many seeds; `FCS_SEED`: the first one. */
const COUNT = Number(process.env['FCS_N2'] ?? 200);
const FIRST_SEED = Number(process.env['FCS_SEED'] ?? 1);

describe('simulate', () => {
  it(`keeps every version through ${COUNT} runs with crashes, faults and concurrent writers`, { timeout: 600_000 }, async () => {
    let versions = 0;
    let crashes = 0;
    for (let seed = FIRST_SEED; seed < FIRST_SEED + COUNT; seed++) {
      const result = await simulate(seed);
      expect(result.violations, `seed ${seed} (run again with FCS_SEED=${seed} FCS_N2=1)`).toEqual([]);
      versions += result.versions;
      crashes += result.crashes;
    }
    // A run in which nobody wrote or nothing crashed would prove nothing.
    expect(versions).toBeGreaterThan(COUNT * 5);
    expect(crashes).toBeGreaterThanOrEqual(COUNT);
  });

  it('replays a seed to the same trace', async () => {
    const [first, second, other] = [await simulate(7), await simulate(7), await simulate(8)];
    expect(second.traceHash).toBe(first.traceHash);
    expect(other.traceHash).not.toBe(first.traceHash);
  });
});
