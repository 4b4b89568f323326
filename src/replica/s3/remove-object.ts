import type { ChangeOptions, Outcome, Precondition } from '../replica.js';
import { etagCondition } from './dialect.js';
import { guardedChange } from './guarded-change.js';
import { etagOf } from './object-state.js';
import type { S3Context } from './s3-context.js';

/** Deletes an object, if it is the expected one. */
export async function removeObject(
  context: S3Context,
  path: string,
  precondition: NonNullable<Precondition>,
  { signal }: ChangeOptions,
): Promise<Outcome<object>> {
  const condition = etagCondition(context.dialect.remove, etagOf(precondition.fingerprint));
  const outcome = await guardedChange<undefined>(
    context,
    {
      action: `deleting "${path}"`,
      path,
      expected: precondition,
      trusted: condition !== undefined,
      send: () =>
        context.api.remove(context.keys.keyOf(path), condition === undefined ? {} : { 'if-match': condition }, signal),
      isOurs: (state) => state === null,
      recover: () => undefined,
    },
    signal,
  );
  return outcome.outcome === 'done' ? { outcome: 'done' } : outcome;
}
