import { readFileSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SeededRandom } from '../../src/testing/simulation/seeded-random.js';
import { CrashLab, type Reference } from './crash-lab.js';
import { inLanes, killAll, referencesOf, type Kill } from './enumerate.js';
import { SCENARIOS, type Scenario } from './scenarios.js';

const LIST = new URL('./failpoints.json', import.meta.url);
const isLong = process.env['FILECLOUDSYNC_LONG'] === '1';
const seed = Number(process.env['FILECLOUDSYNC_SEED'] ?? 1);

/** `FILECLOUDSYNC_SCENARIOS`: only those whose names match. */
const wanted = new RegExp(process.env['FILECLOUDSYNC_SCENARIOS'] ?? '');
/** One scenario of each kind of operation; the long form takes them all. */
const CHOSEN = SCENARIOS.filter(({ name, dangers }) => wanted.test(name) && (isLong || dangers !== undefined));
/** Beside those at the dangerous steps. */
const SINGLE_KILLS = 12;
const DOUBLE_KILLS = Number(process.env['FILECLOUDSYNC_DOUBLE_KILLS'] ?? (isLong ? 150 : 2));

let lab: CrashLab;
let references: ReadonlyMap<Scenario, Reference>;

beforeAll(async () => {
  lab = await CrashLab.open();
  references = await referencesOf(lab, CHOSEN);
}, 300_000);
afterAll(() => lab.close());

/** Every step of every scenario, once. */
function everyKill(): Kill[] {
  return [...references].flatMap(([scenario, reference]) =>
    reference.steps.map((step): Kill => ({ scenario, reference, steps: [step] })),
  );
}

function dangerousKills(): Kill[] {
  return everyKill().filter(({ scenario, steps }) => steps.every((step) => scenario.dangers?.includes(step)));
}

/**
 * Taken as often as there are pieces in which the network brings a content, or groups in which rows come together in time: each is
 * killed at, and the list says that there are some.
 */
const IS_PIECEMEAL = /^(?:fs:write \.filecloudsync\/tmp\/\*|db:batch b\((?:put|del)\))$/;

/** How often each step is taken, in order of their names. */
function countsOf(steps: readonly string[]): Readonly<Record<string, number | 'some'>> {
  const counts: Record<string, number | 'some'> = {};
  for (const step of steps.toSorted()) {
    const name = step.replace(/ #\d+$/, '');
    const before = counts[name] ?? 0;
    counts[name] = before === 'some' || IS_PIECEMEAL.test(name) ? 'some' : before + 1;
  }
  return counts;
}

function sample<T>(items: readonly T[], count: number, random: SeededRandom): T[] {
  const left = [...items];
  return Array.from({ length: Math.min(count, left.length) }, () => left.splice(random.below(left.length), 1)).flat();
}

/** Kills the run that goes on after a kill, too: its steps are found by letting one such run end. */
async function doubleKills(random: SeededRandom): Promise<Kill[]> {
  const doubles: Kill[] = [];
  // Drawn beforehand: which of them ends first must not matter.
  const chosen = sample(everyKill(), DOUBLE_KILLS, random).map((kill) => ({ kill, random: random.fork() }));
  await inLanes(chosen, async ({ kill: { scenario, reference, steps }, random: own }) => {
    const recovery = await lab.kill(scenario, steps, reference, { traced: true });
    if (recovery.type === 'right')
      doubles.push({ scenario, reference, steps: [...steps, ...sample(recovery.steps, 1, own)] });
  });
  return doubles;
}

describe('kill -9', () => {
  it('has a failpoint for every durable step', () => {
    const found = Object.fromEntries([...references].map(([{ name }, { steps }]) => [name, countsOf(steps)]));
    const listed = JSON.parse(readFileSync(LIST, 'utf8')) as typeof found;
    if (process.env['FILECLOUDSYNC_WRITE_FAILPOINTS'] === '1') {
      writeFileSync(LIST, `${JSON.stringify({ ...listed, ...found }, undefined, 1)}\n`);
      return;
    }
    for (const [name, steps] of Object.entries(found)) {
      expect(
        listed[name],
        `${name}: look at the new steps, then write the list with FILECLOUDSYNC_WRITE_FAILPOINTS=1`,
      ).toEqual(steps);
    }
    const dangers = [...references.keys()].flatMap((scenario) => scenario.dangers ?? []);
    expect(dangerousKills(), 'a dangerous step is not taken any more').toHaveLength(dangers.length);
    expect(Object.keys(listed).toSorted()).toEqual(SCENARIOS.map(({ name }) => name).toSorted());
  });

  it(
    `at any step loses nothing, needs no help and leaves nothing behind (seed ${seed})`,
    { timeout: 3_600_000 },
    async () => {
      const kills = isLong
        ? everyKill()
        : [...dangerousKills(), ...sample(everyKill(), SINGLE_KILLS, new SeededRandom(seed))];
      const report = await killAll(lab, kills);
      if (isLong)
        console.log(
          `N3: ${report.kills} kills in ${references.size} scenarios, ${report.failures.length} failures, ${report.missed.length} steps not reached`,
        );
      expect(report.failures).toEqual([]);
      expect(report.missed.length).toBeLessThanOrEqual(kills.length / 50);
    },
  );

  it(`of the run that follows a kill does no harm either (seed ${seed})`, { timeout: 3_600_000 }, async () => {
    const kills = await doubleKills(new SeededRandom(seed));
    const report = await killAll(lab, kills);
    if (isLong) console.log(`N3: ${report.kills} kills of the run after a kill, ${report.failures.length} failures`);
    expect(report.failures).toEqual([]);
    expect(report.kills).toBeGreaterThan(0);
  });
});
