import type { DiskTraits } from '../../src/testing/fs/simulated-disk.js';
import { errorsOf, FEW_SYNCS, isSame, lostOf, onBothDisks, showPicture, SYNCS } from './fault-judge.js';
import { FaultyMachine } from './faulty-machine.js';
import type { Scenario } from './scenarios.js';
import type { Picture } from './world.js';

const CODES = ['EIO', 'ENOSPC', 'EMFILE', 'EACCES', 'EROFS'] as const;

/** Enough to see what is wrong. */
const MOST_SHOWN = 5;

/** One operation of the disk that fails. */
interface Fault {
  readonly scenario: Scenario;
  readonly traits: DiskTraits;
  readonly reference: Picture;
  readonly n: number;
  readonly code: (typeof CODES)[number];
  /** All operations after it fail as well. */
  readonly sticky: boolean;
}

/** Every operation of every scenario, failing with every code; and with all after it, with the codes in turn. */
async function allFaults(scenarios: readonly Scenario[]): Promise<Fault[]> {
  const faults: Fault[] = [];
  for (const [scenario, traits] of onBothDisks(scenarios)) {
    const clean = await FaultyMachine.set(scenario, traits);
    const begin = clean.disk.operations;
    await clean.sync();
    const count = clean.disk.operations - begin;
    const reference = await clean.picture();
    const operations = Array.from({ length: count }, (_, i) => i + 1);
    for (const code of CODES) {
      for (const n of operations) faults.push({ scenario, traits, reference, n, code, sticky: false });
    }
    for (const n of operations) {
      faults.push({ scenario, traits, reference, n, code: CODES[n % CODES.length] ?? 'EIO', sticky: true });
    }
  }
  return faults;
}

/** Runs the scenario with one fault; answers what is wrong, in sentences. */
async function failAt({ scenario, traits, reference, n, code, sticky }: Fault): Promise<string[]> {
  const machine = await FaultyMachine.set(scenario, traits);
  machine.disk.failNth(n, code, { sticky });
  const result = await machine.sync().catch((error: unknown) => error as Error);
  machine.disk.fault = undefined;
  const wrong = await lostOf(machine, scenario, 'after the failure');
  if (!(result instanceof Error) && errorsOf(result).length === 0 && !isSame(await machine.picture(), reference)) {
    wrong.push(`it said that all was done, but ${showPicture(await machine.picture())}`);
  }
  try {
    const next = await machine.sync();
    wrong.push(...errorsOf(next).map((problem) => `the next run had a problem: ${problem}`));
    if (next.rebuilt) wrong.push('the memory was rebuilt');
  } catch (error) {
    wrong.push(`the next run failed: ${String(error)}`);
  }
  wrong.push(...(await lostOf(machine, scenario, 'after the next run')));
  wrong.push(...machine.leftovers().map((each) => `left behind: ${each}`));
  if (!isSame(await machine.picture(), reference))
    wrong.push(`the next run came to ${showPicture(await machine.picture())}`);
  const quiet = await machine.sync();
  if (quiet.changes.length > 0) wrong.push(`the run after the next changed ${JSON.stringify(quiet.changes)}`);
  return wrong;
}

/**
 * Fails every `stride`-th operation of the disk from `first` on, `count` of them (they go round), in whole syncs; throws for the
 * first after which a run said falsely that all was done, lost a version, or was not made good by the next run.
 */
export async function proveIoErrors(
  first: number,
  count: number,
  stride: number,
  isShort = false,
): Promise<{ readonly faults: number }> {
  const faults = await allFaults(isShort ? FEW_SYNCS : SYNCS);
  const failures: string[] = [];
  const tried = Math.min(count, Math.ceil(faults.length / stride));
  for (let i = 0; i < tried && failures.length < MOST_SHOWN; i++) {
    const fault = faults[(first + i * stride) % faults.length];
    if (fault === undefined) continue;
    const wrong = await failAt(fault);
    if (wrong.length === 0) continue;
    const { scenario, traits, n, code, sticky } = fault;
    failures.push(
      `${scenario.name}, ${JSON.stringify(traits)}: ${code} in operation ${n}${sticky ? ' and all after it' : ''}:\n  ${wrong.join('\n  ')}`,
    );
  }
  if (failures.length > 0) throw new Error(`${failures.length} failures at least:\n${failures.join('\n')}`);
  return { faults: tried };
}
