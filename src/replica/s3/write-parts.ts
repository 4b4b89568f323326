import type { PartDigests } from '../../core/part-digests.js';
import { isAbort, PathError, StaleError } from '../../errors.js';
import type { Outcome, Precondition, Source, WriteOptions, Written } from '../replica.js';
import { createUpload, forgetUpload, isUnheard } from './create-upload.js';
import { guardedChange } from './guarded-change.js';
import { hexOf } from './digest-text.js';
import { etagOf, type ObjectState } from './object-state.js';
import { combinedEtag } from './combined-etag.js';
import { forEachBounded } from './for-each-bounded.js';
import { encodePartHints, HINTS_HEADER } from './part-hints.js';
import { HeldPartMd5s } from './held-part-md5s.js';
import { partSizeFor, partsOf, type FilePartRange } from './part-size.js';
import { readRange } from '../read-range.js';
import type { HeldPart, PartTarget } from './s3-api.js';
import { holds, readState, type S3Context } from './s3-context.js';
import { createPartSender, type SentPart } from './send-part.js';
import { compareStoredParts, copyStoredPart, type StoredParts } from './stored-parts.js';
import { lostUpload, uploadFailure } from './upload-failure.js';
import type { RememberedUpload } from './upload-memory.js';
import { writeCondition } from './write-condition.js';
import { metadataOf, written } from './written-object.js';

/**
 * Writes a large file in parts, some at a time. The upload is remembered before its first part is sent: a later call for
 * the same version of the file goes on with it, and reads the parts that the store holds again to be sure of them.
 * Parts that are the same in the object which is replaced are copied within the store, where their MD5s are known.
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
  const partSizeBytes = partSizeFor(source.entry.sizeBytes, context.partSizeBytes);
  const { signal, replacedParts } = options;
  const known = await compareStoredParts(context, source, precondition, replacedParts, partSizeBytes, signal);
  const upload = await beginUpload(context, path, source, partSizeBytes, known?.now, signal);
  try {
    const parts = await sendParts(context, upload, source, known, options);
    const outcome = await completeUpload(context, upload, source, parts, precondition, signal);
    // The upload ended with the object; only a stale one has to be taken away.
    await forgetUpload(context, upload.record, outcome.outcome === 'stale');
    if (outcome.outcome === 'stale' || !parts.some(({ isCopied }) => isCopied === true)) return outcome;
    if (isProven(outcome, parts)) return outcome;
    // Of what the store has put together nothing is known: the whole file takes its place.
    context.dialect = { ...context.dialect, copyPart: false, partsMakeEtag: false };
    const { entry } = outcome;
    return await writeParts(context, path, source, { fingerprint: entry.fingerprint, entry }, { signal });
  } catch (error) {
    if (!isWorthKeeping(error)) await forgetUpload(context, upload.record, true);
    throw error;
  }
}

/** Whether the ETag of an object is the one that its parts make. */
function isProven({ entry }: Written, parts: readonly SentPart[]): boolean {
  return etagOf(entry.fingerprint) === combinedEtag(parts.map(({ md5 }) => md5));
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
  partSizeBytes: number,
  parts: PartDigests | undefined,
  signal: AbortSignal | undefined,
): Promise<BegunUpload> {
  const { fingerprint } = source.entry;
  const before = await context.uploads.get(path);
  if (before !== undefined) {
    if (!isUnheard(before) && before.fingerprint === fingerprint && before.partSizeBytes === partSizeBytes) {
      const held = await context.api.listParts(context.keys.keyOf(path), before.uploadId, signal);
      if (held.ok) return { record: before, held: new Map(held.value.map((part) => [part.number, part])) };
      if (held.failure.status !== 404) throw uploadFailure(context, path, held.failure);
    }
    await forgetUpload(context, before, true);
  }
  const headers = metadataOf(path, source);
  const hints = parts === undefined ? undefined : encodePartHints(parts);
  const upload = { path, fingerprint, partSizeBytes };
  let created = await createUpload(
    context,
    upload,
    hints === undefined ? headers : { ...headers, [HINTS_HEADER]: hints },
    signal,
  );
  // A store with less room for metadata does without.
  if (!created.ok && created.failure.status === 400 && hints !== undefined)
    created = await createUpload(context, upload, headers, signal);
  if (!created.ok) throw uploadFailure(context, path, created.failure);
  return { record: created.value, held: new Map() };
}

/** Sends the parts that the store does not hold first: those that it holds are read again meanwhile. */
async function sendParts(
  context: S3Context,
  upload: BegunUpload,
  source: Source,
  stored: StoredParts | undefined,
  options: WriteOptions,
): Promise<SentPart[]> {
  const { held, record } = upload;
  const { partSizeBytes } = record;
  const ranges = partsOf(source.entry.sizeBytes, partSizeBytes);
  const heldRanges = ranges.filter(({ number }) => held.has(number));
  const inOrder = [...ranges.filter(({ number }) => !held.has(number)), ...heldRanges];
  const numbers = stored === undefined ? heldRanges.map(({ number }) => number) : [];
  const md5s = new HeldPartMd5s({ source, partSizeBytes, numbers }, options.signal);
  try {
    return await sendRanges(context, upload, source, { ranges: inOrder, md5s, stored }, options);
  } finally {
    await md5s.end();
  }
}

/** What is sent, in which order, and what is known of it. */
interface Sending {
  readonly ranges: readonly FilePartRange[];
  readonly md5s: HeldPartMd5s;
  readonly stored: StoredParts | undefined;
}

async function sendRanges(
  context: S3Context,
  { record, held }: BegunUpload,
  source: Source,
  { ranges, md5s, stored }: Sending,
  { signal, onBytes }: WriteOptions,
): Promise<SentPart[]> {
  const sent: SentPart[] = [];
  const key = context.keys.keyOf(record.path);
  const send = createPartSender(context, record.path);
  const findThere = async (
    target: PartTarget,
    range: FilePartRange,
    stop: AbortSignal,
  ): Promise<SentPart | undefined> => {
    const { number, start, end } = range;
    const earlier = held.get(number);
    const md5 = stored === undefined ? earlier && (await md5s.of(number)) : stored.now.md5s[number - 1];
    const known = knownPart(earlier, end - start, md5);
    if (stored === undefined) return known && sentPart(known);
    const there = known ?? (await copyStoredPart(context, record.path, stored, target, [start, end], stop));
    return there && { ...sentPart(there), isCopied: true };
  };
  await forEachBounded(ranges, context.parallelParts, signal, async (range, stop) => {
    const { number, start, end } = range;
    const target = { key, uploadId: record.uploadId, number };
    const there = await findThere(target, range, stop);
    if (there !== undefined) {
      sent[number - 1] = there;
      onBytes?.(end - start);
      return;
    }
    const lent = await context.memory.take(end - start, stop);
    let isQuiet = false;
    try {
      await readRange(source, start, lent.bytes, stop);
      const expected = stored?.now.md5s[number - 1];
      const earlier = held.get(number);
      const isCompared = expected !== undefined || earlier !== undefined;
      const md5 = isCompared ? await context.hasher.hash('md5', lent.bytes) : undefined;
      if (md5 !== undefined && expected !== undefined && expected !== hexOf(md5))
        throw new StaleError(`"${record.path}" was changed while it was uploaded.`);
      let isSentOnce = true;
      const onResend = (): void => {
        isSentOnce = false;
      };
      const known = knownPart(earlier, lent.bytes.length, md5 && hexOf(md5));
      sent[number - 1] = known
        ? sentPart(known)
        : await send({ target, bytes: lent.bytes, md5, signal: stop, onResend });
      // The store has all of it: nothing of it is on its way any more, unless an earlier try is.
      isQuiet = isSentOnce;
      onBytes?.(end - start);
    } finally {
      lent.release(isQuiet);
    }
  });
  return sent;
}

/** The part that the store holds from an earlier run, if it is the one with this MD5 in hex. */
function knownPart(earlier: HeldPart | undefined, sizeBytes: number, md5: string | undefined): HeldPart | undefined {
  return md5 !== undefined && earlier?.sizeBytes === sizeBytes && earlier.etag === md5 ? earlier : undefined;
}

/** A part whose ETag is its MD5. */
function sentPart(held: HeldPart): SentPart {
  return { ...held, md5: Buffer.from(held.etag, 'hex') };
}

/** An upload whose parts are all in the store, and what tells an object that was made of them. */
interface Completion {
  readonly context: S3Context;
  readonly record: RememberedUpload;
  readonly source: Source;
  readonly parts: readonly SentPart[];
  readonly precondition: Precondition;
  readonly signal: AbortSignal | undefined;
  /** ETags that our object may have: the one that its parts make, and what the store answered. */
  readonly etags: Set<string>;
}

async function completeUpload(
  context: S3Context,
  { record }: BegunUpload,
  source: Source,
  parts: readonly SentPart[],
  precondition: Precondition,
  signal: AbortSignal | undefined,
): Promise<Outcome<Written>> {
  const { path, partSizeBytes } = record;
  const combined = combinedEtag(parts.map(({ md5 }) => md5));
  const completion = { context, record, source, parts, precondition, signal, etags: new Set([combined]) };
  const outcome = await putTogether(completion).catch((error: unknown) => findPutTogether(completion, error));
  if (outcome.outcome === 'stale') return outcome;
  // Where the answer did not say it, another version may have taken the place of ours already.
  const etag = outcome.value === '' ? ownEtag(completion, await readState(context, path, signal)) : outcome.value;
  if (etag === undefined)
    return { outcome: 'stale', message: `"${path}" was changed in the bucket right after it was uploaded.` };
  const { sizeBytes } = source.entry;
  const done = written(path, source, { etag, sizeBytes }, `md5-${partSizeBytes}:${combined}`);
  return { ...done, parts: { partSizeBytes, md5s: parts.map(({ md5 }) => hexOf(md5)) } };
}

/** Has the store make an object of the parts; answers its ETag, or `''` where the store did not say it. */
async function putTogether(completion: Completion): Promise<Outcome<{ readonly value: string }>> {
  const { context, record, source, parts, precondition, signal, etags } = completion;
  const { path, uploadId } = record;
  const { dialect } = context;
  const { headers, trusted } = writeCondition(precondition, dialect.completeCreate, dialect.completeReplace, false);
  return guardedChange<string>(
    context,
    {
      action: `uploading "${path}"`,
      path,
      expected: precondition,
      trusted,
      before: () => source.verify(signal),
      async send() {
        const answer = await context.api.complete(context.keys.keyOf(path), uploadId, parts, headers, signal);
        if (answer.ok && answer.value !== '') etags.add(answer.value);
        return answer;
      },
      isOurs: (state) => ownEtag(completion, state) !== undefined,
      recover: (state) => ownEtag(completion, state) ?? '',
      judge: (failure) => (failure.code === 'NoSuchUpload' ? lostUpload(path) : undefined),
    },
    signal,
  );
}

/** An earlier try may have completed the upload without our hearing of it: then it is not there to be completed again. */
async function findPutTogether(completion: Completion, error: unknown): Promise<Outcome<{ readonly value: string }>> {
  if (!(error instanceof PathError) || error.code !== 'ERR_S3_UPLOAD_LOST') throw error;
  const { context, precondition, signal } = completion;
  const { path } = completion.record;
  const state = await readState(context, path, signal);
  const value = ownEtag(completion, state);
  if (value !== undefined) return { outcome: 'done', value };
  if (holds(state, precondition)) throw error;
  return { outcome: 'stale', message: `"${path}" was changed in the bucket while it was uploaded.` };
}

/**
 * The ETag of what stands there, if our upload made it; `undefined`: it did not, as far as can be told.
 *
 * By the ETag alone: size and number of parts are those of another machine's upload too. Where the store's ETags cannot be
 * foretold, a lost answer is stale, and the contents are compared.
 */
function ownEtag({ source, etags }: Completion, state: ObjectState | null): string | undefined {
  return state?.sizeBytes === source.entry.sizeBytes && etags.has(state.etag) ? state.etag : undefined;
}

/** Whether a later run can go on where this one ended. */
function isWorthKeeping(error: unknown): boolean {
  if (isAbort(error)) return true;
  if (error instanceof StaleError) return false;
  if (error instanceof PathError) return error.retryable;
  return true;
}
