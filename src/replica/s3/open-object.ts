import { createHash } from 'node:crypto';
import type { FileEntry } from '../../core/entry.js';
import { PathError, StaleError } from '../../errors.js';
import type { PartHints, Source } from '../replica.js';
import { discard } from './wrap/discard.js';
import { isTransientError } from './wrap/retry.js';
import { etagCondition, learnEtag } from './dialect.js';
import { bareEtag, etagOf, fingerprintOf, isMd5Hex, readObjectState, type ObjectState } from './object-state.js';
import { readPartHints } from './part-hints.js';
import { readBody, wholeBodyOf } from './read-body.js';
import { holds, noteEncryption, readState, toEntry, type S3Context } from './s3-context.js';
import { isContent } from './s3-api.js';
import { failureError, readFailure } from './service-error.js';
import type { S3Response } from './transport.js';

/** Up to here a file is fetched when it is opened: one request gives its recorded time and its content. */
const EAGER_BYTES = 256 * 1024;

/** How often a body that broke off is continued without having given a byte more. */
const MAX_BREAKS = 5;

/** How often it is continued at all: a server that gives a byte at a time is no server. */
const MAX_CONTINUATIONS = 100;

/**
 * Opens an object: pins it by its ETag, which every answer is checked against, and learns its recorded time.
 *
 * A small file costs one GET in all; a larger one a HEAD, unless its time is known, and a GET for each range.
 *
 * @throws StaleError when another version stands there, or none.
 */
export function openObject(context: S3Context, entry: FileEntry, signal: AbortSignal | undefined): Promise<Source> {
  // What goes in parts may be wanted in part.
  const eagerBytes = Math.min(EAGER_BYTES, context.partSizeBytes, context.mostRangeBytes ?? EAGER_BYTES);
  const isSmall = entry.sizeBytes > 0 && entry.sizeBytes <= eagerBytes;
  return isSmall ? openSmall(context, entry, signal) : openLarge(context, entry, signal);
}

interface PinnedObject {
  readonly path: string;
  readonly etag: string;
  readonly sizeBytes: number;
}

function pin({ path, fingerprint, sizeBytes }: FileEntry): PinnedObject {
  return { path, etag: etagOf(fingerprint), sizeBytes };
}

async function openLarge(context: S3Context, entry: FileEntry, signal: AbortSignal | undefined): Promise<Source> {
  const pinned = pin(entry);
  // Of an object of parts HEAD may tell more than its time.
  if (entry.modifiedSource === 'mtime' && isMd5Hex(pinned.etag)) return sourceOf(context, entry, pinned, undefined);
  const state = await headPinned(context, pinned, signal);
  return sourceOf(context, toEntry(context, pinned.path, state), pinned, undefined, readPartHints(state));
}

async function openSmall(context: S3Context, entry: FileEntry, signal: AbortSignal | undefined): Promise<Source> {
  const pinned = pin(entry);
  for (let attempt = 1; ; attempt++) {
    const response = await requestRange(context, pinned, 0, pinned.sizeBytes, signal);
    try {
      const body = wholeBodyOf(response) ?? (await readBody(response, pinned.sizeBytes, () => tooLong(pinned)));
      if (body.length > pinned.sizeBytes) throw tooLong(pinned);
      if (body.length === pinned.sizeBytes) {
        const state: ObjectState = readObjectState(response.headers, pinned.sizeBytes);
        if (context.dialect.etagIsMd5 === undefined && !state.isEtagOpaque && isMd5Hex(state.etag)) {
          context.dialect = learnEtag(context.dialect, createHash('md5').update(body).digest('hex') === state.etag);
        }
        noteEncryption(context, state);
        return sourceOf(context, toEntry(context, pinned.path, state), pinned, body, readPartHints(state));
      }
      if (attempt >= MAX_BREAKS) throw tooShort(pinned, body.length);
    } catch (error) {
      if (attempt >= MAX_BREAKS || !isTransientError(error)) throw error;
    }
    await context.backoff.wait(attempt, signal);
  }
}

function sourceOf(
  context: S3Context,
  entry: FileEntry,
  pinned: PinnedObject,
  content: Uint8Array | undefined,
  parts?: PartHints,
): Source {
  let held = content;
  let isWholeRead = false;
  return {
    entry,
    parts,
    async *read(start, end, signal) {
      if (start < 0 || end > pinned.sizeBytes || start > end) {
        throw new RangeError(`"${pinned.path}" has ${pinned.sizeBytes} bytes; ${start} to ${end} were asked for.`);
      }
      if (start === end) return;
      if (held !== undefined) yield held.subarray(start, end);
      else {
        const step = context.mostRangeBytes ?? end - start;
        for (let at = start; at < end; at += step)
          yield* readRanges(context, pinned, at, Math.min(end, at + step), signal);
      }
      if (held !== undefined && end - start === pinned.sizeBytes) isWholeRead = true;
    },
    content() {
      isWholeRead ||= held !== undefined;
      return held;
    },
    verify(signal) {
      // One answer gave everything: it is the pinned version, whole, and what came later is a later change.
      if (isWholeRead && context.trustWholeReads) return undefined;
      return headPinned(context, pinned, signal).then(() => undefined);
    },
    close() {
      held = undefined;
      return undefined;
    },
  };
}

/** Reads a range, and goes on where a body broke off. */
async function* readRanges(
  context: S3Context,
  pinned: PinnedObject,
  start: number,
  end: number,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array> {
  let at = start;
  let breaks = 0;
  for (let continuation = 0; ; continuation++) {
    const response = await requestRange(context, pinned, at, end, signal);
    const before = at;
    let reason: unknown;
    try {
      // A store that ignores ranges sends all from the beginning.
      let surplus = response.status === 200 ? at : 0;
      for await (const chunk of response.body) {
        const wanted = chunk.subarray(Math.min(surplus, chunk.length), surplus + end - at);
        if (response.status === 206 && wanted.length < chunk.length) throw tooLong(pinned);
        surplus -= Math.min(surplus, chunk.length);
        at += wanted.length;
        if (wanted.length > 0) yield wanted;
        // Only then the connection is given up for it.
        if (at === end && response.status === 200 && end < pinned.sizeBytes) return;
      }
    } catch (error) {
      if (!isTransientError(error)) throw error;
      reason = error;
    }
    if (at === end) return;
    breaks = at > before ? 1 : breaks + 1;
    if (breaks > MAX_BREAKS || continuation >= MAX_CONTINUATIONS)
      throw reason instanceof Error ? reason : tooShort(pinned, at);
    await context.backoff.wait(breaks, signal);
  }
}

async function requestRange(
  context: S3Context,
  pinned: PinnedObject,
  start: number,
  end: number,
  signal: AbortSignal | undefined,
): Promise<S3Response> {
  const { path, etag } = pinned;
  for (;;) {
    const condition = etagCondition(context.dialect.read, etag);
    const range = `bytes=${start}-${end - 1}`;
    const headers: Record<string, string> = condition === undefined ? { range } : { range, 'if-match': condition };
    const response = await context.api.get(context.keys.keyOf(path), headers, signal);
    if (isContent(response)) {
      const problem = problemOf(response, pinned, start, end);
      if (problem === undefined) return response;
      await discard(response);
      throw problem;
    }
    const failure = await readFailure(response);
    if (failure.status === 404) throw gone(pinned);
    if (failure.status === 412 || failure.status === 416 || failure.status === 304) {
      await headPinned(context, pinned, signal);
      // What stands there is the pinned version: the store gets the condition wrong, and the ETag of its answer has to do.
      if (condition !== undefined) {
        context.dialect = { ...context.dialect, read: 'none' };
        continue;
      }
    }
    throw failureError(failure, { action: `downloading "${path}"`, bucket: context.api.bucket, path });
  }
}

/** The store may have ignored the condition: the answer has to say that it is of the pinned version. */
function problemOf(
  { status, headers }: S3Response,
  pinned: PinnedObject,
  start: number,
  end: number,
): Error | undefined {
  const { path, etag, sizeBytes } = pinned;
  if (bareEtag(headers['etag']) !== etag) return gone(pinned);
  if (status !== 206 || headers['content-range'] === `bytes ${start}-${end - 1}/${sizeBytes}`) return undefined;
  return wrongRange(path, `the range "${headers['content-range'] ?? ''}"`);
}

async function headPinned(
  context: S3Context,
  pinned: PinnedObject,
  signal: AbortSignal | undefined,
): Promise<ObjectState> {
  const state = await readState(context, pinned.path, signal);
  const entry = state === null ? undefined : toEntry(context, pinned.path, state);
  if (
    state === null ||
    entry === undefined ||
    !holds(state, { fingerprint: fingerprintOf(pinned.etag, pinned.sizeBytes), entry })
  )
    throw gone(pinned);
  return state;
}

function gone({ path }: PinnedObject): StaleError {
  return new StaleError(`"${path}" in the bucket is not the version any more that was looked at.`, { data: { path } });
}

function wrongRange(path: string, found: string): PathError {
  return new PathError(
    'ERR_S3_RANGE',
    `Downloading "${path}" failed: a part of it was asked for and the store answered ${found}. Check what stands between here and the store.`,
    {
      data: { path },
    },
  );
}

function tooShort({ path, sizeBytes }: PinnedObject, received: number): PathError {
  return new PathError(
    'ERR_S3_SHORT_BODY',
    `Downloading "${path}" failed: ${received} bytes came where ${sizeBytes} were promised. It is tried again in the next run.`,
    {
      data: { path },
      retryable: true,
    },
  );
}

function tooLong({ path, sizeBytes }: PinnedObject): PathError {
  return new PathError(
    'ERR_S3_LONG_BODY',
    `Downloading "${path}" failed: more bytes came than the ${sizeBytes} of the object. Check what stands between here and the store.`,
    {
      data: { path },
    },
  );
}
