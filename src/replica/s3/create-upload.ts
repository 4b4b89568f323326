import type { Answer } from './s3-api.js';
import type { S3Context } from './s3-context.js';
import { isTransientFailure } from './service-error.js';
import type { RememberedUpload } from './upload-memory.js';
import { isTransientError } from './wrap/retry.js';

/** The id of an upload that was asked for and of which no answer was heard. */
const UNHEARD = '';

/** Clocks differ by less than this once corrected, and the answer to a request is not waited for any longer. */
const CLOCK_SLACK_MS = 5_000;
const LONGEST_ANSWER_MS = 120_000;

/** What an upload is remembered by, before it has an id. */
export type UploadToCreate = Omit<RememberedUpload, 'uploadId' | 'startedAtMs'>;

/**
 * Begins an upload and remembers it. That it is asked for is remembered first, so that one whose answer nobody heard
 * (the process died, the line broke) is found and aborted by a later run.
 */
export async function createUpload(
  context: S3Context,
  upload: UploadToCreate,
  headers: Readonly<Record<string, string>>,
  signal: AbortSignal | undefined,
): Promise<Answer<RememberedUpload>> {
  const asked = { ...upload, uploadId: UNHEARD, startedAtMs: context.runtime.clock.nowMs() };
  await context.uploads.put(asked);
  const { answer, mayHaveMore } = await askPatiently(context, context.keys.keyOf(upload.path), headers, signal);
  if (answer.ok) await context.uploads.put({ ...asked, uploadId: answer.value });
  if (!mayHaveMore) await context.uploads.delete(upload.path, UNHEARD);
  return answer.ok ? { ok: true, value: { ...asked, uploadId: answer.value } } : answer;
}

interface Asked {
  readonly answer: Answer<string>;
  /** An earlier try may have begun an upload as well. */
  readonly mayHaveMore: boolean;
}

async function askPatiently(
  context: S3Context,
  key: string,
  headers: Readonly<Record<string, string>>,
  signal: AbortSignal | undefined,
): Promise<Asked> {
  let mayHaveMore = false;
  for (let attempt = 1; ; attempt++) {
    const isLast = attempt >= context.backoff.attempts;
    let waitMs = 0;
    try {
      const answer = await context.api.createUpload(key, headers, signal);
      if (answer.ok || isLast || !isTransientFailure(answer.failure)) return { answer, mayHaveMore };
      waitMs = answer.failure.retryAfterMs;
    } catch (error) {
      if (isLast || !isTransientError(error)) throw error;
    }
    mayHaveMore = true;
    await context.backoff.wait(attempt, signal, waitMs);
  }
}

/** Aborts an upload when it is of no use, and forgets it. Never throws: what cannot be aborted now is aborted by `cleanUp`. */
export async function forgetUpload(context: S3Context, record: RememberedUpload, abort: boolean): Promise<void> {
  try {
    if (abort)
      await (isUnheard(record) ? abortUnheard(context, record) : abortById(context, record.path, record.uploadId));
    await context.uploads.delete(record.path, record.uploadId);
  } catch {
    // It stays remembered.
  }
}

/** Whether it is not known that this upload was ever begun. */
export function isUnheard({ uploadId }: RememberedUpload): boolean {
  return uploadId === UNHEARD;
}

async function abortById(context: S3Context, path: string, uploadId: string): Promise<void> {
  const answer = await context.api.abortUpload(context.keys.keyOf(path), uploadId);
  if (!answer.ok && answer.failure.status !== 404) throw new Error(answer.failure.code);
}

/**
 * Aborts the uploads that can be the one nobody heard of: of this key, begun when it was asked for, and without any part.
 * RACE: another machine that began one at the same time for the same key, and has sent no part yet, begins anew.
 */
async function abortUnheard(context: S3Context, { path, startedAtMs }: RememberedUpload): Promise<void> {
  const key = context.keys.keyOf(path);
  const listed = await context.api.listUploads(key);
  if (!listed.ok) {
    // A store that lists no uploads will not do so later.
    if (listed.failure.status < 500 || listed.failure.status === 501) return;
    throw new Error(listed.failure.code);
  }
  const askedAtMs = startedAtMs + context.clockOffset.ms;
  const known = new Set((await context.uploads.list()).map(({ uploadId }) => uploadId));
  for (const { uploadId, startedAtMs: begunAtMs } of listed.value) {
    if (known.has(uploadId) || begunAtMs === undefined) continue;
    if (begunAtMs < askedAtMs - CLOCK_SLACK_MS || begunAtMs > askedAtMs + LONGEST_ANSWER_MS) continue;
    const parts = await context.api.listParts(key, uploadId);
    if (parts.ok && parts.value.length === 0) await abortById(context, path, uploadId);
  }
}
