import type { CrashLab, Reference } from './crash-lab.js';
import type { Scenario } from './scenarios.js';

/** One process to kill, or two in a row. */
export interface Kill {
  readonly scenario: Scenario;
  readonly reference: Reference;
  readonly steps: readonly string[];
}

/** What came of many kills. */
export interface KillReport {
  readonly kills: number;
  readonly missed: readonly string[];
  readonly failures: readonly string[];
}

/** How many processes are at work at once. */
const LANES = 2;

/** Runs every scenario once with nobody killed. */
export async function referencesOf(lab: CrashLab, scenarios: readonly Scenario[]): Promise<Map<Scenario, Reference>> {
  const references = new Map<Scenario, Reference>();
  await inLanes(scenarios, async (scenario) => {
    references.set(scenario, await lab.reference(scenario));
  });
  return new Map(scenarios.map((scenario) => [scenario, references.get(scenario) ?? fail(scenario)]));
}

/** Carries out kills, some at a time. A step that is not reached, because requests overlap, is counted apart. */
export async function killAll(
  lab: CrashLab,
  kills: readonly Kill[],
  onKill: (line: string) => void = () => {},
): Promise<KillReport> {
  const failures: string[] = [];
  const missed: string[] = [];
  await inLanes(kills, async ({ scenario, reference, steps }) => {
    const name = `${scenario.name}: ${steps.join(', then ')}`;
    const result = await lab.kill(scenario, steps, reference);
    if (result.type === 'wrong') failures.push(`${name}\n  ${result.wrong.join('\n  ')}`);
    if (result.type === 'missed') missed.push(name);
    onKill(`${result.type} ${name}`);
  });
  return { kills: kills.length - missed.length, missed, failures };
}

/** Does the same for all items, some at a time. */
export async function inLanes<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  const queue = items.values();
  const lane = async (): Promise<void> => {
    for (const item of queue) await work(item);
  };
  await Promise.all(Array.from({ length: LANES }, lane));
}

function fail(scenario: Scenario): never {
  throw new Error(`the scenario "${scenario.name}" did not run`);
}
