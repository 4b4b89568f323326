import type { Clock } from '../../core/runtime.js';
import type { Backoff } from '../wrap/backoff.js';
import type { Patience } from './clear-scratch.js';
import type { Dialect, EtagForm } from './dialect.js';
import { ProbeEnded, RaceUndecided } from './probe-ended.js';
import * as questions from './probe-questions.js';
import type { Question } from './probe-questions.js';
import { Scratch, type ScratchTools } from './scratch.js';
import { failureError, isTransientFailure, isWorthRepeating, type ServiceFailure } from './service-error.js';
import { isTransientError } from './wrap/retry.js';

/** What the probe found, or why it could not find it. */
export type ProbeResult = (
  | { readonly finished: true; readonly dialect: Dialect }
  | { readonly finished: false; readonly reason: string }
) & {
  /** All that was made is removed. */
  readonly isClear: boolean;
};

/** What {@link probeStore} works with. */
export interface ProbeTools extends ScratchTools {
  readonly backoff: Backoff;
  readonly clock: Clock;
}

/** How often a question is asked: of races of which one request in five fails, three in five are void. */
const TRIES = 20;
/** How often at least, and how long a trial takes before it is content with that. */
const LEAST_TRIES = 3;
const PATIENCE_MS = 60_000;
/** The wait before a question is asked again grows so many times. */
const GROWING_WAITS = 3;
const AT_ONCE: Patience = { attempts: 1, wait: () => Promise.resolve() };

/**
 * Finds out which conditions a store honours, by trying each on scratch objects: one that must fail and one that must
 * not, and a look at what stands there afterwards, because a 200 proves nothing. An answer that got lost, or a store out of
 * breath, says nothing about conditions: then this one question is asked again, on other keys. Removes all that it made.
 *
 * Cost: 65 to 115 small requests, once for an endpoint and bucket; more where answers get lost.
 *
 * @param base - beginning of the keys that may be used; nobody has used them before.
 */
export async function probeStore(base: string, tools: ProbeTools): Promise<ProbeResult> {
  const scratch = new Scratch(base, tools);
  try {
    const dialect = await probe(scratch, tools);
    return { finished: true, dialect, isClear: await scratch.clear(tools.backoff) };
  } catch (error) {
    const reason = reasonOf(error, tools.api.bucket, base);
    // Nobody waits for what is thrown away: what cannot be removed at once goes in the next run.
    const isClear = await scratch.clear(reason === undefined ? AT_ONCE : tools.backoff);
    if (reason === undefined)
      throw error instanceof ProbeEnded ? errorOf(error.failure, tools.api.bucket, base) : error;
    return { finished: false, reason, isClear };
  }
}

/** Asks questions, each again by itself where answers were lost. */
class Trial {
  readonly #scratch: Scratch;
  readonly #tools: ProbeTools;
  readonly #startedAtMs: number;
  #isCalm = true;

  constructor(scratch: Scratch, tools: ProbeTools) {
    this.#scratch = scratch;
    this.#tools = tools;
    this.#startedAtMs = tools.clock.nowMs();
  }

  /** Whether a store does all of this; what comes after the first that it does not is not asked. */
  async holds(asked: readonly Question[]): Promise<boolean> {
    for (const question of asked) if (!(await this.#ask(question))) return false;
    return true;
  }

  /** The form of an ETag with which a store does all of this. */
  async formOf(asked: (form: EtagForm) => readonly Question[]): Promise<EtagForm> {
    for (const form of ['quoted', 'bare'] as const) if (await this.holds(asked(form))) return form;
    return 'none';
  }

  async #ask(question: Question): Promise<boolean> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await question(this.#scratch, this.#isCalm);
      } catch (error) {
        if (!mayPass(error) || this.#isEnough(attempt)) throw error;
        if (!(error instanceof RaceUndecided)) this.#isCalm = false;
      }
      await this.#tools.backoff.wait(Math.min(attempt, GROWING_WAITS), this.#tools.signal);
      await this.#scratch.renew();
    }
  }

  #isEnough(attempt: number): boolean {
    const isLate = this.#tools.clock.nowMs() - this.#startedAtMs > PATIENCE_MS;
    return attempt >= (isLate ? LEAST_TRIES : TRIES);
  }
}

async function probe(scratch: Scratch, tools: ProbeTools): Promise<Dialect> {
  await scratch.renew();
  const trial = new Trial(scratch, tools);
  const etagIsMd5 = await trial.holds([questions.etagIsMd5]);
  const mayTryCreate = await trial.holds([questions.createPasses]);
  const putCreate = mayTryCreate && (await trial.holds(questions.putCreate));
  const putReplace = await trial.formOf(questions.putReplace);
  // What is not atomic for the simplest of writes is not believed to be for the others.
  const isAtomic = putCreate || putReplace !== 'none';
  const completeCreate = await trial.holds(questions.completeCreate);
  const completeReplace = await trial.formOf(questions.completeReplace);
  const partsMakeEtag = await trial.holds([questions.partsMakeEtag]);
  const checksSha256 = await trial.holds(questions.checksSha256);
  const copySource = await trial.formOf(questions.copySource);
  const copyPart = await trial.holds([questions.copyPart(copySource)]);
  const copyCreate = await trial.holds(questions.copyCreate);
  const read = await trial.formOf(questions.read);
  const remove = await trial.formOf(questions.remove);
  return {
    putCreate,
    putReplace,
    completeCreate: isAtomic && completeCreate,
    completeReplace: isAtomic ? completeReplace : 'none',
    copyCreate: isAtomic && copyCreate,
    // Checked before the copy is made or not at all: the copy is looked at in any case.
    copySource,
    copyPart,
    partsMakeEtag,
    remove: isAtomic ? remove : 'none',
    read,
    etagIsMd5,
    checksSha256,
    mayTryCreate,
  };
}

/** Whether a question may find its answer when it is asked again. */
function mayPass(error: unknown): boolean {
  if (error instanceof ProbeEnded) return isWorthRepeating(error.failure) || error.failure.code === 'NoSuchUpload';
  return error instanceof RaceUndecided || isTransientError(error);
}

/** Why a trial ended, in words; `undefined` when that says nothing about the store, but about credentials, the network or us. */
function reasonOf(error: unknown, bucket: string, path: string): string | undefined {
  if (error instanceof RaceUndecided) return 'the store could not answer';
  if (!(error instanceof ProbeEnded)) return undefined;
  if (isTransientFailure(error.failure)) return 'the store could not answer';
  const isNobodysDialect = errorOf(error.failure, bucket, path).name === 'S3ConnectionError';
  return isNobodysDialect ? undefined : `the store answered ${error.message}`;
}

function errorOf(failure: ServiceFailure, bucket: string, path: string): Error {
  return failureError(failure, { action: 'trying what the store can do', bucket, path });
}
