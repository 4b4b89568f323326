import { compareDigests, schemeOf, type Digest, type DigestScheme } from '../core/digest.js';
import type { FileEntry } from '../core/entry.js';
import { readRange } from '../replica/read-range.js';
import type { Source } from '../replica/replica.js';
import type { TransferContext } from './context.js';

const MIB = 1024 * 1024;

/**
 * Part sizes that uploaders use: the AWS SDKs and rclone 5, aws-cli and s3fs 8, rclone's later default 10, boto's old default 15 and 16,
 * s5cmd 50, and powers of two.
 */
const USUAL_PART_SIZES_MIB = [5, 8, 10, 15, 16, 20, 25, 32, 50, 64, 100, 128, 256, 512, 1024];

/** The first bytes are compared before the rest: most files that differ, differ there. */
const FIRST_RANGE_BYTES = 64 * 1024;
const RANGE_BYTES = 8 * MIB;

/** What a comparison found. `digest` is one that is now known of the common content. */
export interface ContentComparison {
  readonly verdict: 'same' | 'different' | 'unknown';
  readonly digest: Digest | undefined;
}

const UNKNOWN: ContentComparison = { verdict: 'unknown', digest: undefined };
const DIFFERENT: ContentComparison = { verdict: 'different', digest: undefined };

/**
 * Compares two observed files without transferring them: by size, then by the digest that the remote side can name.
 *
 * `same` is certain. `different` is certain only when the sizes differ: an ETag that has the form of a digest
 * need not be one (SSE-KMS, several stores), so a mismatch answers `unknown`.
 *
 * @throws StaleError when either file is not the observed one any more.
 */
export async function sameContentByDigest(
  context: TransferContext,
  local: FileEntry,
  remote: FileEntry,
): Promise<ContentComparison> {
  if (local.sizeBytes !== remote.sizeBytes) return DIFFERENT;
  for (const scheme of schemesToTry(context, remote)) {
    const theirs = remote.digest ?? (await context.remote.digest(remote, scheme, context.signal));
    if (theirs === undefined) continue;
    context.onHash(local.path);
    const ours = await context.local.digest(local, scheme, context.signal);
    if (compareDigests(ours, theirs) === 'same') return { verdict: 'same', digest: theirs };
  }
  return UNKNOWN;
}

/**
 * Compares two observed files, reading both when digests do not settle it. Cost: at most one download, and none when the sizes differ.
 *
 * @throws StaleError when either file is not the observed one any more.
 */
export async function sameContent(
  context: TransferContext,
  local: FileEntry,
  remote: FileEntry,
): Promise<ContentComparison & { readonly verdict: 'same' | 'different' }> {
  const byDigest = await sameContentByDigest(context, local, remote);
  if (byDigest.verdict !== 'unknown') return { ...byDigest, verdict: byDigest.verdict };
  const verdict = (await sameBytes(context, local, remote)) ? 'same' : 'different';
  if (verdict === 'different') return { verdict, digest: undefined };
  const digest = await context.local.digest(local, { partSizeBytes: undefined }, context.signal);
  return { verdict, digest };
}

function schemesToTry(context: TransferContext, remote: FileEntry): DigestScheme[] {
  const known = remote.digest === undefined ? undefined : schemeOf(remote.digest);
  if (known !== undefined) return [known];
  const sizes = new Set<number | undefined>([context.remote.schemeFor(remote.sizeBytes).partSizeBytes]);
  for (const mib of USUAL_PART_SIZES_MIB) sizes.add(mib * MIB);
  return Array.from(sizes, (partSizeBytes) => ({ partSizeBytes }));
}

async function sameBytes(context: TransferContext, local: FileEntry, remote: FileEntry): Promise<boolean> {
  context.onHash(local.path);
  const ours = await context.local.open(local, context.signal);
  try {
    const theirs = await context.remote.open(remote, context.signal);
    try {
      const same = await sameRanges(ours, theirs, local.sizeBytes, context.signal);
      await ours.verify(context.signal);
      await theirs.verify(context.signal);
      return same;
    } finally {
      await theirs.close();
    }
  } finally {
    await ours.close();
  }
}

async function sameRanges(a: Source, b: Source, sizeBytes: number, signal: AbortSignal | undefined): Promise<boolean> {
  for (let start = 0; start < sizeBytes;) {
    const end = Math.min(sizeBytes, start === 0 ? FIRST_RANGE_BYTES : start + RANGE_BYTES);
    const [x, y] = await Promise.all([bytesOf(a, start, end, signal), bytesOf(b, start, end, signal)]);
    if (!equalBytes(x, y)) return false;
    start = end;
  }
  return true;
}

async function bytesOf(
  source: Source,
  start: number,
  end: number,
  signal: AbortSignal | undefined,
): Promise<Uint8Array> {
  const bytes = new Uint8Array(end - start);
  await readRange(source, start, bytes, signal);
  return bytes;
}

function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0;
}
