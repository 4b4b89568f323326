import type { Md5OfPlace, PartPlace, VersionBefore } from './version-before.js';

/** How parts are copied from the version before, and what tells whether they are the ones that are wanted. */
export interface PartCopying<Copy> {
  /** So many are judged together while the next are copied. With one, each is judged before the next is copied. */
  readonly together: number;
  /** Copies what is at a place; `undefined` where not all of the part is there. */
  copy(place: PartPlace): Promise<Copy | undefined>;
  /** Keeps each copy that is the part that is wanted; answers of each whether it is. */
  keepRight(copies: readonly Copy[]): Promise<readonly boolean[]>;
  /** The MD5 of a part at a place, without copying it; `undefined` where not all of it is there. */
  readonly md5Of: Md5OfPlace;
}

/** A part that is tried at its likely place, or at the other one. */
interface Trial {
  readonly place: PartPlace;
  readonly isSecond: boolean;
}

/** Takes what is in the version before of these parts, and gives those that are not, which have to be fetched. */
export async function* partsNotBefore<Copy>(
  before: VersionBefore,
  parts: readonly number[],
  work: PartCopying<Copy>,
): AsyncGenerator<number, void> {
  const untried = parts.values();
  // Where a part was moved to is found out before others are tried in vain.
  const again: Trial[] = [];
  const missing: number[] = [];
  const nextTrials = (): Trial[] => {
    const trials = again.splice(0, work.together);
    while (trials.length < work.together) {
      const { value: part } = untried.next();
      if (part === undefined) break;
      trials.push({ place: before.likelyPlace(part), isSecond: false });
    }
    return trials;
  };
  const notFound = async ({ place, isSecond }: Trial): Promise<void> => {
    const other = isSecond ? undefined : await before.otherPlace(place, work.md5Of);
    if (other === undefined) missing.push(place.part);
    else again.push({ place: other, isSecond: true });
  };
  const judge = async (trials: readonly Trial[], copies: readonly (Copy | undefined)[]): Promise<void> => {
    const made = copies.filter((copy) => copy !== undefined);
    const isRight = (await work.keepRight(made)).values();
    for (const [i, trial] of trials.entries()) {
      if (copies[i] !== undefined && isRight.next().value === true) before.found(trial.place);
      else await notFound(trial);
    }
  };
  let judging = Promise.resolve();
  try {
    for (;;) {
      const trials = nextTrials();
      const copies: (Copy | undefined)[] = [];
      for (const { place } of trials) copies.push(await work.copy(place));
      await judging;
      if (trials.length > 0) {
        judging = judge(trials, copies);
        // Met when it is waited for, whatever else fails before.
        judging.catch(() => undefined);
        if (work.together === 1) await judging;
      }
      yield* missing.splice(0);
      if (trials.length === 0 && again.length === 0) return;
    }
  } finally {
    // Nobody reads the copies any more when their file is closed.
    await judging.catch(() => undefined);
  }
}
