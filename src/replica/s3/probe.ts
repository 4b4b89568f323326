import { createHash } from 'node:crypto';
import { combinedEtag } from './combined-etag.js';
import { AWS_DIALECT, etagCondition, UNKNOWN_DIALECT, type Dialect, type EtagForm } from './dialect.js';
import type { Answer, S3Api } from './s3-api.js';
import { S3ConnectionError } from '../../errors.js';
import { failureError, isTransientFailure, type ServiceFailure } from './service-error.js';

/** What the probe found, or why it could not find it. */
export type ProbeResult =
  | { readonly finished: true; readonly dialect: Dialect }
  | {
      readonly finished: false;
      readonly reason: string;
      /** The same may succeed later. */ readonly isTransient: boolean;
    };

/** The store would not let the probe do its work. */
class ProbeEnded extends Error {
  readonly failure: ServiceFailure;

  constructor(failure: ServiceFailure) {
    super(`${failure.status} ${failure.code}`.trim());
    this.failure = failure;
  }
}

/** As many as show a window between check and write, and as few as no store takes for an attack. */
const RACERS = 6;

/** How often they race where those who lose may have been overwhelmed instead. */
const RACES = 2;

/** A range of what stands at the source of the copies, which is `source`. */
const PROBED_RANGE = [1, 4] as const;
const PROBED_TEXT = 'our';

const WRONG_ETAG = '00000000000000000000000000000000';

/**
 * Finds out which conditions a store honours, by trying each on scratch objects: one that must fail and one that must
 * not, and a look at what stands there afterwards, because a 200 proves nothing. Removes all that it made.
 *
 * Cost: about 90 small requests, once for an endpoint and bucket.
 *
 * @param scratch - beginning of the keys that may be used.
 */
export async function probeStore(api: S3Api, scratch: string, signal: AbortSignal | undefined): Promise<ProbeResult> {
  const keys = scratchKeys(scratch);
  try {
    const dialect = await probe(api, keys, signal);
    return { finished: true, dialect };
  } catch (error) {
    if (!(error instanceof ProbeEnded)) throw error;
    const { failure } = error;
    // Wrong credentials and the like are nobody's dialect.
    const asError = failureError(failure, {
      action: 'trying what the store can do',
      bucket: api.bucket,
      path: scratch,
    });
    if (asError.name === 'S3ConnectionError') throw asError;
    const isTransient = isTransientFailure(failure);
    return {
      finished: false,
      reason: isTransient ? 'the store could not answer' : `the store answered ${error.message}`,
      isTransient,
    };
  } finally {
    // Without the caller's signal: what was made goes away, also when the caller gives up.
    for (const key of keys) await api.remove(key, {}).catch(() => undefined);
  }
}

/** Removes objects and unfinished uploads that a probe may have left; answers whether all of them are gone. Never throws. */
export async function clearScratch(api: S3Api, scratch: string): Promise<boolean> {
  try {
    for (const key of scratchKeys(scratch)) {
      const uploads = await api.listUploads(key);
      for (const { uploadId } of uploads.ok ? uploads.value : []) await api.abortUpload(key, uploadId);
      const removed = await api.remove(key, {});
      if (!removed.ok && removed.failure.status !== 404) return false;
    }
    return true;
  } catch {
    return false;
  }
}

function scratchKeys(scratch: string): readonly [string, string, string] {
  return [`${scratch}-a`, `${scratch}-b`, `${scratch}-c`];
}

async function probe(
  api: S3Api,
  [a, b, c]: readonly [string, string, string],
  signal: AbortSignal | undefined,
): Promise<Dialect> {
  const etagAt = async (key: string): Promise<string | null> => {
    const answer = await api.head(key, signal);
    if (answer.ok) return answer.value.etag;
    if (answer.failure.status === 404) return null;
    throw new ProbeEnded(answer.failure);
  };
  const put = (key: string, text: string, headers: Readonly<Record<string, string>> = {}): Promise<Answer<string>> =>
    api.put(
      key,
      Buffer.from(text),
      { 'content-md5': createHash('md5').update(text).digest('base64'), ...headers },
      signal,
    );
  const must = async <T>(answer: Promise<Answer<T>>): Promise<T> => {
    const found = await answer;
    if (!found.ok) throw new ProbeEnded(found.failure);
    return found.value;
  };

  /** Makes an upload of one part and completes it under a condition. */
  const complete = async (key: string, text: string, headers: Readonly<Record<string, string>>): Promise<boolean> => {
    const uploadId = await must(api.createUpload(key, {}, signal));
    const body = Buffer.from(text);
    const etag = await must(api.uploadPart({ key, uploadId, number: 1 }, body, {}, signal));
    const answer = await api.complete(key, uploadId, [{ number: 1, etag, sizeBytes: body.length }], headers, signal);
    if (!answer.ok) {
      endUnlessRefused(answer.failure);
      await api.abortUpload(key, uploadId).catch(() => undefined);
    }
    return answer.ok;
  };
  /** Whether a change took effect. A refusal is an answer to that; a failure of the service is none. */
  const acts = async (change: Promise<Answer<unknown>>): Promise<boolean> => {
    const answer = await change;
    if (!answer.ok) endUnlessRefused(answer.failure);
    return answer.ok;
  };
  /** Whether what stands at a key is still the same after something that had to fail. */
  const leaves = async (key: string, attempt: () => Promise<boolean>): Promise<boolean> => {
    const before = await etagAt(key);
    const acted = await attempt();
    return !acted && (await etagAt(key)) === before;
  };
  const formOf = async (works: (form: EtagForm) => Promise<boolean>): Promise<EtagForm> => {
    for (const form of ['quoted', 'bare'] as const) if (await works(form)) return form;
    return 'none';
  };
  const ifMatch = (form: EtagForm, etag: string): Readonly<Record<string, string>> => ({
    'if-match': etagCondition(form, etag) ?? '',
  });
  const ifNone = { 'if-none-match': '*' };

  /**
   * Several at once under one condition: a store that checks before it writes lets more than one through. Some answer those
   * who lose with an error of their own (Ceph: 500), which says nothing alone: then what the winner wrote has to stand, twice.
   */
  const oneWins = async (key: string, condition: () => Promise<Readonly<Record<string, string>>>): Promise<boolean> => {
    for (let race = 1; race <= RACES; race++) {
      const headers = await condition();
      const answers = await Promise.all(
        Array.from({ length: RACERS }, (_, i) => put(key, `racer ${race}.${i}`, headers)),
      );
      const winners = answers.filter((answer) => answer.ok);
      const failures = answers.flatMap((answer) => (answer.ok ? [] : [answer.failure]));
      for (const failure of failures)
        if (winners.length !== 1 || !isTransientFailure(failure)) endUnlessRefused(failure);
      const [winner] = winners;
      if (winner === undefined || winners.length > 1) return false;
      if (!failures.some(isTransientFailure)) return true;
      if ((await etagAt(key)) !== winner.value) return false;
    }
    return true;
  };

  await must(put(a, 'one'));
  const etagIsMd5 = (await etagAt(a)) === createHash('md5').update('one').digest('hex');
  const createRefused = !(await acts(put(b, 'fresh', ifNone)));
  const freshly = async (): Promise<Readonly<Record<string, string>>> => {
    await must(api.remove(c, {}, signal));
    return ifNone;
  };
  const putCreate =
    !createRefused && (await leaves(a, () => acts(put(a, 'two', ifNone)))) && (await oneWins(c, freshly));

  const putReplace = await formOf(async (form) => {
    const refusesOther = await leaves(a, () => acts(put(a, `other-${form}`, ifMatch(form, WRONG_ETAG))));
    // An earlier try may have made it.
    await must(api.remove(c, {}, signal));
    const refusesAbsent = await leaves(c, () => acts(put(c, `absent-${form}`, ifMatch(form, WRONG_ETAG))));
    if (!refusesOther || !refusesAbsent) return false;
    if (!(await acts(put(a, `right-${form}`, ifMatch(form, (await etagAt(a)) ?? ''))))) return false;
    return oneWins(a, async () => ifMatch(form, (await etagAt(a)) ?? ''));
  });
  // What is not atomic for the simplest of writes is not believed to be for the others.
  const isAtomic = putCreate || putReplace !== 'none';

  const completeCreate =
    (await leaves(a, () => complete(a, 'parts', ifNone))) && (await completesFresh(api, b, complete));
  const completeReplace = await formOf(async (form) => {
    if (!(await leaves(a, () => complete(a, `parts-${form}`, ifMatch(form, WRONG_ETAG))))) return false;
    await must(api.remove(c, {}, signal));
    if (!(await leaves(c, () => complete(c, `parts-absent-${form}`, ifMatch(form, WRONG_ETAG))))) return false;
    return complete(a, `parts-right-${form}`, ifMatch(form, (await etagAt(a)) ?? ''));
  });

  await must(api.remove(c, {}, signal));
  await complete(c, 'parts', {});
  const partsMakeEtag = (await etagAt(c)) === combinedEtag([createHash('md5').update('parts').digest()]);

  await must(put(a, 'source'));
  await must(api.remove(b, {}, signal));
  const copySource = await formOf(async (form) => {
    const wrong = { key: a, ifMatch: etagCondition(form, WRONG_ETAG) };
    if (!(await leaves(b, () => acts(api.copy(wrong, b, {}, signal))))) return false;
    return acts(api.copy({ key: a, ifMatch: etagCondition(form, (await etagAt(a)) ?? '') }, b, {}, signal));
  });
  await must(put(b, 'in the way'));
  const copyPart = await copiesParts(api, a, b, { etagAt, copySource }, signal);
  const copyCreate =
    (await leaves(b, () => acts(api.copy({ key: a, ifMatch: undefined }, b, ifNone, signal)))) &&
    (await copiesFresh(api, a, b, acts));

  const read = await formOf(async (form) => {
    const headers = ifMatch(form, (await etagAt(a)) ?? '');
    const answer = await api.get(a, headers, signal);
    if (!answer.ok) return false;
    for await (const chunk of answer.value.body) void chunk;
    return true;
  });

  const remove = await formOf(async (form) => {
    await must(put(a, 'to be deleted'));
    if (!(await leaves(a, () => acts(api.remove(a, ifMatch(form, WRONG_ETAG), signal))))) return false;
    const acted = await acts(api.remove(a, ifMatch(form, (await etagAt(a)) ?? ''), signal));
    return acted && (await etagAt(a)) === null;
  });

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
    mayTryCreate: !createRefused,
  };
}

/** The condition must not refuse what it should let pass. */
async function completesFresh(
  api: S3Api,
  key: string,
  complete: (key: string, text: string, headers: Readonly<Record<string, string>>) => Promise<boolean>,
): Promise<boolean> {
  await api.remove(key, {});
  return complete(key, 'fresh parts', { 'if-none-match': '*' });
}

/**
 * Whether a range of one object becomes a part of another, with its MD5 for an ETag, and nothing else happens.
 * The condition on the source need not be honoured: the MD5 says what was copied. Where it is honoured, it must let the right one pass.
 */
async function copiesParts(
  api: S3Api,
  from: string,
  to: string,
  { etagAt, copySource }: { readonly etagAt: (key: string) => Promise<string | null>; readonly copySource: EtagForm },
  signal: AbortSignal | undefined,
): Promise<boolean> {
  const before = [await etagAt(from), await etagAt(to)];
  const begun = await api.createUpload(to, {}, signal);
  if (!begun.ok) return false;
  const target = { key: to, uploadId: begun.value, number: 1 };
  const source = { key: from, ifMatch: etagCondition(copySource, before[0] ?? '') };
  // A document that is not the expected one is an answer as well: this store does not know the call.
  const copied = await api.copyPart(target, source, PROBED_RANGE, signal).catch((error: unknown) => {
    if (error instanceof S3ConnectionError && error.code === 'ERR_S3_BAD_ANSWER') return undefined;
    throw error;
  });
  if (copied?.ok === false) endUnlessRefused(copied.failure);
  await api.abortUpload(to, target.uploadId, signal);
  const isRight = copied?.ok === true && copied.value === createHash('md5').update(PROBED_TEXT).digest('hex');
  return isRight && (await etagAt(from)) === before[0] && (await etagAt(to)) === before[1];
}

async function copiesFresh(
  api: S3Api,
  from: string,
  to: string,
  acts: (change: Promise<Answer<unknown>>) => Promise<boolean>,
): Promise<boolean> {
  await api.remove(to, {});
  return acts(api.copy({ key: from, ifMatch: undefined }, to, { 'if-none-match': '*' }));
}

/** Only a refusal of the condition tells something about conditions. */
function endUnlessRefused(failure: ServiceFailure): void {
  const isRefusal = [304, 400, 404, 409, 412, 501].includes(failure.status) && failure.code !== 'NoSuchBucket';
  if (!isRefusal) throw new ProbeEnded(failure);
}

/** Reads a dialect that was kept; `undefined` when it is not one of this version. */
export function readKeptDialect(kept: unknown): Dialect | undefined {
  if (typeof kept !== 'object' || kept === null) return undefined;
  const values = kept as Readonly<Record<string, unknown>>;
  for (const name of Object.keys(AWS_DIALECT)) {
    const value = values[name];
    const model: unknown = UNKNOWN_DIALECT[name as keyof Dialect];
    const fits =
      typeof model === 'string'
        ? value === 'quoted' || value === 'bare' || value === 'none'
        : typeof value === 'boolean' || (name === 'etagIsMd5' && value === undefined);
    if (!fits) return undefined;
  }
  return kept as Dialect;
}
