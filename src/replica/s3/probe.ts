import type { Clock } from '../../core/runtime.js';
import type { Backoff } from '../wrap/backoff.js';
import type { Patience } from './clear-scratch.js';
import type { Dialect, EtagForm } from './dialect.js';
import { ProbeEnded, RaceUndecided } from './probe-ended.js';
import * as questions from './probe-questions.js';
import type { Question } from './probe-questions.js';
import { Scratch, ScratchLedger, type ScratchTools } from './scratch.js';
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
 * Cost: 70 to 120 small requests, once for an endpoint and bucket, in the time of some twenty; more where answers get lost.
 *
 * @param base - beginning of the keys that may be used; nobody has used them before.
 */
export async function probeStore(base: string, tools: ProbeTools): Promise<ProbeResult> {
  const ledger = new ScratchLedger(base, tools);
  try {
    const dialect = await probe(ledger, tools);
    return { finished: true, dialect, isClear: await ledger.clear(tools.backoff) };
  } catch (error) {
    const reason = reasonOf(error, tools.api.bucket, base);
    // Nobody waits for what is thrown away: what cannot be removed at once goes in the next run.
    const isClear = await ledger.clear(reason === undefined ? AT_ONCE : tools.backoff);
    if (reason === undefined)
      throw error instanceof ProbeEnded ? errorOf(error.failure, tools.api.bucket, base) : error;
    return { finished: false, reason, isClear };
  }
}

/** A trial of a store: questions that are asked on several sets of keys at once, so that they do not wait for each other. */
class Trial {
  readonly tools: ProbeTools;
  readonly #ledger: ScratchLedger;
  readonly #startedAtMs: number;
  #isCalm = true;
  #failure: { readonly error: unknown } | undefined;

  constructor(ledger: ScratchLedger, tools: ProbeTools) {
    this.#ledger = ledger;
    this.tools = tools;
    this.#startedAtMs = tools.clock.nowMs();
  }

  /** No answer was lost so far. */
  readonly isCalm = (): boolean => this.#isCalm;

  lostAnAnswer(): void {
    this.#isCalm = false;
  }

  /** Asks one after the other, on keys of their own. */
  async inTurn<T>(ask: (asker: Asker) => Promise<T>): Promise<T> {
    try {
      return await ask(new Asker(this, await Scratch.open(this.#ledger)));
    } catch (error) {
      this.#failure ??= { error };
      throw error;
    }
  }

  /** What all of them found; when one has failed, the others were waited for, so that nothing is made any more. */
  async all<T extends readonly unknown[]>(asked: { readonly [K in keyof T]: Promise<T[K]> }): Promise<T> {
    const settled = await Promise.allSettled(asked);
    this.assertGoesOn();
    return settled.map((each) => (each.status === 'fulfilled' ? each.value : undefined)) as unknown as T;
  }

  /** Throws what another question failed with, after which nobody needs an answer. */
  assertGoesOn(): void {
    if (this.#failure !== undefined) throw this.#failure.error;
  }

  isEnough(attempt: number): boolean {
    const isLate = this.tools.clock.nowMs() - this.#startedAtMs > PATIENCE_MS;
    return attempt >= (isLate ? LEAST_TRIES : TRIES);
  }
}

/** Asks questions one after the other, each again by itself where answers were lost. */
class Asker {
  readonly #trial: Trial;
  readonly #scratch: Scratch;

  constructor(trial: Trial, scratch: Scratch) {
    this.#trial = trial;
    this.#scratch = scratch;
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
    const { backoff, signal } = this.#trial.tools;
    for (let attempt = 1; ; attempt++) {
      this.#trial.assertGoesOn();
      try {
        return await question(this.#scratch, this.#trial.isCalm);
      } catch (error) {
        if (!mayPass(error) || this.#trial.isEnough(attempt)) throw error;
        if (!(error instanceof RaceUndecided)) this.#trial.lostAnAnswer();
      }
      await backoff.wait(Math.min(attempt, GROWING_WAITS), signal);
      await this.#scratch.renew();
    }
  }
}

async function probe(ledger: ScratchLedger, tools: ProbeTools): Promise<Dialect> {
  const trial = new Trial(ledger, tools);
  const [creations, replacements, completeCreate, completeReplace, parts, copies] = await trial.all([
    trial.inTurn(async (asker) => {
      const etagIsMd5 = await asker.holds([questions.etagIsMd5]);
      const mayTryCreate = await asker.holds([questions.createPasses]);
      const putCreate = mayTryCreate && (await asker.holds(questions.putCreate));
      return { etagIsMd5, mayTryCreate, putCreate, read: await asker.formOf(questions.read) };
    }),
    trial.inTurn(async (asker) => {
      const putReplace = await asker.formOf(questions.putReplace);
      return { putReplace, remove: await asker.formOf(questions.remove) };
    }),
    trial.inTurn((asker) => asker.holds(questions.completeCreate)),
    trial.inTurn((asker) => asker.formOf(questions.completeReplace)),
    trial.inTurn(async (asker) => {
      const partsMakeEtag = await asker.holds([questions.partsMakeEtag]);
      return { partsMakeEtag, checksSha256: await asker.holds(questions.checksSha256) };
    }),
    trial.inTurn(async (asker) => {
      const copySource = await asker.formOf(questions.copySource);
      const copyPart = await asker.holds([questions.copyPart(copySource)]);
      return { copySource, copyPart, copyCreate: await asker.holds(questions.copyCreate) };
    }),
  ]);
  const { etagIsMd5, mayTryCreate, putCreate, read } = creations;
  const { putReplace, remove } = replacements;
  // What is not atomic for the simplest of writes is not believed to be for the others.
  const isAtomic = putCreate || putReplace !== 'none';
  return {
    putCreate,
    putReplace,
    completeCreate: isAtomic && completeCreate,
    completeReplace: isAtomic ? completeReplace : 'none',
    copyCreate: isAtomic && copies.copyCreate,
    // Checked before the copy is made or not at all: the copy is looked at in any case.
    copySource: copies.copySource,
    copyPart: copies.copyPart,
    ...parts,
    remove: isAtomic ? remove : 'none',
    read,
    etagIsMd5,
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
