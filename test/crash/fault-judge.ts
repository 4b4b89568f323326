import type { DiskTraits } from '../../src/testing/fs/simulated-disk.js';
import type { CycleResult } from '../../src/session/result.js';
import { type FaultyMachine, scaled } from './faulty-machine.js';
import { SCENARIOS, type Scenario } from './scenarios.js';
import type { Picture } from './world.js';

/** Scenarios in which a sync is all that happens, and no person does anything meanwhile: those that a machine in memory can run. */
export const SYNCS: readonly Scenario[] = SCENARIOS.filter(
  ({ command, between }) => command === undefined && between === undefined,
);

/** One scenario of each kind, without those of six MiB: what the short forms take. */
export const FEW_SYNCS: readonly Scenario[] = SYNCS.filter(
  ({ name, dangers }) => dangers !== undefined && !/in parts|large/.test(name),
);

/** Each scenario on a disk where files are made step by step, and on one where another thread makes those that are small. */
export function onBothDisks(scenarios: readonly Scenario[]): [Scenario, DiskTraits][] {
  return scenarios.flatMap((scenario): [Scenario, DiskTraits][] => [
    [scenario, {}],
    [scenario, { makesMany: true }],
  ]);
}

/** Says which versions are nowhere any more. */
export async function lostOf(machine: FaultyMachine, { kept }: Scenario, when: string): Promise<string[]> {
  const contents = await machine.contents();
  return kept
    .map(scaled)
    .filter((content) => !contents.has(content))
    .map((content) => `${when} a version is lost: ${content.slice(0, 60)}`);
}

/** The problems of a cycle, in words. */
export function errorsOf({ problems }: CycleResult): string[] {
  return problems.map(({ code, message }) => `${code}: ${message}`);
}

/** Whether both sides are as they should be, and the trash holds at least what it should. */
export function isSame(found: Picture, wanted: Picture): boolean {
  return (
    showPicture({ ...found, trash: [] }) === showPicture({ ...wanted, trash: [] }) &&
    wanted.trash.every((content) => found.trash.includes(content))
  );
}

/** A picture as text. */
export function showPicture(picture: Picture): string {
  return JSON.stringify(picture, undefined, 1);
}
