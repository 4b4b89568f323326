import { optionErrors, throwUsageErrors } from './check-options.js';
import { shown } from './option-checks.js';

/** A bucket, and the prefix below which keys take part. */
export interface Address {
  readonly bucket: string;
  /** Empty, or ends with `/`. */
  readonly prefix: string;
}

/**
 * Reads a bucket as people give it: a name, or `s3://bucket/prefix`, and the option `prefix`.
 *
 * @throws UsageError `ERR_USAGE` with everything that is wrong.
 */
export function toAddress(bucket: string, prefix?: string): Address {
  const errors = [...addressErrors(bucket, prefix), ...optionErrors('sync', { prefix })];
  throwUsageErrors('the bucket', errors);
  const parsed = splitBucket(bucket);
  return { bucket: parsed.bucket, prefix: withSlash(parsed.prefix === '' ? (prefix ?? '') : parsed.prefix) };
}

/** The address as `s3://bucket/prefix`. */
export function addressText(address: Address): string {
  return `s3://${address.bucket}/${address.prefix}`;
}

/** Everything that is wrong with a bucket and a prefix, one sentence each. */
export function addressErrors(bucket: unknown, prefix?: unknown): string[] {
  if (typeof bucket !== 'string') return [`the bucket must be a name or "s3://bucket/prefix", not ${shown(bucket)}`];
  const errors: string[] = [];
  const parsed = splitBucket(bucket);
  const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(bucket)?.[1];
  if (scheme !== undefined && scheme.toLowerCase() !== 's3') {
    errors.push(`the bucket must be a name or "s3://bucket/prefix"; ${shown(`${scheme}://`)} is not supported`);
  } else if (!/^[A-Za-z0-9][A-Za-z0-9._-]{2,254}$/.test(parsed.bucket) && !parsed.bucket.startsWith('arn:')) {
    // The rules of AWS are stricter; old buckets and other services allow upper case, "_" and 255 characters.
    errors.push(`the name of a bucket has at least 3 letters, digits, ".", "-" or "_", not ${shown(parsed.bucket)}`);
  }
  for (const part of [parsed.prefix, typeof prefix === 'string' ? prefix : '']) {
    const wrong = prefixError(part);
    if (wrong !== undefined) errors.push(wrong);
  }
  if (typeof prefix === 'string' && parsed.prefix !== '' && withSlash(prefix) !== withSlash(parsed.prefix)) {
    errors.push(
      `the prefix is given twice, as ${shown(parsed.prefix)} in the bucket and as ${shown(prefix)} in "prefix"`,
    );
  }
  return errors;
}

function splitBucket(bucket: string): { bucket: string; prefix: string } {
  const rest = bucket.replace(/^s3:\/\//i, '');
  // A bare name has no prefix; an ARN of an access point has slashes of its own.
  if (rest === bucket) return { bucket, prefix: '' };
  const slash = rest.indexOf('/');
  return slash === -1 ? { bucket: rest, prefix: '' } : { bucket: rest.slice(0, slash), prefix: rest.slice(slash + 1) };
}

function prefixError(prefix: string): string | undefined {
  const segments = withSlash(prefix).split('/').slice(0, -1);
  if (segments.includes('') || segments.includes('.') || segments.includes('..')) {
    return `a prefix has no empty part, "." or ".." between its slashes, unlike ${shown(prefix)}`;
  }
  if (segments[0] === '.filecloudsync')
    return 'the prefix ".filecloudsync" is where this program keeps its own objects';
  return prefix.includes('\0') ? 'a prefix has no NUL character' : undefined;
}

function withSlash(prefix: string): string {
  return prefix === '' || prefix.endsWith('/') ? prefix : `${prefix}/`;
}
