import { describe, expect, it } from 'vitest';
import type { CycleResult } from '../../src/session/result.js';
import { FaultyMachine } from './faulty-machine.js';
import { SCENARIOS, type Scenario } from './scenarios.js';
import type { Picture } from './world.js';

const isLong = process.env['FILECLOUDSYNC_LONG'] === '1';

/** Those in which a sync is all that happens, and no person does anything meanwhile. */
const SYNCS = SCENARIOS.filter(({ command, between }) => command === undefined && between === undefined);
/** Every failure costs four runs: the short form takes one scenario of each kind, without those of six MiB. */
const CHOSEN = SYNCS.filter(({ name, dangers }) => isLong || (dangers !== undefined && !/in parts|large/.test(name)));

const CODES = ['EIO', 'ENOSPC', 'EMFILE', 'EACCES', 'EROFS'];
/** The short form fails every operation once, with one code after the other; the long form with every code. */
const STRIDE = isLong ? 1 : CODES.length;

interface Fault {
  readonly n: number;
  readonly code: string;
  /** All operations after it fail as well. */
  readonly sticky: boolean;
}

/** Runs the scenario with one fault; answers what is wrong, or `undefined` when the run ended before the n-th operation. */
async function failAt(
  scenario: Scenario,
  { n, code, sticky }: Fault,
  reference: Picture,
): Promise<string[] | undefined> {
  const machine = await FaultyMachine.set(scenario);
  const begin = machine.disk.operations;
  machine.disk.failNth(n, code, { sticky });
  const result = await machine.sync().catch((error: unknown) => error as Error);
  const wasReached = machine.disk.operations - begin >= n;
  machine.disk.fault = undefined;
  if (!wasReached) return undefined;
  const wrong = await lost(machine, scenario, 'after the failure');
  if (!(result instanceof Error) && errorsOf(result).length === 0 && !same(await machine.picture(), reference)) {
    wrong.push(`it said that all was done, but ${show(await machine.picture())}`);
  }
  try {
    const next = await machine.sync();
    wrong.push(...errorsOf(next).map((problem) => `the next run had a problem: ${problem}`));
    if (next.rebuilt) wrong.push('the memory was rebuilt');
  } catch (error) {
    wrong.push(`the next run failed: ${String(error)}`);
  }
  wrong.push(...(await lost(machine, scenario, 'after the next run')));
  wrong.push(...machine.leftovers().map((each) => `left behind: ${each}`));
  if (!same(await machine.picture(), reference)) wrong.push(`the next run came to ${show(await machine.picture())}`);
  const quiet = await machine.sync();
  if (quiet.changes.length > 0) wrong.push(`the run after the next changed ${JSON.stringify(quiet.changes)}`);
  return wrong;
}

async function lost(machine: FaultyMachine, { kept }: Scenario, when: string): Promise<string[]> {
  const contents = await machine.contents();
  return kept
    .filter((content) => !contents.has(content))
    .map((content) => `${when} a version is lost: ${content.slice(0, 60)}`);
}

function errorsOf({ problems }: CycleResult): string[] {
  return problems.map(({ code, message }) => `${code}: ${message}`);
}

function same(found: Picture, wanted: Picture): boolean {
  return (
    show({ ...found, trash: [] }) === show({ ...wanted, trash: [] }) &&
    wanted.trash.every((content) => found.trash.includes(content))
  );
}

function show(picture: Picture): string {
  return JSON.stringify(picture, undefined, 1);
}

describe.each(CODES)('a disk whose n-th operation fails with %s', (code) => {
  const first = isLong ? 1 : 1 + CODES.indexOf(code);
  it.each(CHOSEN.map((scenario) => [scenario.name, scenario] as const))(
    'is not taken for a synchronised one: %s',
    { timeout: 600_000 },
    async (_name, scenario) => {
      const clean = await FaultyMachine.set(scenario);
      await clean.sync();
      const reference = await clean.picture();
      const failures: string[] = [];
      let count = 0;
      for (const sticky of isLong ? [false, true] : [CODES.indexOf(code) % 2 === 1]) {
        for (let n = first; ; n += STRIDE) {
          const wrong = await failAt(scenario, { n, code, sticky }, reference);
          if (wrong === undefined) break;
          count += 1;
          if (wrong.length > 0)
            failures.push(`operation ${n}${sticky ? ' and all after it' : ''}:\n  ${wrong.join('\n  ')}`);
        }
      }
      expect(failures.slice(0, 5)).toEqual([]);
      expect(count).toBeGreaterThan(30 / STRIDE);
    },
  );
});
