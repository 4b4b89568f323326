import path from 'node:path';
import { UsageError } from '../errors.js';
import { describePair, pairIdOf, type PairIdentity } from './pair-identity.js';

/** The first of `pairs` that must not be synced beside `pair`: the same folder, or one inside the other, with another place. */
export function findOverlap<T extends PairIdentity>(pair: PairIdentity, pairs: readonly T[]): T | undefined {
  const id = pairIdOf(pair);
  return pairs.find(
    (other) => pairIdOf(other) !== id && (contains(pair.folder, other.folder) || contains(other.folder, pair.folder)),
  );
}

/** The refusal, naming both pairs and the ways out. */
export function overlapError(pair: PairIdentity, other: PairIdentity): UsageError {
  const same = pair.folder === other.folder;
  const relation = same
    ? 'is already synced with another place'
    : contains(other.folder, pair.folder)
      ? 'lies inside a folder that is already synced'
      : 'holds a folder that is already synced';
  return new UsageError(
    'ERR_FOLDER_PAIRED_ELSEWHERE',
    `The folder ${pair.folder} ${relation}: ${describePair(other)}. Syncing it with s3://${pair.bucket}/${pair.prefix} at ${pair.endpoint} ` +
      `as well would carry the files of one into the other. Choose another folder; or forget the other pair with ` +
      `\`filecloudsync forget ${other.folder} s3://${other.bucket}/${other.prefix}\`; or allow the overlap, if that is what you want.`,
    { data: { pair: { ...pair }, other: { ...other } } },
  );
}

function contains(outer: string, inner: string): boolean {
  const relative = path.relative(outer, inner);
  return relative === '' || (relative !== '..' && !relative.startsWith(`..${path.sep}`) && !path.isAbsolute(relative));
}
