import { describe, expect, it } from 'vitest';
import { proveConvergence } from '../../test/n1/prove-convergence.js';

/** `FCS_N1=10000000` for the long form, `FCS_SEED=…` to begin elsewhere. */
const count = Number(process.env['FCS_N1'] ?? 100_000);
const seed = Number(process.env['FCS_SEED'] ?? Math.floor(Math.random() * 2 ** 31));

describe('N1', () => {
  it(
    `reconciles ${count} random three-tree states: each converges, keeps every version and breaks no invariant`,
    async () => {
      const startedAt = performance.now();
      const { states, rounds, seen } = await proveConvergence(seed, count);
      const seconds = (performance.now() - startedAt) / 1000;
      console.log(
        `N1: ${states} states from seed ${seed} in ${seconds.toFixed(1)} s; rounds needed 0/1/2/3: ${rounds.join('/')}`,
      );
      expect(rounds.reduce((a, b) => a + b, 0)).toBe(count);
      // A generator that no longer reaches a rule proves nothing about it.
      for (const rule of [
        'R01 nothing',
        'R02 download',
        'R03 upload',
        'R03 hold',
        'R05 compare',
        'R06 delete-local',
        'R07 delete-remote',
        'R07 hold',
        'R08 upload',
        'R09 download',
        'R10 forget',
        'R11 upload',
        'R11 move-remote',
        'R12 download',
        'R12 move-local',
        'R14 compare',
        'R15 set-aside',
        'R15 hold',
        'R15 delete-local',
        'R15 delete-remote',
        'R16 hold',
        'R17 forget',
        'R18 hold',
      ]) {
        expect(seen.get(rule) ?? 0, rule).toBeGreaterThanOrEqual(Math.floor(count / 20_000));
      }
    },
    75 * 60_000,
  );

  it('gives the same run for the same seed', async () => {
    const few = Math.min(count, 500);
    const once = await proveConvergence(4711, few);
    const again = await proveConvergence(4711, few);
    expect([...again.seen]).toEqual([...once.seen]);
    expect(again.rounds).toEqual(once.rounds);
  });
});
