import { compareByteOrder } from '../../core/byte-order.js';
import type { Dialect, ListingRules } from './dialects.js';
import { bucketOf, integerParameter, OWNER_ID, type ServiceContext } from './service-context.js';
import type { ServiceAnswer, ServiceRequest } from './service.js';
import { ServiceError, xmlAnswer } from './service-error.js';
import type { BucketRecord, ObjectRecord, ObjectVersion } from './state.js';
import { isoTime } from './time.js';
import { escapeXml, XML_HEAD, XML_NAMESPACE } from './xml.js';

const OWNER_XML = `<Owner><ID>${OWNER_ID}</ID><DisplayName>${OWNER_ID}</DisplayName></Owner>`;

/** Answers ListObjectsV2. */
export function listObjectsV2(context: ServiceContext, request: ServiceRequest): ServiceAnswer {
  const { dialect } = context;
  const { query } = request;
  if (!dialect.listing.version2) return listObjects(context, request);
  if (query['list-type'] !== '2') throw new ServiceError('InvalidArgument', { message: 'Invalid List Type' });
  const bucket = bucketOf(context, request);
  const ask = askOf(query, dialect);
  const token = query['continuation-token'];
  const startAfter = query['start-after'];
  const start =
    token === undefined
      ? startAfter === undefined || !dialect.listing.startAfter
        ? START
        : afterKey(startAfter)
      : readToken(token);
  const page = collectPage(bucket, ask, start, dialect.listing);
  let xml = headOf('ListBucketResult', bucket, ask);
  if (token !== undefined) xml += `<ContinuationToken>${escapeXml(token)}</ContinuationToken>`;
  if (page.next !== undefined && dialect.listing.token !== 'absent') {
    const next = dialect.listing.token === 'repeats' && token !== undefined ? token : writeToken(page.next);
    xml += `<NextContinuationToken>${escapeXml(next)}</NextContinuationToken>`;
  }
  if (startAfter !== undefined) xml += `<StartAfter>${ask.encode(startAfter)}</StartAfter>`;
  xml += `<KeyCount>${page.contents.length + page.prefixes.length}</KeyCount>${limitsOf(ask, page)}`;
  xml += entriesOf(page, ask, dialect, query['fetch-owner'] === 'true');
  return xmlAnswer(`${xml}</ListBucketResult>`);
}

/** Answers ListObjects, the first version of LIST. */
export function listObjects(context: ServiceContext, request: ServiceRequest): ServiceAnswer {
  const { dialect } = context;
  const bucket = bucketOf(context, request);
  const ask = askOf(request.query, dialect);
  const marker = request.query['marker'] ?? '';
  const page = collectPage(bucket, ask, marker === '' ? START : afterMarker(marker, ask), dialect.listing);
  let xml = `${headOf('ListBucketResult', bucket, ask)}<Marker>${ask.encode(marker)}</Marker>`;
  // AWS gives NextMarker only with a delimiter; otherwise the last key serves.
  if (page.next !== undefined && ask.delimiter !== '') xml += `<NextMarker>${ask.encode(page.next.after)}</NextMarker>`;
  xml += limitsOf(ask, page) + entriesOf(page, ask, dialect, true);
  return xmlAnswer(`${xml}</ListBucketResult>`);
}

/** What all LIST requests ask. */
export interface ListAsk {
  readonly prefix: string;
  readonly delimiter: string;
  readonly most: number;
  /** Encodes a key for the document. */
  readonly encode: (text: string) => string;
  readonly urlEncoded: boolean;
}

/** Reads what all LIST requests ask. */
export function askOf(query: Readonly<Record<string, string>>, dialect: Dialect, most = 'max-keys'): ListAsk {
  const encoding = query['encoding-type'];
  if (encoding !== undefined && encoding !== 'url')
    throw new ServiceError('InvalidArgument', { message: 'Invalid Encoding Method specified in Request' });
  const urlEncoded = encoding === 'url' && dialect.listing.encodingType;
  return {
    prefix: query['prefix'] ?? '',
    delimiter: query['delimiter'] ?? '',
    most: integerParameter(query, most, Math.min(1000, dialect.listing.pageSize), dialect.listing.pageSize),
    encode: urlEncoded ? urlEncode : escapeXml,
    urlEncoded,
  };
}

/** Encodes a key as `encoding-type=url` does: like a form, but `/` stays. */
export function urlEncode(text: string): string {
  if (/^[\w.\-*/]*$/.test(text)) return text;
  return encodeURIComponent(text)
    .replace(/%20/g, '+')
    .replace(/%2F/g, '/')
    .replace(/[!'()~]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`);
}

/** Where a page begins: after a key or, when `group` is set, after everything that begins with it. */
interface Start {
  readonly after: string;
  readonly group: boolean;
  /** In orders that the index does not have: how many entries were given already. */
  readonly skipped?: number;
}

const START: Start = { after: '', group: false };

interface Page {
  readonly contents: ObjectRecord[];
  readonly prefixes: string[];
  /** Where the next page begins; `undefined` when there is none. */
  next: Start | undefined;
}

interface RecordSource {
  next(): ObjectRecord | undefined;
}

function collectPage(bucket: BucketRecord, ask: ListAsk, start: Start, rules: ListingRules): Page {
  const page: Page = { contents: [], prefixes: [], next: undefined };
  if (ask.most === 0) return page;
  const prefix = rules.prefix ? ask.prefix : '';
  const isIndexed = rules.order === 'utf8';
  let cursor = isIndexed ? indexFrom(bucket, prefix, start) : sortedFrom(bucket, prefix, start, rules);
  const exclusive = isIndexed && !start.group && !rules.repeatsBoundary ? start.after : undefined;
  let last = start;
  let consumed = start.skipped ?? 0;
  let group: string | undefined;
  for (let record = cursor.next(); record !== undefined; record = cursor.next()) {
    const { key } = record;
    if (isIndexed && !key.startsWith(prefix)) break;
    consumed++;
    if (key === exclusive || record.versions[0]?.deleteMarker === true) continue;
    if (group !== undefined && key.startsWith(group)) continue;
    if (page.contents.length + page.prefixes.length >= ask.most) {
      page.next = isIndexed ? last : { after: '', group: false, skipped: consumed - 1 };
      break;
    }
    const end = ask.delimiter === '' ? -1 : key.indexOf(ask.delimiter, prefix.length);
    if (end === -1) {
      page.contents.push(record);
      last = { after: key, group: false };
      continue;
    }
    group = key.slice(0, end + ask.delimiter.length);
    page.prefixes.push(group);
    last = { after: group, group: true };
    if (isIndexed) cursor = bucket.objects.after(group);
  }
  return page;
}

function indexFrom(bucket: BucketRecord, prefix: string, start: Start): RecordSource {
  if (start.group) return bucket.objects.after(start.after);
  return bucket.objects.from(compareByteOrder(start.after, prefix) > 0 ? start.after : prefix);
}

/** For dialects that list in another order: everything, sorted anew for each page. */
function sortedFrom(bucket: BucketRecord, prefix: string, start: Start, rules: ListingRules): RecordSource {
  const records = [...bucket.objects].filter(({ key }) => key.startsWith(prefix));
  if (rules.order === 'utf16') records.sort((a, b) => (a.key < b.key ? -1 : 1));
  else records.sort((a, b) => scatter(a.key) - scatter(b.key));
  let at = start.skipped ?? 0;
  return {
    next() {
      // Only start-after comes without a count.
      for (;;) {
        const record = records[at++];
        if (
          record === undefined ||
          start.skipped !== undefined ||
          start.after === '' ||
          compareByteOrder(record.key, start.after) > 0
        )
          return record;
      }
    },
  };
}

/** A number that has nothing to do with the order of keys (FNV-1a). */
function scatter(key: string): number {
  let value = 0x811c9dc5;
  for (let i = 0; i < key.length; i++) value = Math.imul(value ^ key.charCodeAt(i), 0x01000193);
  return value >>> 0;
}

function afterKey(after: string): Start {
  return { after, group: false };
}

function afterMarker(marker: string, ask: ListAsk): Start {
  if (ask.delimiter === '' || !marker.startsWith(ask.prefix)) return afterKey(marker);
  const at = marker.indexOf(ask.delimiter, ask.prefix.length);
  return { after: marker, group: at !== -1 && at + ask.delimiter.length === marker.length };
}

function writeToken(start: Start): string {
  const kind = start.skipped === undefined ? (start.group ? 'g' : 'k') : 'n';
  return Buffer.from(`${kind}${start.skipped ?? start.after}`).toString('base64url');
}

function readToken(token: string): Start {
  const text = Buffer.from(token, 'base64url').toString();
  const rest = text.slice(1);
  if (Buffer.from(text).toString('base64url') === token) {
    if (text.startsWith('g') || text.startsWith('k')) return { after: rest, group: text.startsWith('g') };
    if (text.startsWith('n') && /^\d+$/.test(rest)) return { after: '', group: false, skipped: Number(rest) };
  }
  throw new ServiceError('InvalidArgument', {
    message: 'The continuation token provided is incorrect',
    fields: { ArgumentName: 'continuation-token' },
  });
}

function headOf(name: string, bucket: BucketRecord, ask: ListAsk): string {
  return `${XML_HEAD}<${name} xmlns="${XML_NAMESPACE}"><Name>${bucket.name}</Name><Prefix>${ask.encode(ask.prefix)}</Prefix>`;
}

function limitsOf(ask: ListAsk, page: Page): string {
  let xml = `<MaxKeys>${ask.most}</MaxKeys>`;
  if (ask.delimiter !== '') xml += `<Delimiter>${ask.encode(ask.delimiter)}</Delimiter>`;
  if (ask.urlEncoded) xml += '<EncodingType>url</EncodingType>';
  return `${xml}<IsTruncated>${page.next !== undefined}</IsTruncated>`;
}

function entriesOf(page: Page, ask: ListAsk, dialect: Dialect, owner: boolean): string {
  let xml = '';
  for (const { key, versions } of page.contents) {
    const version = versions[0];
    if (version !== undefined)
      xml += `<Contents><Key>${ask.encode(key)}</Key>${versionXml(version, dialect)}${owner ? OWNER_XML : ''}</Contents>`;
  }
  return xml + prefixesXml(page.prefixes, ask);
}

/** The elements of a version that all lists have. */
export function versionXml(version: ObjectVersion, dialect: Dialect): string {
  let xml = `<LastModified>${isoTime(version.modifiedMs, dialect)}</LastModified><ETag>&quot;${version.etag}&quot;</ETag>`;
  if (dialect.checksums === 'full')
    xml += `<ChecksumAlgorithm>${version.checksum?.algorithm ?? 'CRC64NVME'}</ChecksumAlgorithm><ChecksumType>${version.checksum?.type ?? 'FULL_OBJECT'}</ChecksumType>`;
  return `${xml}<Size>${version.sizeBytes}</Size><StorageClass>${version.headers['x-amz-storage-class'] ?? 'STANDARD'}</StorageClass>`;
}

/** The groups of a list. */
export function prefixesXml(prefixes: readonly string[], ask: ListAsk): string {
  return prefixes.map((prefix) => `<CommonPrefixes><Prefix>${ask.encode(prefix)}</Prefix></CommonPrefixes>`).join('');
}
