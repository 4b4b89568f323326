import { createHash } from 'node:crypto';
import { isAbort, PathError, StaleError, type FileCloudSyncError } from '../../errors.js';
import type { Outcome, Precondition, Source, WriteOptions, Written } from '../replica.js';
import { createUpload, forgetUpload, isUnheard } from './create-upload.js';
import { guardedChange } from './guarded-change.js';
import type { ObjectState } from './object-state.js';
import { forEachBounded } from './for-each-bounded.js';
import { partSizeFor, partsOf } from './part-size.js';
import { readRange } from './read-range.js';
import type { HeldPart } from './s3-api.js';
import { holds, readState, type S3Context } from './s3-context.js';
import { failureError, type ServiceFailure } from './service-error.js';
import type { RememberedUpload } from './upload-memory.js';
import { writeCondition } from './write-condition.js';
import { metadataOf, stateAfter, written } from './written-object.js';

/** A part that is in the store, with the MD5 of our bytes. */
interface SentPart extends HeldPart {
  readonly md5: Buffer;
}

/**
 * Writes a large file in parts, some at a time. The upload is remembered before its first part is sent: a later call for
 * the same version of the file goes on with it, and reads the parts that the store holds again to be sure of them.
 *
 * The upload is aborted when it has become useless; after an abort by the caller or a failure that may pass it is kept.
 */
export async function writeParts(
  context: S3Context,
  path: string,
  source: Source,
  precondition: Precondition,
  options: WriteOptions,
): Promise<Outcome<Written>> {
  const upload = await beginUpload(context, path, source, options.signal);
  try {
    const parts = await sendParts(context, upload, source, options);
    const outcome = await completeUpload(context, upload, source, parts, precondition, options.signal);
    // The upload ended with the object; only a stale one has to be taken away.
    await forgetUpload(context, upload.record, outcome.outcome === 'stale');
    return outcome;
  } catch (error) {
    if (!isWorthKeeping(error)) await forgetUpload(context, upload.record, true);
    throw error;
  }
}

interface BegunUpload {
  readonly record: RememberedUpload;
  /** Parts that the store holds from an earlier run. */
  readonly held: ReadonlyMap<number, HeldPart>;
}

async function beginUpload(
  context: S3Context,
  path: string,
  source: Source,
  signal: AbortSignal | undefined,
): Promise<BegunUpload> {
  const { sizeBytes, fingerprint } = source.entry;
  const partSizeBytes = partSizeFor(sizeBytes, context.partSizeBytes);
  const before = await context.uploads.get(path);
  if (before !== undefined) {
    if (!isUnheard(before) && before.fingerprint === fingerprint && before.partSizeBytes === partSizeBytes) {
      const held = await context.api.listParts(context.keys.keyOf(path), before.uploadId, signal);
      if (held.ok) return { record: before, held: new Map(held.value.map((part) => [part.number, part])) };
      if (held.failure.status !== 404) throw partsError(context, path, held.failure);
    }
    await forgetUpload(context, before, true);
  }
  const created = await createUpload(context, { path, fingerprint, partSizeBytes }, metadataOf(path, source), signal);
  if (!created.ok) throw partsError(context, path, created.failure);
  return { record: created.value, held: new Map() };
}

async function sendParts(
  context: S3Context,
  { record, held }: BegunUpload,
  source: Source,
  { signal, onBytes }: WriteOptions,
): Promise<SentPart[]> {
  const ranges = partsOf(source.entry.sizeBytes, record.partSizeBytes);
  const sent: SentPart[] = [];
  const key = context.keys.keyOf(record.path);
  await forEachBounded(ranges, context.parallelParts, signal, async ({ number, start, end }, stop) => {
    const release = await context.budget.take(end - start, stop);
    try {
      const body = await readRange(source, start, end, stop);
      const md5 = createHash('md5').update(body).digest();
      const known = held.get(number);
      if (known !== undefined && known.sizeBytes === body.length && known.etag === md5.toString('hex')) {
        sent[number - 1] = { ...known, md5 };
      } else {
        const target = { key, uploadId: record.uploadId, number };
        const answer = await context.api.uploadPart(target, body, { 'content-md5': md5.toString('base64') }, stop);
        if (!answer.ok) throw partsError(context, record.path, answer.failure);
        if (context.dialect.etagIsMd5 === true && answer.value !== md5.toString('hex'))
          throw corruptPart(record.path, number);
        sent[number - 1] = { number, etag: answer.value, sizeBytes: body.length, md5 };
      }
      onBytes?.(body.length);
    } finally {
      release();
    }
  });
  return sent;
}

async function completeUpload(
  context: S3Context,
  { record }: BegunUpload,
  source: Source,
  parts: readonly SentPart[],
  precondition: Precondition,
  signal: AbortSignal | undefined,
): Promise<Outcome<Written>> {
  const { path, uploadId } = record;
  const { sizeBytes } = source.entry;
  const { dialect } = context;
  const combined = combinedEtag(parts.map((part) => part.md5));
  const { headers, trusted } = writeCondition(precondition, dialect.completeCreate, dialect.completeReplace, false);
  const answered = new Set([combined]);
  const outcome = await guardedChange<string>(
    context,
    {
      action: `uploading "${path}"`,
      path,
      expected: precondition,
      trusted,
      before: () => source.verify(signal),
      async send() {
        const answer = await context.api.complete(context.keys.keyOf(path), uploadId, parts, headers, signal);
        if (answer.ok && answer.value !== '') answered.add(answer.value);
        return answer;
      },
      isOurs: (state) => isOurUpload(state, sizeBytes, answered),
      recover: (state) => state?.etag ?? '',
      judge: (failure) => (failure.code === 'NoSuchUpload' ? lostUpload(path) : undefined),
    },
    signal,
  ).catch(async (error: unknown) => {
    // An earlier try may have completed the upload without our hearing of it: then it is not there to be completed again.
    if (!(error instanceof PathError) || error.code !== 'ERR_S3_UPLOAD_LOST') throw error;
    const state = await readState(context, path, signal);
    if (state !== null && isOurUpload(state, sizeBytes, answered))
      return { outcome: 'done' as const, value: state.etag };
    if (holds(state, precondition)) throw error;
    return { outcome: 'stale' as const, message: `"${path}" was changed in the bucket while it was uploaded.` };
  });
  if (outcome.outcome === 'stale') return outcome;
  const etag = outcome.value === '' ? (await stateAfter(context, path, signal)).etag : outcome.value;
  return written(path, source, { etag, sizeBytes }, `md5-${record.partSizeBytes}:${combined}`);
}

/** The ETag of an object made of parts, where a store makes it of their MD5s. */
export function combinedEtag(md5s: readonly Uint8Array[]): string {
  return `${createHash('md5').update(Buffer.concat(md5s)).digest('hex')}-${md5s.length}`;
}

/**
 * By the ETag alone: size and number of parts are those of another machine's upload too. Where the store's ETags cannot be
 * foretold, a lost answer is stale, and the contents are compared.
 */
function isOurUpload(state: ObjectState | null, sizeBytes: number, answered: ReadonlySet<string>): boolean {
  return state !== null && state.sizeBytes === sizeBytes && answered.has(state.etag);
}

/** Whether a later run can go on where this one ended. */
function isWorthKeeping(error: unknown): boolean {
  if (isAbort(error)) return true;
  if (error instanceof StaleError) return false;
  if (error instanceof PathError) return error.retryable;
  return true;
}

function partsError(context: S3Context, path: string, failure: ServiceFailure): FileCloudSyncError {
  if (failure.code === 'NoSuchUpload') return lostUpload(path);
  return failureError(failure, { action: `uploading "${path}"`, bucket: context.api.bucket, path });
}

function lostUpload(path: string): PathError {
  return new PathError(
    'ERR_S3_UPLOAD_LOST',
    `Uploading "${path}" failed: the store has dropped the unfinished upload, as it does after some days or when somebody aborts it. It begins anew in the next run.`,
    { data: { path } },
  );
}

function corruptPart(path: string, number: number): PathError {
  return new PathError(
    'ERR_S3_CORRUPT_WRITE',
    `Uploading "${path}" failed: the store holds other bytes of part ${number} than were sent. It is tried again in the next run; look at the network and at the store's disks if it stays.`,
    { data: { path, number } },
  );
}
