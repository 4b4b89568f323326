/** The keys of the objects that questions of a trial are asked with. */
export type ScratchKeys = Readonly<Record<ScratchName, string>>;

export type ScratchName = 'a' | 'b' | 'c';

/**
 * The keys of a set.
 *
 * @param base - beginning of all keys of the trial.
 * @param set - from 1.
 */
export function scratchKeys(base: string, set: number): ScratchKeys {
  const begin = `${base}-${set}-`;
  return { a: `${begin}a`, b: `${begin}b`, c: `${begin}c` };
}
