import type { Side } from '../core/side.js';

/**
 * The side on which a change was made.
 *
 * @example
 * ```ts
 * import { s3 } from 'filecloudsync';
 * const client = await s3.connect();
 * const changes = await s3.sync(client, 'pictures', 'photos');
 * const arrived = changes.filter((change) => change.location === s3.Location.BUCKET);
 * ```
 */
export const Location = { LOCAL: 'local', BUCKET: 'bucket' } as const;

/** One of the values of the constant {@link Location}. */
export type Location = (typeof Location)[keyof typeof Location];

/** The location that stands for a side. */
export function toLocation(side: Side): Location {
  return side === 'local' ? Location.LOCAL : Location.BUCKET;
}
