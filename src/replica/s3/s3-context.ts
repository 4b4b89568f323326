import type { FileEntry } from '../../core/entry.js';
import type { Hasher } from '../../core/hasher.js';
import type { GatheredWork } from '../../core/gathered-work.js';
import type { Runtime } from '../../core/runtime.js';
import type { Precondition } from '../replica.js';
import type { Backoff } from '../wrap/backoff.js';
import type { BodyMemory } from '../wrap/body-memory.js';
import type { ClockOffset } from './clock-offset.js';
import { mayBeMd5, type Dialect } from './dialect.js';
import { digestOfState, entryOf, fingerprintOf, type ObjectState } from './object-state.js';
import type { S3Api } from './s3-api.js';
import type { KeyMap } from './s3-keys.js';
import { failureError } from './service-error.js';
import type { FactMemory, UploadMemory } from './upload-memory.js';

/** What the operations of one S3 replica share. */
export interface S3Context {
  readonly api: S3Api;
  readonly keys: KeyMap;
  readonly runtime: Runtime;
  readonly backoff: Backoff;
  readonly memory: BodyMemory;
  readonly hasher: Hasher;
  readonly uploads: UploadMemory;
  readonly facts: FactMemory;
  readonly clockOffset: ClockOffset;
  readonly partSizeBytes: number;
  /** Parts of one file in flight. */
  readonly parallelParts: number;
  /** The most that one GET asks for; `undefined`: no bound. */
  readonly mostRangeBytes: number | undefined;
  /** Pages of a listing in flight or waiting to be used. */
  readonly parallelLists: number;
  /** Objects above it are copied by parts. */
  readonly maxCopyBytes: number;
  /** Do not ask again at `verify` whether an object is still there that was read in one answer. */
  readonly trustWholeReads: boolean;
  /** Looks whether the bucket is there still, which those that may be cut off by the same signal have in common. */
  readonly bucketLooks: GatheredWork<AbortSignal | undefined>;
  /** Known after `prepare`. */
  dialect: Dialect;
  /** The store has not said yet that it cannot copy. */
  canCopy: boolean;
}

/** What stands at a path now: HEAD. Throws what {@link failureError} makes of a refusal other than "not there". */
export async function readState(
  context: S3Context,
  path: string,
  signal: AbortSignal | undefined,
): Promise<ObjectState | null> {
  const answer = await context.api.head(context.keys.keyOf(path), signal);
  if (answer.ok) {
    noteEncryption(context, answer.value);
    return answer.value;
  }
  if (answer.failure.status === 404) return null;
  throw failureError(answer.failure, {
    action: `looking at the object of "${path}"`,
    bucket: context.api.bucket,
    path,
  });
}

/** Learns from an object whose ETag says nothing of its content: a bucket with one of them has more, and a listing does not say which. */
export function noteEncryption(context: S3Context, { isEtagOpaque }: ObjectState): void {
  if (isEtagOpaque && context.dialect.etagIsMd5 !== false) context.dialect = { ...context.dialect, etagIsMd5: false };
}

/** Tells whether what stands is what was expected. */
export function holds(state: ObjectState | null, precondition: Precondition): boolean {
  if (state === null || precondition === null) return state === precondition;
  return fingerprintOf(state.etag, state.sizeBytes) === precondition.fingerprint;
}

/** The entry of a state. */
export function toEntry(context: S3Context, path: string, state: ObjectState): FileEntry {
  const isProven = state.md5 !== undefined || mayBeDigest(context, state.sizeBytes);
  return entryOf(path, state, isProven ? digestOfState(state) : undefined, context.clockOffset.ms);
}

/** From this size on an object may have been sent in parts: what stores ask of every part but the last. */
const LEAST_PART_BYTES = 5 * 1024 * 1024;

/**
 * Tells whether an ETag that looks like an MD5 may be taken for that of the content, as far as the headers of the object
 * allow: not where the ETag of an object of parts cannot be told from it.
 */
export function mayBeDigest({ dialect, partSizeBytes }: S3Context, sizeBytes: number): boolean {
  const isInOnePiece = dialect.partsMakeEtag || sizeBytes < Math.min(LEAST_PART_BYTES, partSizeBytes);
  return isInOnePiece && mayBeMd5(dialect);
}
