import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SeededRandom } from '../../src/testing/simulation/seeded-random.js';
import { CrashLab } from './crash-lab.js';
import { TornLab } from './torn-lab.js';

const seed = Number(process.env['FILECLOUDSYNC_SEED'] ?? 1);

const FILES = 25;
/** Files that have to change while they travel, in each direction. */
const WANTED = Number(process.env['FILECLOUDSYNC_TORN'] ?? 200);
const LARGE_SHARE = 0.02;
const ROUNDS_OF_A_WORLD = 10;

let lab: CrashLab;
beforeAll(async () => {
  lab = await CrashLab.open();
}, 120_000);
afterAll(() => lab.close());

describe.each(['uploads', 'downloads'] as const)('%s of files that change meanwhile', (direction) => {
  it(`carry whole versions only, and end with the last one (seed ${seed})`, { timeout: 3_600_000 }, async () => {
    const random = new SeededRandom(seed);
    const wrong: string[] = [];
    let changed = 0;
    while (changed < WANTED && wrong.length === 0) {
      // What was replaced stays in a trash, which grows: every run has to look through it.
      const world = await lab.world();
      try {
        const torn = new TornLab(world, lab.endpoint, random);
        for (let round = 0; round < ROUNDS_OF_A_WORLD && changed < WANTED && wrong.length === 0; round++) {
          const report = await torn[direction](FILES, LARGE_SHARE);
          changed += report.changedMeanwhile;
          wrong.push(...report.wrong);
        }
      } finally {
        world.dispose();
      }
    }
    console.log(`N9: ${changed} ${direction} of files that changed meanwhile, ${wrong.length} torn or mixed`);
    expect(wrong).toEqual([]);
  });
});
