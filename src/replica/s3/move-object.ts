import { copyWith } from '../../core/copy-with.js';
import type { FileEntry } from '../../core/entry.js';
import { PathError } from '../../errors.js';
import type { MoveOptions, Outcome, Precondition } from '../replica.js';
import { contentTypeOf } from './content-type.js';
import { carriedHeaders, carriedTo, trueOfCopy } from './carried-headers.js';
import { copyInParts } from './copy-in-parts.js';
import { expectSource, type CopyPlan } from './copy-plan.js';
import { etagCondition } from './dialect.js';
import { guardedChange } from './guarded-change.js';
import { etagOf, fingerprintOf, formatMtime } from './object-state.js';
import { removeObject } from './remove-object.js';
import { holds, readState, toEntry, type S3Context } from './s3-context.js';
import { writeCondition } from './write-condition.js';
import { stateAfter } from './written-object.js';

/**
 * Gives an object another key: copies it where nothing stands, then deletes the old one if it is still the same.
 * Content type and metadata go along, a type that followed from the old name is that of the new one. When the old one changed
 * meanwhile, the copy is taken away again, unless it is wanted in any case, or may be the only one.
 *
 * @throws PathError `ERR_S3_NOT_SUPPORTED` where the store cannot copy.
 */
export async function moveObject(
  context: S3Context,
  path: string,
  to: string,
  precondition: NonNullable<Precondition>,
  { signal, keepsCopy = false, modifiedMs }: MoveOptions,
): Promise<Outcome<{ readonly entry: FileEntry }>> {
  if (!context.canCopy) throw cannotCopy(path);
  const etag = etagOf(precondition.fingerprint);
  const ifMatch = etagCondition(context.dialect.copySource, etag);
  if (ifMatch === undefined) {
    // The store would copy whatever stands there: look first. RACE: until the copy is made.
    const state = await readState(context, path, signal);
    if (!holds(state, precondition))
      return { outcome: 'stale', message: `"${path}" is not what was expected any more.` };
  }
  const recorded = {
    ...(contentTypeOf(path) !== contentTypeOf(to) && { 'content-type': contentTypeOf(to) }),
    ...(modifiedMs !== undefined && { 'x-amz-meta-mtime': formatMtime(modifiedMs) }),
  };
  const plan = { path, to, source: { key: context.keys.keyOf(path), ifMatch }, precondition, recorded, signal };
  const copied =
    precondition.entry.sizeBytes > context.maxCopyBytes
      ? await copyInParts(context, plan)
      : await copyWhole(context, plan);
  // A move that was cut off may have made the copy already.
  if (copied.outcome === 'stale' && (keepsCopy || !holds(await readState(context, to, signal), precondition)))
    return copied;

  // An answer with the ETag of the old object says all that a look would say.
  const isKnown = copied.outcome === 'done' && copied.value === etag && context.dialect.copyCreate;
  let entry: FileEntry = { ...precondition.entry, path: to, ...(modifiedMs !== undefined && { modifiedMs }) };
  if (!isKnown) {
    const state = await stateAfter(context, to, signal);
    const made = copied.outcome === 'done' ? copied.value : etag;
    // Another one wrote there since: what stands there now is no copy of ours, and not ours to take away.
    if (made !== '' && state.etag !== made)
      return { outcome: 'stale', message: `"${to}" was changed right after "${path}" was copied to it.` };
    entry = toEntry(context, to, state);
  }
  if (entry.sizeBytes !== precondition.entry.sizeBytes) return await takeBack(context, plan, entry);
  const removed = await removeObject(context, path, precondition, { ...(signal !== undefined && { signal }) });
  if (removed.outcome === 'stale') {
    // Where it may be we who deleted the object, before another one came there, the copy may be all that is left of it.
    if (!keepsCopy && removed.mayHaveActed !== true) await takeBack(context, plan, entry);
    return removed;
  }
  return { outcome: 'done', entry };
}

async function copyWhole(context: S3Context, plan: CopyPlan): Promise<Outcome<{ readonly value: string }>> {
  const { path, to, source, precondition, signal } = plan;
  const { headers, trusted } = writeCondition(null, context.dialect.copyCreate, 'none', false);
  const described = await describeCopy(context, plan);
  const etags = new Set([etagOf(precondition.fingerprint)]);
  return guardedChange<string>(
    context,
    {
      action: `copying "${path}" to "${to}"`,
      path: to,
      expected: null,
      trusted,
      async send() {
        const answer = await context.api.copy(source, context.keys.keyOf(to), copyWith(described, headers), signal);
        if (answer.ok) etags.add(answer.value);
        else if (answer.failure.status === 501) context.canCopy = false;
        // 404 and 412 may be about the source: then what is expected at the destination still holds.
        if (!answer.ok && (answer.failure.status === 404 || answer.failure.status === 412))
          await expectSource(context, plan);
        return answer;
      },
      isOurs: (state) => state !== null && state.sizeBytes === precondition.entry.sizeBytes && etags.has(state.etag),
      recover: (state) => state?.etag ?? '',
    },
    signal,
  );
}

/** The headers that say what is recorded with a copy. */
async function describeCopy(context: S3Context, plan: CopyPlan): Promise<Readonly<Record<string, string>>> {
  const { path, recorded, source } = plan;
  const asItWas = { 'x-amz-metadata-directive': 'COPY' };
  if (Object.keys(recorded).length === 0) return asItWas;
  const before = carriedHeaders(await expectSource(context, plan));
  const carried = carriedTo(path, before, recorded);
  return carried === before ? asItWas : { 'x-amz-metadata-directive': 'REPLACE', ...trueOfCopy(source, carried) };
}

function cannotCopy(path: string): PathError {
  return new PathError(
    'ERR_S3_NOT_SUPPORTED',
    `Copying "${path}" within the bucket failed: the store has said before that it does not support it. Nothing was changed; exclude the path, or use another store.`,
    { data: { path } },
  );
}

async function takeBack(context: S3Context, { to, path }: CopyPlan, entry: FileEntry): Promise<Outcome<never>> {
  await removeObject(
    context,
    to,
    { fingerprint: fingerprintOf(etagOf(entry.fingerprint), entry.sizeBytes), entry },
    {},
  );
  return {
    outcome: 'stale',
    message: `"${path}" was changed while it was moved; the copy at "${to}" was taken away again.`,
  };
}
