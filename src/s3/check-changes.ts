import type { S3Client } from '@aws-sdk/client-s3';
import type { Problem } from '../core/problem.js';
import type { HeldPath } from '../session/result.js';
import { toChange, type Change } from './change.js';
import { callOptions, checkPairCall, openOptions, openRealPair, type OpenPair } from './open-port.js';
import type { SyncOptions } from './sync-options.js';
import { withProperties } from './sync-result.js';

/** What {@link checkChanges} answers: the changes that a {@link sync} would carry over, and beside them what it could not. */
export type ExpectedChanges = Change[] & {
  /** Paths that could not be handled. */
  readonly problems: readonly Problem[];
  /** Paths that would be left alone, with the reason. */
  readonly held: readonly HeldPath[];
  /** Keys that exist on both sides and are not known to be the same: `sync` compares their contents first. */
  readonly compares: readonly string[];
  /** Why `sync` would stop before it changes anything; `undefined`: it would not. */
  readonly halt: { readonly code: string; readonly message: string } | undefined;
};

/**
 * Answers the changes that {@link sync} would carry over, with the same arguments. Touches neither side.
 *
 * Costs the listing of the bucket and the walk over the folder; no content is transferred.
 *
 * @throws what `sync` throws, but for a halt, which is `halt` of the answer.
 *
 * @example
 * ```ts
 * import { s3 } from 'filecloudsync';
 * const client = await s3.connect();
 * const changes = await s3.checkChanges(client, 'pictures', 'photos');
 * console.log(changes.length === 0 ? 'the same' : changes);
 * ```
 */
export async function checkChanges(
  client: S3Client,
  bucket: string,
  folder: string,
  options: SyncOptions = {},
  open: OpenPair = openRealPair,
): Promise<ExpectedChanges> {
  checkPairCall('checkChanges', client, bucket, folder, options);
  options.signal?.throwIfAborted();
  // Nothing may be written, and a plan does not need to know what the service honours.
  const pair = await open(client, bucket, folder, openOptions({ ...options, probe: false }));
  try {
    const { changes, problems, held, compares, halt } = await pair.plan(
      callOptions(options.signal, options.onProgress),
    );
    return withProperties(changes.map(toChange), { problems, held, compares, halt });
  } finally {
    await pair.close();
  }
}
