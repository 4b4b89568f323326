/** The objects of a trial. */
export type ScratchName = 'a' | 'b' | 'c';

export const SCRATCH_NAMES: readonly ScratchName[] = ['a', 'b', 'c'];

/**
 * The key of an object of a trial.
 *
 * @param base - beginning of all keys of the trial.
 * @param set - from 1.
 */
export function scratchKey(base: string, set: number, name: ScratchName): string {
  return `${base}-${set}-${name}`;
}
