import type { MachinePlan, Scenario } from './scenario.js';

/** How many runs the search for a smaller scenario may cost. */
const MOST_RUNS = 1500;
/** A smaller scenario runs in another order: it is tried in several. */
const ORDERS = 3;

/** Tells how a scenario fails, in words that stay the same for the same failure; `undefined` when it does not. */
export type FailureOf = (scenario: Scenario) => Promise<string | undefined>;

const PLAIN: Omit<MachinePlan, 'conflict'> = {
  readonly: false,
  skewMs: 0,
  granularityMs: 0,
  watch: false,
  concurrency: 1,
  touched: 0,
  polls: 0,
  noHardLinks: false,
  makesMany: false,
};
const LISTS = ['acts', 'crashes', 'diskFaults', 'networkFaults'] as const;

/** Takes away from a failing scenario what its failure does not need: acts, crashes, faults, machines, oddities of machines and store. */
export async function shrink(scenario: Scenario, failureOf: FailureOf): Promise<Scenario> {
  const failure = await failureOf(scenario);
  if (failure === undefined) return scenario;
  let runs = 0;
  let best = scenario;
  const tries = async (candidate: Scenario): Promise<boolean> => {
    for (let order = 0; order < ORDERS && runs < MOST_RUNS; order++) {
      runs++;
      const tried = order === 0 ? candidate : { ...candidate, seed: candidate.seed + order * 1_000_003 };
      if ((await failureOf(tried)) !== failure) continue;
      best = tried;
      return true;
    }
    return false;
  };
  for (let before = ''; before !== JSON.stringify(best) && runs < MOST_RUNS;) {
    before = JSON.stringify(best);
    for (const list of LISTS) await thin(list, () => best, tries);
    await tries(withoutLastMachine(best));
    for (const [index, machine] of best.machines.entries()) {
      for (const [trait, value] of Object.entries(PLAIN)) {
        if (machine[trait as keyof MachinePlan] === value) continue;
        const machines = best.machines.map((each, i) => (i === index ? { ...each, [trait]: value } : each));
        await tries({ ...best, machines });
      }
    }
    for (const simpler of [
      { dialect: 'aws', probe: 'before' },
      { probe: 'before' },
      { partSizeBytes: 8_388_608 },
      { pageKeys: 1000 },
    ] as const) {
      if (Object.entries(simpler).some(([name, value]) => best[name as keyof Scenario] !== value))
        await tries({ ...best, ...simpler });
    }
  }
  return best;
}

/** Takes away halves of a list, then quarters, down to single items. */
async function thin(
  list: (typeof LISTS)[number],
  best: () => Scenario,
  tries: (candidate: Scenario) => Promise<boolean>,
): Promise<void> {
  for (let size = Math.ceil(best()[list].length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    for (let start = 0; start < best()[list].length;) {
      const items: readonly unknown[] = best()[list];
      const isGone = await tries({ ...best(), [list]: items.toSpliced(start, size) });
      if (!isGone) start += size;
    }
  }
}

function withoutLastMachine(scenario: Scenario): Scenario {
  const last = scenario.machines.length - 1;
  if (last < 1) return scenario;
  const isElsewhere = (item: object): boolean => !('at' in item) || item.at !== last;
  return {
    ...scenario,
    machines: scenario.machines.slice(0, last),
    acts: scenario.acts.filter(isElsewhere),
    crashes: scenario.crashes.filter(isElsewhere),
    diskFaults: scenario.diskFaults.filter(isElsewhere),
    networkFaults: scenario.networkFaults.filter(isElsewhere),
  };
}
