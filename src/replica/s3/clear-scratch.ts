import type { Backoff } from '../wrap/backoff.js';
import type { Answer, S3Api } from './s3-api.js';
import { scratchKeys } from './scratch-key.js';
import { isTransientFailure } from './service-error.js';

/** How often something is tried, and what passes between. */
export type Patience = Pick<Backoff, 'attempts' | 'wait'>;

/** What may be at the key of a scratch object. */
export interface ScratchRest {
  /** Uploads that were begun and not ended. */
  readonly uploads: readonly string[];
  /** There may be others, by what name nobody knows. */
  readonly isNameless: boolean;
  /** No object stands there. */
  readonly isKnownAbsent: boolean;
}

/** Looks at the uploads of a key. */
const MOST_LOOKS = 6;

/** Removes the objects and unfinished uploads that a trial of another run may have left; answers whether nothing is left. Never throws. */
export async function clearScratch(api: S3Api, base: string, sets: number, backoff: Backoff): Promise<boolean> {
  const rest = { uploads: [], isNameless: true, isKnownAbsent: false };
  for (let set = 1; set <= sets; set++) {
    const keys = Object.values(scratchKeys(base, set));
    const cleared = await Promise.all(keys.map((key) => clearKey(api, key, rest, backoff)));
    if (!cleared.every(Boolean)) return false;
  }
  return true;
}

/** Removes what may be at one key, patiently; answers whether nothing is left. Never throws. */
export async function clearKey(api: S3Api, key: string, rest: ScratchRest, backoff: Patience): Promise<boolean> {
  for (let attempt = 1; ; attempt++) {
    if (await clearOnce(api, key, rest).catch(() => false)) return true;
    if (attempt >= backoff.attempts) return false;
    await backoff.wait(attempt, undefined);
  }
}

async function clearOnce(api: S3Api, key: string, rest: ScratchRest): Promise<boolean> {
  let { isNameless } = rest;
  for (const uploadId of rest.uploads) {
    const aborted = await api.abortUpload(key, uploadId);
    if (mayPass(aborted)) return false;
    // The store knows none by this name: it was damaged on its way here, perhaps, and the upload has another.
    if (!aborted.ok && aborted.failure.status === 404) isNameless = true;
  }
  if (isNameless && !(await clearUploads(api, key))) return false;
  if (rest.isKnownAbsent) return true;
  const removed = await api.remove(key, {});
  return removed.ok || removed.failure.status === 404;
}

/** Aborts what a listing names, until two in a row name nothing: one may have been damaged on its way. */
async function clearUploads(api: S3Api, key: string): Promise<boolean> {
  let emptyOnes = 0;
  for (let look = 1; look <= MOST_LOOKS && emptyOnes < 2; look++) {
    const listed = await api.listUploads(key);
    // Not every store can list them; then there is nothing more to be done.
    if (!listed.ok) return !mayPass(listed);
    emptyOnes = listed.value.length === 0 ? emptyOnes + 1 : 0;
    for (const { uploadId } of listed.value) if (mayPass(await api.abortUpload(key, uploadId))) return false;
  }
  return emptyOnes === 2;
}

function mayPass(answer: Answer<unknown>): boolean {
  return !answer.ok && isTransientFailure(answer.failure);
}
