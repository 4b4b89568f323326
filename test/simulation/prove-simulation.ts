import { generateScenario } from './generate-scenario.js';
import { describeScenario, type Scenario } from './scenario.js';
import { shrink } from './shrink.js';
import { simulate } from './simulate.js';

/** `FILECLOUDSYNC_SHRINK=0`: a failing run is told as it is, which takes no time. */
const SHRINKS = process.env['FILECLOUDSYNC_SHRINK'] !== '0';

/** What many runs came to. */
export interface SimulationProof {
  readonly runs: number;
  readonly versions: number;
  readonly crashes: number;
  readonly cycles: number;
  readonly touchedCycles: number;
  readonly polls: number;
  readonly knownPolls: number;
  readonly requests: number;
  readonly steps: number;
}

/** A seed whose run broke a promise, with the smallest scenario found that still does. */
export class FailingRun extends Error {
  readonly seed: number;

  constructor(seed: number, violations: readonly string[], small: Scenario, recent: readonly string[]) {
    super(
      `seed ${seed}: ${violations.join('\n')}\n` +
        `The smallest scenario found that fails the same way (give it to simulate() in a test):\n${describeScenario(small)}\n` +
        `Its last steps: ${recent.slice(-40).join(' | ')}`,
    );
    this.name = 'FailingRun';
    this.seed = seed;
  }
}

const SUMMED = ['versions', 'crashes', 'cycles', 'touchedCycles', 'polls', 'knownPolls', 'requests', 'steps'] as const;

/**
 * Simulates `count` whole runs, the n-th from the seed `first + n * stride`; the same arguments give the same runs.
 *
 * @throws FailingRun for the first run that breaks a promise.
 */
export async function proveSimulation(first: number, count: number, stride = 1): Promise<SimulationProof> {
  const sums = {
    runs: 0,
    versions: 0,
    crashes: 0,
    cycles: 0,
    touchedCycles: 0,
    polls: 0,
    knownPolls: 0,
    requests: 0,
    steps: 0,
  };
  for (let i = 0; i < count; i++) {
    const seed = first + i * stride;
    const scenario = generateScenario(seed);
    const result = await simulate(scenario);
    if (result.violations.length > 0) {
      const small = SHRINKS ? await shrink(scenario, failureOf) : scenario;
      const { violations, recent } = await simulate(small);
      throw new FailingRun(seed, violations, small, recent);
    }
    sums.runs++;
    for (const name of SUMMED) sums[name] += result[name];
    // Whoever runs this gets a turn: the runs themselves never leave the queue of microtasks.
    if (i % 64 === 63) await new Promise((resolve) => setImmediate(resolve));
  }
  return sums;
}

/** The kind of a failure: its first words, without names, contents and numbers. */
async function failureOf(scenario: Scenario): Promise<string | undefined> {
  const { violations } = await simulate(scenario);
  return violations[0]
    ?.split(/[:\n]/, 1)[0]
    ?.replaceAll(/\bm\d\b|".*"|\d+/g, '…')
    .slice(0, 60);
}
