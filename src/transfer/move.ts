import type { BaselineRow } from '../core/baseline.js';
import type { Decision, RuleId } from '../core/decision.js';
import { compareDigests, schemeOf } from '../core/digest.js';
import type { FileEntry } from '../core/entry.js';
import { TIME_TIE_MS } from '../core/resolve.js';
import type { Side } from '../core/side.js';
import { PathError } from '../errors.js';
import type { Outcome } from '../replica/replica.js';
import type { TransferContext } from './context.js';
import { expecting } from './expecting.js';
import type { PathOutcome } from './path-outcome.js';
import { recordAgreement } from './record.js';
import { sameContentByDigest, type ContentComparison } from './same-content.js';

/** A file at the path it had before it was renamed, and what both sides had agreed on there. */
export interface MovedFile {
  readonly rule: RuleId;
  /** On the side on which it is to be moved. */
  readonly file: FileEntry;
  readonly baseline: BaselineRow;
}

/**
 * Carries a rename in the folder to the remote side, without sending the content.
 *
 * Before anything is moved, the file is hashed and found to have the agreed content, and its old path to be empty still.
 */
export async function moveRemote(
  context: TransferContext,
  { path, rule }: Decision,
  local: FileEntry,
  from: MovedFile,
): Promise<PathOutcome> {
  const { baseline } = from;
  const again = (message: string): PathOutcome => ({ type: 'again', paths: [from.file.path, path], message });
  const content = await contentOfMoved(context, local, from);
  if (content.verdict !== 'same') return again(`${path} is not the file of ${baseline.path}.`);
  const standing = await context.local.observe(baseline.path, context.signal);
  if (standing !== null && standing.kind !== 'directory') return again(`${baseline.path} exists again in the folder.`);
  const moved = await movedOrNot(() =>
    context.remote.move(baseline.path, path, expecting(from.file), {
      signal: context.signal,
      keepsCopy: true,
      // The very file has the very time.
      ...(isSameFile(context, local, baseline) ? {} : { modifiedMs: local.modifiedMs }),
    }),
  );
  if (moved === undefined) return { type: 'apart' };
  if (moved.outcome === 'stale') return again(moved.message);
  await recordAgreement(context, local, moved.entry, content.digest);
  await context.baseline.delete([baseline.path]);
  return done(path, rule, from, 'local');
}

/**
 * Carries a rename in the bucket into the folder, without fetching the content.
 *
 * Before anything is moved, the bucket is asked about both objects themselves: the old one is gone, and the new one has the
 * content that both sides had agreed on.
 */
export async function moveLocal(
  context: TransferContext,
  { path, rule }: Decision,
  seen: FileEntry,
  from: MovedFile,
): Promise<PathOutcome> {
  const { file } = from;
  const again = (message: string): PathOutcome => ({ type: 'again', paths: [file.path, path], message });
  const [standing, remote] = await Promise.all([
    context.remote.observe(file.path, context.signal),
    context.remote.observe(path, context.signal),
  ]);
  if (standing?.kind === 'file') return again(`${file.path} is in the bucket, though its list did not say so.`);
  if (remote?.kind !== 'file' || remote.fingerprint !== seen.fingerprint) {
    return again(`${path} changed in the bucket after it was looked at.`);
  }
  const content = await contentOfCopy(context, remote, from);
  if (content.verdict !== 'same') return again(`${path} is not known to be ${file.path} renamed.`);
  if (hasOtherTime(file, remote)) return { type: 'apart' };
  // RACE: an object created at the old path since that look is not seen here; the next cycle downloads it.
  const moved = await movedOrNot(() =>
    context.local.move(file.path, path, expecting(file), { signal: context.signal, keepsCopy: true }),
  );
  if (moved === undefined) return { type: 'apart' };
  if (moved.outcome === 'stale') return again(moved.message);
  await recordAgreement(context, moved.entry, remote, content.digest);
  await context.baseline.delete([file.path]);
  return done(path, rule, from, 'remote');
}

/** Compares a local file with what was agreed on at the path it had; where no digest of that is known, with the object itself. */
async function contentOfMoved(
  context: TransferContext,
  local: FileEntry,
  { file, baseline }: MovedFile,
): Promise<ContentComparison> {
  const { digest } = baseline;
  const scheme = digest === undefined ? undefined : schemeOf(digest);
  if (scheme === undefined) return sameContentByDigest(context, local, file);
  if (local.sizeBytes !== baseline.sizeBytes) return { verdict: 'different', digest: undefined };
  context.onHash(local.path);
  return { verdict: compareDigests(await context.local.digest(local, scheme, context.signal), digest), digest };
}

/** Compares an object with what was agreed on; where its digest is of another kind (of parts, or of a copy of them), with the local file. */
async function contentOfCopy(
  context: TransferContext,
  remote: FileEntry,
  { file, baseline }: MovedFile,
): Promise<ContentComparison> {
  const { digest } = baseline;
  const scheme = digest === undefined ? undefined : schemeOf(digest);
  if (scheme !== undefined && remote.sizeBytes === baseline.sizeBytes) {
    const isAlike = remote.digest !== undefined && schemeOf(remote.digest)?.partSizeBytes === scheme.partSizeBytes;
    const theirs = isAlike ? remote.digest : await context.remote.digest(remote, scheme, context.signal);
    const verdict = compareDigests(theirs, digest);
    if (verdict !== 'unknown') return { verdict, digest };
  }
  return sameContentByDigest(context, file, remote);
}

/** `undefined`: the side cannot carry it this way, though nothing has changed. */
async function movedOrNot<T>(move: () => Promise<Outcome<T>>): Promise<Outcome<T> | undefined> {
  try {
    return await move();
  } catch (error) {
    if (error instanceof PathError) return undefined;
    throw error;
  }
}

function isSameFile(context: TransferContext, local: FileEntry, baseline: BaselineRow): boolean {
  if (baseline.local === null) return false;
  const before = context.local.identityOf(baseline.local);
  return before !== undefined && before === context.local.identityOf(local.fingerprint);
}

/** A move keeps the time of the file: where another one is recorded with the object, only a download brings it. */
function hasOtherTime(file: FileEntry, remote: FileEntry): boolean {
  if (remote.modifiedSource !== 'mtime' || remote.modifiedMs === undefined || file.modifiedMs === undefined)
    return false;
  return Math.abs(remote.modifiedMs - file.modifiedMs) > TIME_TIE_MS;
}

function done(path: string, rule: RuleId, from: MovedFile, origin: Side): PathOutcome {
  const gone = from.baseline.path;
  return {
    type: 'done',
    rule,
    change: { path, operation: 'added', origin, from: gone },
    gone: { rule: from.rule, change: { path: gone, operation: 'deleted', origin, to: path } },
  };
}
