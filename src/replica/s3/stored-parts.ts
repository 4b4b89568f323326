import type { PartDigests } from '../../core/part-digests.js';
import { S3ConnectionError, StaleError } from '../../errors.js';
import type { Precondition, Source } from '../replica.js';
import { combinedEtag } from './combined-etag.js';
import { etagCondition, mayBeMd5 } from './dialect.js';
import { forEachBounded } from './for-each-bounded.js';
import { hexOf } from './digest-text.js';
import { findMovedContent, type MovedContent } from './moved-content.js';
import { etagOf } from './object-state.js';
import { partsOf } from './part-size.js';
import { readRange } from '../read-range.js';
import type { HeldPart, PartTarget } from './s3-api.js';
import { holds, readState, type S3Context } from './s3-context.js';
import { isTransientFailure } from './service-error.js';

/** The parts of a file that is about to be sent, beside the object that it replaces. */
export interface StoredParts {
  /** What the file consists of now. */
  readonly now: PartDigests;
  /** What the object consists of; `undefined`: the store has to be asked part by part. */
  readonly stored: PartDigests | undefined;
  readonly precondition: NonNullable<Precondition>;
  /** Parts of which the store said that they are others, and those that were the same. */
  readonly found: { different: number; same: number };
  /** What of it is in the object at another place, as far as that is known. */
  moved: MovedContent | undefined;
}

type Range = readonly [start: number, end: number];

/** With fewer parts than this, the parts that differ are most of the file. */
const LEAST_PARTS = 3;

/** When so many parts were asked for and none was the same, the file was written anew. */
const MOST_MISSES = 16;

/**
 * Reads a file once to compare its parts with those of the object that it replaces.
 *
 * @param stored what is known of the parts of the object; believed when they make its very ETag.
 * @returns `undefined` when nothing is to be gained, or when the new object could not be proven: the store has to make the ETags
 * of objects of their parts' MD5s, which is shown by the object itself, or else by the probe.
 */
export async function compareStoredParts(
  context: S3Context,
  source: Source,
  precondition: Precondition,
  stored: PartDigests | undefined,
  partSizeBytes: number,
  signal: AbortSignal | undefined,
): Promise<StoredParts | undefined> {
  const ranges = partsOf(source.entry.sizeBytes, partSizeBytes);
  if (precondition === null || ranges.length < LEAST_PARTS) return undefined;
  const isKnown = stored?.partSizeBytes === partSizeBytes && makeEtag(stored, etagOf(precondition.fingerprint));
  const { dialect } = context;
  if (!isKnown && !(dialect.partsMakeEtag && mayBeMd5(dialect))) return undefined;
  const md5s = (await source.partMd5s?.(partSizeBytes, signal)) ?? (await readMd5s(context, source, ranges, signal));
  const now = { partSizeBytes, md5s };
  const found = { different: 0, same: 0 };
  if (!isKnown) return { now, stored: undefined, precondition, found, moved: undefined };
  const sizes = { sizeBytes: source.entry.sizeBytes, earlierSizeBytes: precondition.entry.sizeBytes };
  const moved = await findMovedContent({ ...sizes, now, earlier: stored }, (start, end) =>
    md5Of(context, source, [start, end], signal),
  );
  return { now, stored, precondition, found, moved };
}

async function readMd5s(
  context: S3Context,
  source: Source,
  ranges: ReturnType<typeof partsOf>,
  signal: AbortSignal | undefined,
): Promise<string[]> {
  const md5s: string[] = [];
  await forEachBounded(ranges, context.parallelParts, signal, async ({ number, start, end }, stop) => {
    md5s[number - 1] = await md5Of(context, source, [start, end], stop);
  });
  return md5s;
}

async function md5Of(
  context: S3Context,
  source: Source,
  [start, end]: Range,
  signal: AbortSignal | undefined,
): Promise<string> {
  const lent = await context.memory.take(end - start, signal);
  try {
    await readRange(source, start, lent.bytes, signal);
    return hexOf(await context.hasher.hash('md5', lent.bytes));
  } finally {
    lent.release(true);
  }
}

function makeEtag({ md5s }: PartDigests, etag: string): boolean {
  return combinedEtag(md5s.map((md5) => Buffer.from(md5, 'hex'))) === etag;
}

/**
 * Makes a part out of the object that is replaced, within the store, if the object has it. The store says the MD5 of what
 * it copied, which has to be that of the file's part.
 *
 * @returns `undefined` when the part has to be sent: it differs, or the store does not copy parts as it should.
 * @throws StaleError when another object stands there by now.
 */
export async function copyStoredPart(
  context: S3Context,
  path: string,
  parts: StoredParts,
  target: PartTarget,
  [start, end]: Range,
  signal: AbortSignal,
): Promise<HeldPart | undefined> {
  const { number } = target;
  const { now, stored, precondition, found } = parts;
  const md5 = now.md5s[number - 1];
  const from = placeInObject(parts, number, [start, end]);
  if (md5 === undefined || !context.dialect.copyPart || from === undefined) return undefined;
  const ifMatch = etagCondition(context.dialect.copySource, etagOf(precondition.fingerprint));
  const answer = await context.api
    .copyPart(target, { key: target.key, ifMatch }, from, signal)
    .catch((error: unknown) => {
      if (error instanceof S3ConnectionError && error.code === 'ERR_S3_BAD_ANSWER') return undefined;
      throw error;
    });
  if (answer?.ok === true && answer.value === md5) {
    found.same += 1;
    return { number, etag: md5, sizeBytes: end - start };
  }
  found.different += 1;
  // The part is another one there, as it may be, and is sent over what was copied.
  if (answer?.ok === true && stored === undefined) return undefined;
  if (answer?.ok === false) {
    const { failure } = answer;
    // What ended the upload, or passes by itself, is met again by sending the part.
    if (failure.code === 'NoSuchUpload' || isTransientFailure(failure)) return undefined;
    if (!holds(await readState(context, path, signal), precondition))
      throw new StaleError(`"${path}" was changed in the bucket while it was uploaded.`);
  }
  if (from[0] === start) context.dialect = { ...context.dialect, copyPart: false };
  // A store may copy its own parts and nothing that lies across two of them.
  else if (parts.moved !== undefined && start >= parts.moved.start) parts.moved = undefined;
  return undefined;
}

/** Where in the object the content of a part is, or may be; `undefined`: it is not known to be in there. */
function placeInObject(
  { now, stored, found, moved, precondition }: StoredParts,
  number: number,
  range: Range,
): Range | undefined {
  const [start, end] = range;
  const reachesSoFar = end <= precondition.entry.sizeBytes;
  if (stored === undefined) {
    const isHopeless = found.same === 0 && found.different >= MOST_MISSES;
    return reachesSoFar && !isHopeless ? range : undefined;
  }
  if (reachesSoFar && stored.md5s[number - 1] === now.md5s[number - 1]) return range;
  // What was moved may begin earlier than it is known to, within the part before: the store can tell.
  const isMoved = moved !== undefined && end > moved.start && start >= moved.by;
  return isMoved ? [start - moved.by, end - moved.by] : undefined;
}
