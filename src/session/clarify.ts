import { compareDigests, schemeOf } from '../core/digest.js';
import type { BaselineRow } from '../core/baseline.js';
import type { FileEntry, ProblematicEntry } from '../core/entry.js';
import type { Triple } from '../core/triple.js';
import { PathError, StaleError } from '../errors.js';
import type { Replica } from '../replica/replica.js';
import { problemOf } from './problem-of.js';

/** How many files of one page are hashed at once. */
const HASH_CONCURRENCY = 4;

/** What {@link clarify} needs. */
export interface ClarifyContext {
  readonly local: Replica;
  readonly onHash: (path: string) => void;
  readonly nowMs: () => number;
  readonly signal?: AbortSignal;
}

/** A page with its doubts removed, and the rows that hashing proved to be still true. */
export interface Clarified {
  readonly triples: readonly Triple[];
  readonly refreshed: readonly BaselineRow[];
}

/**
 * Hashes local files whose fingerprint differs from the baseline's though their size does not: touched, restored from a backup,
 * recorded while they were racy. A file with the recorded content is unchanged, whatever its times say.
 *
 * Cost: nothing for files whose fingerprint is the recorded one.
 */
export async function clarify(context: ClarifyContext, triples: readonly Triple[]): Promise<Clarified> {
  const doubtful: number[] = [];
  for (const [index, triple] of triples.entries()) if (isDoubtful(triple)) doubtful.push(index);
  if (doubtful.length === 0) return { triples, refreshed: [] };
  const result = Array.from(triples);
  const refreshed: BaselineRow[] = [];
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < doubtful.length) {
      const index = doubtful[next++];
      const triple = index === undefined ? undefined : result[index];
      if (index === undefined || triple === undefined) return;
      const { baseline, local } = triple;
      if (baseline?.digest === undefined || local?.kind !== 'file') continue;
      const clarified = await hashOne(context, triple, baseline, local);
      result[index] = clarified.triple;
      if (clarified.row !== undefined) refreshed.push(clarified.row);
    }
  };
  await Promise.all(Array.from({ length: HASH_CONCURRENCY }, worker));
  return { triples: result, refreshed };
}

function isDoubtful({ local, baseline }: Triple): boolean {
  return (
    local?.kind === 'file' &&
    baseline !== undefined &&
    (baseline.local !== local.fingerprint || local.racy === true) &&
    baseline.sizeBytes === local.sizeBytes &&
    baseline.digest !== undefined
  );
}

async function hashOne(
  context: ClarifyContext,
  triple: Triple,
  baseline: BaselineRow,
  local: FileEntry,
): Promise<{ readonly triple: Triple; readonly row?: BaselineRow }> {
  const scheme = baseline.digest === undefined ? undefined : schemeOf(baseline.digest);
  if (scheme === undefined) return { triple };
  try {
    context.onHash(local.path);
    const digest = await context.local.digest(local, scheme, context.signal);
    if (compareDigests(digest, baseline.digest) !== 'same') return { triple };
  } catch (error) {
    // A file that changes while it is hashed is modified; carrying it looks again.
    if (error instanceof StaleError) return { triple };
    if (!(error instanceof PathError)) throw error;
    const problematic: ProblematicEntry = {
      kind: 'problematic',
      path: local.path,
      problem: problemOf(error, local.path, 'local'),
      subtree: false,
    };
    return { triple: { ...triple, local: problematic } };
  }
  const { replacing: _ended, ...row } = baseline;
  const { racy: _settled, ...certain } = local;
  return {
    triple: { ...triple, local: certain, baseline: { ...row, local: local.fingerprint } },
    // Racy still: it may change once more within the same tick of the file system's clock.
    row: { ...row, local: local.racy === true ? null : local.fingerprint, recordedAtMs: context.nowMs() },
  };
}
