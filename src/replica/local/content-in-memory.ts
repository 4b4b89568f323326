import { hash } from 'node:crypto';
import { schemeOf } from '../../core/digest.js';
import type { Source } from '../replica.js';
import { incomplete, mismatch } from './content-error.js';
import { combineParts } from './digest-file.js';
import type { NewFile } from './file-system.js';
import { planRanges } from './fill-stage.js';
import type { LocalContext } from './local-context.js';
import { timeForDisk, type StagedContent } from './staged-file.js';

/** Content of a source that is in memory, found to be what was expected. */
export interface ContentInMemory extends Omit<StagedContent, 'stat'> {
  readonly file: NewFile;
}

/**
 * The content of a source that is in memory, if it is one range, and the file need not be read again for its digest.
 *
 * @throws PathError when it has another length or digest than it should.
 */
export function contentInMemory(
  context: LocalContext,
  path: string,
  source: Source,
  bytes: Uint8Array,
): ContentInMemory | undefined {
  const { digest: certain, sizeBytes, modifiedMs } = source.entry;
  const expected = certain ?? source.parts?.digest;
  const known = expected === undefined ? undefined : schemeOf(expected);
  const { count, hashed, rangeBytes } = planRanges(sizeBytes, known, context.stageRangeBytes);
  if (count !== 1 || hashed === undefined) return undefined;
  if (bytes.length !== sizeBytes) throw incomplete(path, sizeBytes, bytes.length);
  const md5 = hash('md5', bytes, 'buffer');
  const digest = combineParts([md5], hashed);
  if (certain !== undefined && known !== undefined && digest !== certain) throw mismatch(path, certain, digest);
  const isProved = digest === expected && hashed.partSizeBytes !== undefined;
  return {
    file: { bytes, modifiedMs: timeForDisk(modifiedMs) },
    digest,
    parts: isProved ? { partSizeBytes: rangeBytes, md5s: [md5.toString('hex')] } : undefined,
  };
}
