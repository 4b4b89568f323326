import { UsageError } from '../errors.js';
import { shown } from './option-checks.js';

/**
 * Takes an address apart: `s3://bucket/some/key` is `['s3', 'bucket', 'some/key']`. Nothing is decoded, because a key may
 * hold any character. Without a key the last part is empty.
 *
 * @throws UsageError `ERR_USAGE` for what is no address.
 *
 * @example
 * ```ts
 * import { s3 } from 'filecloudsync';
 * const [scheme, bucket, key] = s3.split('s3://pictures/2026/a.jpg');
 * console.log(scheme, bucket, key);
 * ```
 */
export function split(address: string): [scheme: string, bucket: string, key: string] {
  const match = typeof address === 'string' ? /^([a-z][a-z0-9+.-]*):\/\/([^/]+)(?:\/([^]*))?$/i.exec(address) : null;
  const [, scheme, bucket, key] = match ?? [];
  if (scheme === undefined || bucket === undefined) {
    throw new UsageError('ERR_USAGE', `The address must look like "s3://bucket/key", not ${shown(address)}.`);
  }
  return [scheme.toLowerCase(), bucket, key ?? ''];
}
