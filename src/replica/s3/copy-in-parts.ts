import { StaleError } from '../../errors.js';
import type { Outcome } from '../replica.js';
import { carriedHeaders, carriedTo, trueOfCopy } from './carried-headers.js';
import { combinedEtag } from './combined-etag.js';
import { expectSource, type CopyPlan } from './copy-plan.js';
import { createUpload, forgetUpload } from './create-upload.js';
import { forEachBounded } from './for-each-bounded.js';
import { guardedChange } from './guarded-change.js';
import { partSizeFor, partsOf } from './part-size.js';
import type { HeldPart } from './s3-api.js';
import { holds, readState, type S3Context } from './s3-context.js';
import { failureError, isPreconditionFailure, type ServiceFailure } from './service-error.js';
import { writeCondition } from './write-condition.js';

/** Copied within the store: large parts cost nothing here. At most 5 GiB each. */
const COPY_PART_BYTES = 512 * 1024 * 1024;

/** Copies an object that is too large for one CopyObject. Its headers and metadata are set again on the copy. */
export async function copyInParts(context: S3Context, plan: CopyPlan): Promise<Outcome<{ readonly value: string }>> {
  const { path, to, source, precondition, recorded, signal } = plan;
  const { sizeBytes } = precondition.entry;
  const state = await readState(context, path, signal);
  if (state === null || !holds(state, precondition))
    return { outcome: 'stale', message: `"${path}" is not what was expected any more.` };

  const key = context.keys.keyOf(to);
  const partSizeBytes = partSizeFor(sizeBytes, Math.min(COPY_PART_BYTES, context.maxCopyBytes));
  const { fingerprint } = precondition;
  const carried = carriedTo(path, carriedHeaders(state), recorded);
  const upload = { path: to, fingerprint, partSizeBytes };
  const created = await createUpload(context, upload, trueOfCopy(source, carried), signal);
  if (!created.ok) throw copyError(context, plan, created.failure);
  const record = created.value;
  const { uploadId } = record;
  let isDone = false;
  try {
    const parts: HeldPart[] = [];
    await forEachBounded(
      partsOf(sizeBytes, partSizeBytes),
      context.parallelParts,
      signal,
      async ({ number, start, end }, stop) => {
        const answer = await context.api.copyPart({ key, uploadId, number }, source, [start, end], stop);
        if (!answer.ok) {
          if (isPreconditionFailure(answer.failure)) throw new StaleError(`"${path}" was changed while it was copied.`);
          throw copyError(context, plan, answer.failure);
        }
        parts[number - 1] = { number, etag: answer.value, sizeBytes: end - start };
      },
    );
    // Otherwise the parts may be of two versions.
    if (source.ifMatch === undefined) await expectSource(context, plan);
    const { headers, trusted } = writeCondition(null, context.dialect.completeCreate, 'none', false);
    const etags = new Set([combinedEtag(parts.map(({ etag }) => Buffer.from(etag, 'hex')))]);
    const outcome = await guardedChange<string>(
      context,
      {
        action: `copying "${path}" to "${to}"`,
        path: to,
        expected: null,
        trusted,
        async send() {
          const answer = await context.api.complete(key, uploadId, parts, headers, signal);
          if (answer.ok && answer.value !== '') etags.add(answer.value);
          return answer;
        },
        isOurs: (found) => found !== null && found.sizeBytes === sizeBytes && etags.has(found.etag),
        recover: (found) => found?.etag ?? '',
      },
      signal,
    );
    isDone = outcome.outcome === 'done';
    return outcome;
  } finally {
    await forgetUpload(context, record, !isDone);
  }
}

function copyError(context: S3Context, { path, to }: CopyPlan, failure: ServiceFailure): Error {
  return failureError(failure, { action: `copying "${path}" to "${to}"`, bucket: context.api.bucket, path });
}
