import { StaleError } from '../../errors.js';
import type { Precondition } from '../replica.js';
import type { ObjectState } from './object-state.js';
import type { CopySource } from './s3-api.js';
import { holds, readState, type S3Context } from './s3-context.js';

/** What both ways of copying need. */
export interface CopyPlan {
  readonly path: string;
  readonly to: string;
  readonly source: CopySource;
  readonly precondition: NonNullable<Precondition>;
  /** What is recorded with the copy, where that differs from what is recorded with the object: a type, a time. */
  readonly recorded: Readonly<Record<string, string>>;
  readonly signal: AbortSignal | undefined;
}

/** Reads the source of a copy. Throws `StaleError` when it is not what was expected. */
export async function expectSource(context: S3Context, { path, precondition, signal }: CopyPlan): Promise<ObjectState> {
  const state = await readState(context, path, signal);
  if (state === null || !holds(state, precondition))
    throw new StaleError(`"${path}" is not what was expected any more.`);
  return state;
}
