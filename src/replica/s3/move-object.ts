import type { FileEntry } from '../../core/entry.js';
import { StaleError } from '../../errors.js';
import type { ChangeOptions, Outcome, Precondition } from '../replica.js';
import { copyInParts } from './copy-in-parts.js';
import { etagCondition } from './dialect.js';
import { guardedChange } from './guarded-change.js';
import { etagOf, fingerprintOf } from './object-state.js';
import { removeObject } from './remove-object.js';
import type { CopySource } from './s3-api.js';
import { holds, readState, toEntry, type S3Context } from './s3-context.js';
import { writeCondition } from './write-condition.js';
import { stateAfter } from './written-object.js';

/** What both ways of copying need. */
export interface CopyPlan {
  readonly path: string;
  readonly to: string;
  readonly source: CopySource;
  readonly precondition: NonNullable<Precondition>;
  readonly signal: AbortSignal | undefined;
}

/**
 * Gives an object another key: copies it where nothing stands, then deletes the old one if it is still the same.
 * Content type and metadata go along. When the old one changed meanwhile, the copy is taken away again.
 */
export async function moveObject(
  context: S3Context,
  path: string,
  to: string,
  precondition: NonNullable<Precondition>,
  { signal }: ChangeOptions,
): Promise<Outcome<{ readonly entry: FileEntry }>> {
  const etag = etagOf(precondition.fingerprint);
  const ifMatch = etagCondition(context.dialect.copySource, etag);
  if (ifMatch === undefined) {
    // The store would copy whatever stands there: look first. RACE: until the copy is made.
    const state = await readState(context, path, signal);
    if (!holds(state, precondition))
      return { outcome: 'stale', message: `"${path}" is not what was expected any more.` };
  }
  const plan = { path, to, source: { key: context.keys.keyOf(path), ifMatch }, precondition, signal };
  const copied =
    precondition.entry.sizeBytes > context.maxCopyBytes
      ? await copyInParts(context, plan)
      : await copyWhole(context, plan);
  // A move that was cut off may have made the copy already.
  if (copied.outcome === 'stale' && !holds(await readState(context, to, signal), precondition)) return copied;

  const state = await stateAfter(context, to, signal);
  const entry = toEntry(context, to, state);
  if (entry.sizeBytes !== precondition.entry.sizeBytes) return await takeBack(context, plan, entry);
  const removed = await removeObject(context, path, precondition, { ...(signal !== undefined && { signal }) });
  if (removed.outcome === 'stale') {
    await takeBack(context, plan, entry);
    return removed;
  }
  return { outcome: 'done', entry };
}

async function copyWhole(
  context: S3Context,
  { path, to, source, precondition, signal }: CopyPlan,
): Promise<Outcome<object>> {
  const { headers, trusted } = writeCondition(null, context.dialect.copyCreate, 'none', false);
  const etags = new Set([etagOf(precondition.fingerprint)]);
  return guardedChange<string>(
    context,
    {
      action: `copying "${path}" to "${to}"`,
      path: to,
      expected: null,
      trusted,
      async send() {
        const answer = await context.api.copy(
          source,
          context.keys.keyOf(to),
          { 'x-amz-metadata-directive': 'COPY', ...headers },
          signal,
        );
        if (answer.ok) etags.add(answer.value);
        // 404 and 412 may be about the source: then what is expected at the destination still holds.
        if (!answer.ok && (answer.failure.status === 404 || answer.failure.status === 412))
          await expectSource(context, path, precondition, signal);
        return answer;
      },
      isOurs: (state) => state !== null && state.sizeBytes === precondition.entry.sizeBytes && etags.has(state.etag),
      recover: (state) => state?.etag ?? '',
    },
    signal,
  );
}

/** Throws `StaleError` when the source of a copy is not what was expected. */
async function expectSource(
  context: S3Context,
  path: string,
  precondition: Precondition,
  signal: AbortSignal | undefined,
): Promise<void> {
  const state = await readState(context, path, signal);
  if (!holds(state, precondition)) throw new StaleError(`"${path}" is not what was expected any more.`);
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
