/**
 * What was done to a file.
 *
 * @example
 * ```ts
 * import { s3 } from 'filecloudsync';
 * const client = await s3.connect();
 * const changes = await s3.sync(client, 'pictures', 'photos');
 * const added = changes.filter((change) => change.operation === s3.Operation.ADDED);
 * ```
 */
export const Operation = { ADDED: 'added', MODIFIED: 'modified', DELETED: 'deleted' } as const;

/** One of the values of the constant {@link Operation}. */
export type Operation = (typeof Operation)[keyof typeof Operation];
