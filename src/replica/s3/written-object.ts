import { StaleError } from '../../errors.js';
import type { Source, Written } from '../replica.js';
import { contentTypeOf } from './content-type.js';
import { fingerprintOf, formatMtime, type ObjectState } from './object-state.js';
import { readState, type S3Context } from './s3-context.js';

/** Content type and recorded time of the object that a source becomes. */
export function metadataOf(path: string, source: Source): Record<string, string> {
  const { modifiedMs } = source.entry;
  const metadata: Record<string, string> = { 'content-type': contentTypeOf(path) };
  if (modifiedMs !== undefined) metadata['x-amz-meta-mtime'] = formatMtime(modifiedMs);
  return metadata;
}

/** HEAD for the ETag that an answer did not give. */
export async function stateAfter(
  context: S3Context,
  path: string,
  signal: AbortSignal | undefined,
): Promise<ObjectState> {
  const state = await readState(context, path, signal);
  if (state === null) throw new StaleError(`"${path}" was removed from the bucket right after it was written.`);
  return state;
}

/** What a finished write answers. */
export function written(
  path: string,
  source: Source,
  { etag, sizeBytes }: Pick<ObjectState, 'etag' | 'sizeBytes'>,
  digest: string,
): { readonly outcome: 'done' } & Written {
  const { modifiedMs } = source.entry;
  return {
    outcome: 'done',
    entry: {
      kind: 'file',
      path,
      sizeBytes,
      fingerprint: fingerprintOf(etag, sizeBytes),
      modifiedMs,
      modifiedSource: 'mtime',
      digest,
    },
    digest,
  };
}
