import { createHash, hash } from 'node:crypto';
import { S3ConnectionError } from '../../errors.js';
import { combinedEtag } from './combined-etag.js';
import { isDamage } from './damage.js';
import { etagCondition, type EtagForm } from './dialect.js';
import { endUnlessRefused, ProbeEnded, RaceUndecided } from './probe-ended.js';
import { SHA256_HEADER, type Answer } from './s3-api.js';
import type { Scratch } from './scratch.js';
import type { ScratchName } from './scratch-key.js';
import { isTransientFailure } from './service-error.js';

/**
 * One thing to find out of a store: whether it does what it should. A question sees to it that what it needs stands there,
 * so that it can be asked again alone, and throws when an answer was lost.
 *
 * @param isCalm - whether no answer was lost so far in this trial.
 */
export type Question = (scratch: Scratch, isCalm: () => boolean) => Promise<boolean>;

type Headers = Readonly<Record<string, string>>;

/** As many as show a window between check and write, and as few as no store takes for an attack. */
const RACERS = 6;

/** How often they race where those who lose may have been overwhelmed instead. */
const RACES = 2;

/** A range of what stands at the source of the copies, which is `source`. */
const PROBED_RANGE = [1, 4] as const;
const PROBED_TEXT = 'our';

const WRONG_ETAG = '00000000000000000000000000000000';

const IF_NONE: Headers = { 'if-none-match': '*' };

export const etagIsMd5: Question = async (scratch) => {
  await scratch.fill('a', 'one');
  return (await scratch.etagAt('a')) === md5Of('one');
};

/** Whether something new may be made under a condition. */
export const createPasses: Question = async (scratch) => {
  await scratch.empty('b');
  return acts(scratch.put('b', 'fresh', IF_NONE));
};

/** `If-None-Match: *` on PUT. */
export const putCreate: readonly Question[] = [
  async (scratch) => {
    await scratch.fill('a');
    return leaves(scratch, 'a', () => acts(scratch.put('a', 'two', IF_NONE)));
  },
  (scratch, isCalm) =>
    oneWins(scratch, 'c', isCalm, async () => {
      await scratch.empty('c');
      return IF_NONE;
    }),
];

/** `If-Match` on PUT. */
export const putReplace = (form: EtagForm): readonly Question[] => [
  async (scratch) => {
    await scratch.fill('a');
    return leaves(scratch, 'a', () => acts(scratch.put('a', `other-${form}`, mismatching(form))));
  },
  async (scratch) => {
    await scratch.empty('c');
    return leaves(scratch, 'c', () => acts(scratch.put('c', `absent-${form}`, mismatching(form))));
  },
  async (scratch) => {
    await scratch.fill('a');
    return acts(scratch.put('a', `right-${form}`, await matching(scratch, form)));
  },
  async (scratch, isCalm) => {
    await scratch.fill('a');
    return oneWins(scratch, 'a', isCalm, () => matching(scratch, form));
  },
];

/** `If-None-Match: *` on the completion of an upload. */
export const completeCreate: readonly Question[] = [
  async (scratch) => {
    await scratch.fill('a');
    return leaves(scratch, 'a', () => scratch.complete('a', 'parts', IF_NONE));
  },
  // The condition must not refuse what it should let pass.
  async (scratch) => {
    await scratch.empty('b');
    return scratch.complete('b', 'fresh parts', IF_NONE);
  },
];

/** `If-Match` on the completion of an upload. */
export const completeReplace = (form: EtagForm): readonly Question[] => [
  async (scratch) => {
    await scratch.fill('a');
    return leaves(scratch, 'a', () => scratch.complete('a', `parts-${form}`, mismatching(form)));
  },
  async (scratch) => {
    await scratch.empty('c');
    return leaves(scratch, 'c', () => scratch.complete('c', `parts-absent-${form}`, mismatching(form)));
  },
  async (scratch) => {
    await scratch.fill('a');
    return scratch.complete('a', `parts-right-${form}`, await matching(scratch, form));
  },
];

export const partsMakeEtag: Question = async (scratch) => {
  await scratch.empty('c');
  await scratch.complete('c', 'parts', {});
  return (await scratch.etagAt('c')) === combinedEtag([createHash('md5').update('parts').digest()]);
};

/** Whether a part is taken that is the one whose SHA-256 came with it, and refused when it is not. */
export const checksSha256: readonly Question[] = [
  async (scratch) => {
    const right = await partAnnouncedAs(scratch, 'part');
    return !isForbidden(right) && acts(right);
  },
  async (scratch) => {
    const wrong = await partAnnouncedAs(scratch, 'another part');
    if (!wrong.ok && isDamage(wrong.failure)) return true;
    return !isForbidden(wrong) && !(await acts(wrong));
  },
];

function partAnnouncedAs(scratch: Scratch, text: string): Promise<Answer<string>> {
  return scratch.sendPart('c', 'part', { [SHA256_HEADER]: hash('sha256', text) });
}

/** Some take a digest that does not fit for a wrong signature: by that nobody could tell damage from wrong credentials. */
function isForbidden(answer: Answer<unknown>): boolean {
  return !answer.ok && answer.failure.status === 403;
}

/** A condition on the source of a copy. */
export const copySource = (form: EtagForm): readonly Question[] => [
  async (scratch) => {
    await scratch.fill('a', 'source');
    await scratch.empty('b');
    return leaves(scratch, 'b', () => acts(scratch.copyTo('b', etagCondition(form, WRONG_ETAG))));
  },
  async (scratch) => {
    await scratch.fill('a', 'source');
    const etag = (await scratch.etagAt('a')) ?? '';
    return acts(scratch.copyTo('b', etagCondition(form, etag)));
  },
];

/**
 * Whether a range of one object becomes a part of another, with its MD5 for an ETag, and nothing else happens.
 * The condition on the source need not be honoured: the MD5 says what was copied. Where it is honoured, it must let the right one pass.
 */
export const copyPart =
  (sourceForm: EtagForm): Question =>
  async (scratch) => {
    await scratch.fill('a', 'source');
    await scratch.fill('b', 'in the way');
    const before = [await scratch.etagAt('a'), await scratch.etagAt('b')];
    // A document that is not the expected one is an answer as well: this store does not know the call.
    const copied = await scratch
      .copyPart('b', etagCondition(sourceForm, before[0] ?? ''), PROBED_RANGE)
      .catch((error: unknown) => {
        if (error instanceof S3ConnectionError && error.code === 'ERR_S3_BAD_ANSWER') return undefined;
        throw error;
      });
    if (copied?.ok === false) endUnlessRefused(copied.failure);
    const isRight = copied?.ok === true && copied.value === md5Of(PROBED_TEXT);
    return isRight && (await scratch.etagAt('a')) === before[0] && (await scratch.etagAt('b')) === before[1];
  };

/** `If-None-Match: *` on a copy. */
export const copyCreate: readonly Question[] = [
  async (scratch) => {
    await scratch.fill('a', 'source');
    await scratch.fill('b', 'in the way');
    return leaves(scratch, 'b', () => acts(scratch.copyTo('b', undefined, IF_NONE)));
  },
  async (scratch) => {
    await scratch.fill('a', 'source');
    await scratch.empty('b');
    return acts(scratch.copyTo('b', undefined, IF_NONE));
  },
];

/** `If-Match` on GET. */
export const read = (form: EtagForm): readonly Question[] => [
  async (scratch) => {
    await scratch.fill('a');
    const answer = await scratch.read('a', await matching(scratch, form));
    if (!answer.ok && isTransientFailure(answer.failure)) throw new ProbeEnded(answer.failure);
    return answer.ok;
  },
];

/** `If-Match` on DELETE. */
export const remove = (form: EtagForm): readonly Question[] => [
  async (scratch) => {
    await scratch.fill('a');
    return leaves(scratch, 'a', () => acts(scratch.remove('a', mismatching(form))));
  },
  async (scratch) => {
    await scratch.fill('a');
    const acted = await acts(scratch.remove('a', await matching(scratch, form)));
    return acted && (await scratch.etagAt('a')) === null;
  },
];

/** Whether a change took effect. A refusal is an answer to that; a failure of the service is none. */
async function acts(change: Promise<Answer<unknown>> | Answer<unknown>): Promise<boolean> {
  const answer = await change;
  if (!answer.ok) endUnlessRefused(answer.failure);
  return answer.ok;
}

/** Whether what stands at a key is still the same after something that had to fail. */
async function leaves(scratch: Scratch, name: ScratchName, attempt: () => Promise<boolean>): Promise<boolean> {
  const before = await scratch.etagAt(name);
  const acted = await attempt();
  const isSame = (await scratch.etagAt(name)) === before;
  if (!acted && !isSame) scratch.forget(name);
  return !acted && isSame;
}

/**
 * Several at once under one condition: a store that checks before it writes lets more than one through. Some answer those
 * who lose with an error of their own (Ceph: 500), which says nothing alone: then what the winner wrote has to stand, twice.
 * Where answers were lost elsewhere, too, such an error may as well hide another winner.
 */
async function oneWins(
  scratch: Scratch,
  name: ScratchName,
  isCalm: () => boolean,
  condition: () => Promise<Headers>,
): Promise<boolean> {
  for (let race = 1; race <= RACES; race++) {
    const texts = Array.from({ length: RACERS }, (_, i) => `racer ${race}.${i}`);
    const answers = await scratch.race(name, texts, await condition());
    const winners = answers.filter((answer) => answer.ok);
    if (winners.length > 1) return false;
    const failures = answers.flatMap((answer) => (answer.ok ? [] : [answer.failure]));
    const lost = failures.filter(isTransientFailure);
    for (const failure of failures) if (!lost.includes(failure)) endUnlessRefused(failure);
    const [winner] = winners;
    if (lost.length === 0) return winner !== undefined;
    if (winner === undefined || !isCalm()) throw new RaceUndecided();
    if ((await scratch.etagAt(name)) !== winner.value) return false;
  }
  return true;
}

async function matching(scratch: Scratch, form: EtagForm): Promise<Headers> {
  return { 'if-match': etagCondition(form, (await scratch.etagAt('a')) ?? '') ?? '' };
}

function mismatching(form: EtagForm): Headers {
  return { 'if-match': etagCondition(form, WRONG_ETAG) ?? '' };
}

function md5Of(text: string): string {
  return createHash('md5').update(text).digest('hex');
}
