import type { CrashKeep, DiskTraits } from '../../src/testing/fs/simulated-disk.js';
import { SeededRandom } from '../../src/testing/simulation/seeded-random.js';
import { errorsOf, FEW_SYNCS, isSame, lostOf, onBothDisks, showPicture, SYNCS } from './fault-judge.js';
import { FaultyMachine } from './faulty-machine.js';
import type { Scenario } from './scenarios.js';
import type { Picture } from './world.js';

/** Enough to see what is wrong. */
const MOST_SHOWN = 5;

/** What survives of what was not synced. */
interface Survival {
  readonly words: string;
  readonly keep: (random: SeededRandom) => CrashKeep;
  readonly keptBatches: (random: SeededRandom) => number;
}

/** Low and high numbers in turn. */
function alternating(first: number): () => number {
  let next = first;
  return () => {
    const now = next;
    next = 1 - now;
    return now;
  };
}

const none = (): number => 0;
const all = (): number => Infinity;
const someBatches = (random: SeededRandom): number => random.below(4);

const SURVIVALS: readonly Survival[] = [
  { words: 'nothing that was not synced', keep: () => 'durable', keptBatches: none },
  { words: 'all of the folder, nothing of the memory', keep: () => 'all', keptBatches: none },
  { words: 'nothing of the folder, all of the memory', keep: () => 'durable', keptBatches: all },
  { words: 'every other change of the folder, and all of the memory', keep: () => alternating(0.1), keptBatches: all },
  { words: 'the other half of the changes, nothing of the memory', keep: () => alternating(0.9), keptBatches: none },
  { words: 'some of both', keep: (random) => () => random.next(), keptBatches: someBatches },
];

/** A sync that is cut off before one of its steps. */
interface Place {
  readonly scenario: Scenario;
  readonly traits: DiskTraits;
  readonly reference: Picture;
  readonly step: number;
}

async function allPlaces(scenarios: readonly Scenario[]): Promise<Place[]> {
  const places: Place[] = [];
  for (const [scenario, traits] of onBothDisks(scenarios)) {
    const clean = await FaultyMachine.set(scenario, traits);
    const { steps } = await clean.syncUntilPowerFails(Infinity, 'all', 0);
    const reference = await clean.picture();
    for (let step = 1; step <= steps + 1; step++) places.push({ scenario, traits, reference, step });
  }
  return places;
}

/** Answers what is wrong after the power failed, in sentences, and whether the memory had to be rebuilt. */
async function failAt(
  { scenario, traits, reference, step }: Place,
  { keep, keptBatches }: Survival,
  random: SeededRandom,
): Promise<{ readonly wrong: string[]; readonly rebuilt: boolean }> {
  const machine = await FaultyMachine.set(scenario, traits);
  const { failed } = await machine.syncUntilPowerFails(step, keep(random), keptBatches(random));
  // The step behind the last: everything was done, and nothing of it may go any more.
  if (!failed) machine.losePower(keep(random), keptBatches(random));
  const wrong = await lostOf(machine, scenario, 'after the loss of power');
  if (!failed && !isSame(await machine.picture(), reference))
    wrong.push(`what was said to be done did not last: ${showPicture(await machine.picture())}`);
  let rebuilt = false;
  try {
    const next = await machine.sync();
    rebuilt = next.rebuilt;
    wrong.push(...errorsOf(next).map((problem) => `the next run had a problem: ${problem}`));
  } catch (error) {
    wrong.push(`the next run failed: ${String(error)}`);
  }
  wrong.push(...(await lostOf(machine, scenario, 'after the next run')));
  wrong.push(...machine.leftovers().map((each) => `left behind: ${each}`));
  if (!isSame(await machine.picture(), reference))
    wrong.push(`the next run came to ${showPicture(await machine.picture())}`);
  const quiet = await machine.sync();
  if (quiet.changes.length > 0) wrong.push(`the run after the next changed ${JSON.stringify(quiet.changes)}`);
  return { wrong, rebuilt };
}

/**
 * Cuts the power at every step of whole syncs, on a simulated disk that drops, tears and reorders what was not synced: states
 * `first`, `first + stride`, … of an enumeration that goes round; each number gives the same state each time.
 *
 * @throws for the first states after which a version is lost or torn, or the next run does not come to what was wanted.
 */
export async function provePowerLoss(
  first: number,
  count: number,
  stride: number,
  isShort = false,
): Promise<{ readonly states: number; readonly rebuilt: number }> {
  const places = await allPlaces(isShort ? FEW_SYNCS : SYNCS);
  const failures: string[] = [];
  let rebuilt = 0;
  for (let i = 0; i < count && failures.length < MOST_SHOWN; i++) {
    const state = first + i * stride;
    const place = places[state % places.length];
    const survival = SURVIVALS[Math.floor(state / places.length) % SURVIVALS.length];
    if (place === undefined || survival === undefined) continue;
    const found = await failAt(place, survival, new SeededRandom(state));
    if (found.rebuilt) rebuilt++;
    if (found.wrong.length === 0) continue;
    failures.push(
      `state ${state}: ${place.scenario.name}, ${JSON.stringify(place.traits)}, power lost before step ${place.step}, what lasts: ${survival.words}:\n  ${found.wrong.join('\n  ')}`,
    );
  }
  if (failures.length > 0) throw new Error(`${failures.length} failures at least:\n${failures.join('\n')}`);
  return { states: count, rebuilt };
}
