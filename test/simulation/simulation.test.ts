import { describe, expect, it } from 'vitest';
import { generateScenario } from './generate-scenario.js';
import { proveSimulation } from './prove-simulation.js';
import { simulate } from './simulate.js';

/** `FCS_N2`: how many seeds; `FCS_SEED`: the first one. The long form is `npm run prove -- n2`. */
const COUNT = Number(process.env['FCS_N2'] ?? 1000);
const FIRST_SEED = Number(process.env['FCS_SEED'] ?? 1);

describe('simulate', () => {
  it(
    `keeps every version through ${COUNT} runs with crashes, faults and concurrent writers`,
    { timeout: 600_000 },
    async () => {
      const { versions, crashes, requests, touchedCycles } = await proveSimulation(FIRST_SEED, COUNT);
      if (COUNT < 100) return;
      // Runs in which nobody wrote or nothing crashed would prove nothing.
      expect(versions).toBeGreaterThan(COUNT * 5);
      expect(crashes).toBeGreaterThan(COUNT);
      expect(touchedCycles).toBeGreaterThan(COUNT);
      expect(requests).toBeGreaterThan(COUNT * 30);
    },
  );

  it('comes to rest with a time of the future, where the store says nothing of the content of large objects', async () => {
    const machine = {
      conflict: 'newest',
      readonly: false,
      watch: false,
      concurrency: 1,
      noHardLinks: false,
      touched: 0,
    } as const;
    const { violations } = await simulate({
      seed: 20_261_128,
      dialect: 'seaweedfs-3.97',
      probe: 'before',
      partSizeBytes: 24,
      pageKeys: 1000,
      provesRest: true,
      machines: [
        { ...machine, skewMs: 118_947_661_703.601_49, granularityMs: 1000 },
        { ...machine, skewMs: 0, granularityMs: 0 },
      ],
      acts: [{ ms: 274, act: 'write', at: 0, path: 'ż', how: 'replace', size: 'parts', time: 'now' }],
      crashes: [],
      diskFaults: [],
      networkFaults: [],
    });
    expect(violations).toEqual([]);
  });

  it('replays a seed to the same trace', async () => {
    for (const seed of [3, 7, 11, 12]) {
      const [first, second] = [await simulate(generateScenario(seed)), await simulate(generateScenario(seed))];
      expect(second, `seed ${seed}`).toEqual(first);
    }
    const other = await simulate(generateScenario(4));
    expect(other.traceHash).not.toBe((await simulate(generateScenario(3))).traceHash);
  });
});
