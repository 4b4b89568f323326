import { ServiceError } from './service-error.js';
import type { ServiceContext } from './service-context.js';
import type { Tags } from './state.js';

/** Headers that are kept with an object and come back with it. */
const KEPT = [
  'content-type',
  'cache-control',
  'content-disposition',
  'content-encoding',
  'content-language',
  'expires',
  'x-amz-storage-class',
  'x-amz-website-redirect-location',
] as const;

const META = 'x-amz-meta-';
/** 2 KB of user metadata (Amazon S3 user guide, "Working with object metadata"). */
const MOST_METADATA_BYTES = 2048;
const MOST_KEY_BYTES = 1024;

/** Headers that ask for what this service does not do; answering 200 would be a lie. */
const UNKNOWN_TO_US =
  /^x-amz-(server-side-encryption-(customer-|aws-kms|context|bucket)|copy-source-server-side|object-lock|write-offset|grant-)/;

/** The headers to keep with a new object. Throws for those that ask for something else than they would get. */
export function keptHeaders(
  context: ServiceContext,
  headers: Readonly<Record<string, string>>,
): Record<string, string> {
  const kept: Record<string, string> = {};
  let metadataBytes = 0;
  for (const name in headers) {
    if (!name.startsWith('x-amz-')) continue;
    const value = headers[name] ?? '';
    if (name.startsWith(META)) {
      metadataBytes += Buffer.byteLength(name) - META.length + Buffer.byteLength(value);
      if (context.dialect.metadata === 'kept') kept[name] = value;
    } else if (UNKNOWN_TO_US.test(name)) throw new ServiceError('NotImplemented', { fields: { Header: name } });
  }
  if (metadataBytes > MOST_METADATA_BYTES)
    throw new ServiceError('MetadataTooLarge', {
      fields: { MaxSizeAllowed: String(MOST_METADATA_BYTES), Size: String(metadataBytes) },
    });
  const encryption = headers['x-amz-server-side-encryption'];
  if (encryption !== undefined && encryption !== 'AES256')
    throw new ServiceError('NotImplemented', { fields: { Header: 'x-amz-server-side-encryption' } });
  const acl = headers['x-amz-acl'];
  if (acl !== undefined && acl !== 'private' && acl !== 'bucket-owner-full-control')
    throw new ServiceError('AccessControlListNotSupported');
  for (const name of KEPT) {
    const value = headers[name];
    if (value !== undefined) kept[name] = value;
  }
  const encoding = headers['content-encoding'];
  if (encoding?.includes('aws-chunked') === true) {
    const rest = encoding.split(',').map((each) => each.trim());
    const others = rest.filter((each) => each !== 'aws-chunked' && each !== '').join(', ');
    if (others === '') delete kept['content-encoding'];
    else kept['content-encoding'] = others;
  }
  kept['content-type'] ??= 'binary/octet-stream';
  if (kept['x-amz-storage-class'] === 'STANDARD') delete kept['x-amz-storage-class'];
  return kept;
}

/** Throws `KeyTooLongError` for what no bucket can hold. */
export function checkKey(key: string): void {
  // Only a key of more than a third of the limit can be too long in UTF-8.
  if (key.length <= MOST_KEY_BYTES / 3) return;
  const size = Buffer.byteLength(key);
  if (size > MOST_KEY_BYTES)
    throw new ServiceError('KeyTooLongError', {
      fields: { Size: String(size), MaxSizeAllowed: String(MOST_KEY_BYTES) },
    });
}

/** The tags that a header brings, URL-encoded as `a=1&b=2`. */
export function headerTags(header: string | undefined): Tags {
  if (header === undefined || header === '') return [];
  return checkTags([...new URLSearchParams(header)]);
}

/** Throws `InvalidTag` unless these can be the tags of an object (at most 10, limits of AWS). */
export function checkTags(tags: Tags): Tags {
  if (tags.length > 10) throw new ServiceError('InvalidTag', { message: 'Object tags cannot be greater than 10' });
  if (new Set(tags.map(([name]) => name)).size !== tags.length)
    throw new ServiceError('InvalidTag', { message: 'Cannot provide multiple Tags with the same key' });
  for (const [name, value] of tags)
    if (name === '' || name.length > 128 || value.length > 256) throw new ServiceError('InvalidTag');
  return tags;
}
