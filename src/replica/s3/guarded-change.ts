import { PathError, type FileCloudSyncError } from '../../errors.js';
import type { Outcome, Precondition, Stale } from '../replica.js';
import { isTransientError } from './wrap/retry.js';
import type { ObjectState } from './object-state.js';
import type { Answer } from './s3-api.js';
import { holds, readState, type S3Context } from './s3-context.js';
import {
  failureError,
  isPreconditionFailure,
  isUnsupported,
  isWorthRepeating,
  type ServiceFailure,
} from './service-error.js';

/** One change of one object, and how to tell that it took effect. */
export interface GuardedChange<T> {
  /** What is tried, for messages, as `uploading "a.txt"`. */
  readonly action: string;
  readonly path: string;
  readonly expected: Precondition;
  /** The store is known to honour the condition that `send` carries. */
  readonly trusted: boolean;
  /** Called before each try; what it throws ends the change. */
  readonly before?: () => Promise<void> | undefined;
  /** Sends the change, with its condition. Called again for each try. */
  readonly send: () => Promise<Answer<T>>;
  /** Tells whether the change is what made this state. */
  readonly isOurs: (state: ObjectState | null) => boolean;
  /** The result when only the state is known, because the answer was lost. */
  readonly recover: (state: ObjectState | null) => T;
  /** Looks whether a refusal means that the change took effect before, or can never; `undefined`: neither. */
  readonly judge?: (failure: ServiceFailure) => FileCloudSyncError | undefined;
}

/**
 * Carries out a change of one object under a precondition.
 *
 * - Where the store honours conditions, the condition decides; an answer that was lost is followed by a look at the store
 *   before anything is sent again: our change there means done, the expected state means again, anything else is stale.
 * - Where it does not, the store is looked at before and after.
 *   RACE: another writer between the look and the change is overwritten; the window is one request long.
 *
 * @returns `stale` when something else stands there than was expected; it says when a change of ours may have come before that.
 * @throws PathError, or S3ConnectionError when the store cannot be used.
 */
export async function guardedChange<T>(
  context: S3Context,
  change: GuardedChange<T>,
  signal: AbortSignal | undefined,
): Promise<Outcome<{ readonly value: T }>> {
  const { action, expected, path, trusted } = change;
  /** A request of ours was sent of which nobody knows whether it took effect. */
  let mayHaveActed = false;
  for (let attempt = 1; ; attempt++) {
    const isLast = attempt >= context.backoff.attempts;
    if (!trusted || mayHaveActed) {
      const state = await readState(context, path, signal);
      if (mayHaveActed && change.isOurs(state)) return { outcome: 'done', value: change.recover(state) };
      if (!holds(state, expected)) return stale(path, expected, state, mayHaveActed);
    }
    const ready = change.before?.();
    if (ready !== undefined) await ready;
    let waitMs = 0;
    try {
      const answer = await change.send();
      if (answer.ok)
        return trusted
          ? { outcome: 'done', value: answer.value }
          : await confirm(context, change, answer.value, signal);
      const { failure } = answer;
      const verdict = change.judge?.(failure);
      if (verdict !== undefined) throw verdict;
      if (isPreconditionFailure(failure)) {
        const state = await readState(context, path, signal);
        if (mayHaveActed && change.isOurs(state)) return { outcome: 'done', value: change.recover(state) };
        // 409 says that somebody else was writing at the same time: what counts is what stands now.
        if (!holds(state, expected)) return stale(path, expected, state, mayHaveActed);
        if (isLast) throw refused(action, path, failure);
      } else {
        if (!isWorthRepeating(failure)) throw unsupportedOr(failure, action, path, context.api.bucket);
        if (isLast) throw failureError(failure, { action, bucket: context.api.bucket, path });
        // Throttled means not acted upon, where the service itself says so; a proxy in front may say it afterwards.
        mayHaveActed = true;
        waitMs = failure.retryAfterMs;
      }
    } catch (error) {
      if (!isTransientError(error) || !isLostAnswer(error)) throw error;
      mayHaveActed = true;
      if (isLast) return await lastLook(context, change, error, signal);
    }
    await context.backoff.wait(attempt, signal, waitMs);
  }
}

/** After the last try: the change may stand there all the same. */
async function lastLook<T>(
  context: S3Context,
  change: GuardedChange<T>,
  error: unknown,
  signal: AbortSignal | undefined,
): Promise<Outcome<{ readonly value: T }>> {
  const state = await readState(context, change.path, signal);
  if (change.isOurs(state)) return { outcome: 'done', value: change.recover(state) };
  throw error;
}

/** Looks at the store after a change whose condition it may have ignored. */
async function confirm<T>(
  context: S3Context,
  change: GuardedChange<T>,
  value: T,
  signal: AbortSignal | undefined,
): Promise<Outcome<{ readonly value: T }>> {
  const state = await readState(context, change.path, signal);
  if (change.isOurs(state)) return { outcome: 'done', value };
  return {
    outcome: 'stale',
    message: `"${change.path}" was changed by somebody else right after it was changed here.`,
    mayHaveActed: true,
  };
}

/** Errors of our own that say something about the path are no lost answers. */
function isLostAnswer(error: unknown): boolean {
  return !(error instanceof PathError);
}

function stale(path: string, expected: Precondition, state: ObjectState | null, mayHaveActed: boolean): Stale {
  const wanted = expected === null ? 'nothing' : `the version ${expected.fingerprint}`;
  const found = state === null ? 'nothing' : `the version ${state.etag}:${state.sizeBytes}`;
  const message = `At "${path}" in the bucket ${wanted} was expected, ${found} was found.`;
  return { outcome: 'stale', message, ...(mayHaveActed && { mayHaveActed }) };
}

function refused(action: string, path: string, failure: ServiceFailure): PathError {
  return new PathError(
    'ERR_S3_CONDITION_REFUSED',
    `${action.charAt(0).toUpperCase()}${action.slice(1)} failed: the store refuses the condition (${failure.status} ${failure.code}) though what it asks for holds. Run again; if it stays, run with \`probe: false\`, the careful way.`,
    { data: { path, status: failure.status, serviceCode: failure.code }, retryable: true },
  );
}

function unsupportedOr(failure: ServiceFailure, action: string, path: string, bucket: string): FileCloudSyncError {
  if (!isUnsupported(failure) || failure.status !== 501) return failureError(failure, { action, bucket, path });
  return new PathError(
    'ERR_S3_NOT_SUPPORTED',
    `${action.charAt(0).toUpperCase()}${action.slice(1)} failed: the store does not support what was asked (${failure.status} ${failure.code}: ${failure.message}). Nothing was changed; exclude the path, or use another store.`,
    { data: { path, status: failure.status, serviceCode: failure.code } },
  );
}
