import { base64Of, digestContent } from './body.js';
import type { Checksum } from './digests.js';
import { checkRead } from './conditions.js';
import { bucketOf, keyOf, type ServiceContext, versionHeader, versionOf } from './service-context.js';
import type { ServiceAnswer, ServiceRequest } from './service.js';
import { ServiceError } from './service-error.js';
import type { BucketRecord, ObjectVersion } from './state.js';

/** Answers GetObject. */
export async function getObject(context: ServiceContext, request: ServiceRequest): Promise<ServiceAnswer> {
  const { version, range, status, headers } = await look(context, request);
  const body =
    version.sizeBytes === 0 ? new Uint8Array(0) : context.storage.read(version.content, range.start, range.end);
  return { status, headers, body };
}

/** Answers HeadObject. */
export async function headObject(context: ServiceContext, request: ServiceRequest): Promise<ServiceAnswer> {
  const { status, headers } = await look(context, request);
  return { status, headers, body: undefined };
}

/** The checksum of a version; a CRC64NVME is made for versions that came without one, as AWS does. */
export function checksumOf(context: ServiceContext, version: ObjectVersion): Checksum | Promise<Checksum> {
  const known = version.checksum ?? computed.get(version);
  if (known !== undefined) return known;
  const pending = compute(context, version);
  computed.set(version, pending);
  return pending;
}

const computed = new WeakMap<ObjectVersion, Promise<Checksum>>();

async function compute(context: ServiceContext, version: ObjectVersion): Promise<Checksum> {
  const digests = await digestContent(context, version.content, ['CRC64NVME']);
  return { algorithm: 'CRC64NVME', value: base64Of(digests, 'CRC64NVME'), type: 'FULL_OBJECT' };
}

/** The headers that tell a client about a checksum. */
export function checksumHeaders(checksum: Checksum): Record<string, string> {
  return {
    [`x-amz-checksum-${checksum.algorithm.toLowerCase()}`]: checksum.value,
    'x-amz-checksum-type': checksum.type,
  };
}

interface Look {
  readonly version: ObjectVersion;
  readonly range: ByteRange;
  readonly status: number;
  readonly headers: Record<string, string>;
}

interface ByteRange {
  readonly start: number;
  readonly end: number;
}

async function look(context: ServiceContext, request: ServiceRequest): Promise<Look> {
  const { query, headers: asked } = request;
  const bucket = bucketOf(context, request);
  const key = keyOf(request);
  const version = versionOf(bucket, key, query['versionId']);
  checkRead(version, asked, context.dialect);
  const headers = objectHeaders(context, bucket, version);
  for (const name in query)
    if (name.startsWith('response-')) headers[name.slice(9)] = headerValue(name, query[name] ?? '');
  const part = query['partNumber'];
  const rangeHeader = context.dialect.ranges === 'honoured' ? asked['range'] : undefined;
  if (part !== undefined && rangeHeader !== undefined)
    throw new ServiceError('InvalidRequest', {
      message: 'Cannot specify both Range header and partNumber query parameter',
    });
  const range =
    part === undefined ? rangeOf(rangeHeader, version.sizeBytes) : partRange(context, version, part, headers);
  if (range === undefined) {
    headers['content-length'] = String(version.sizeBytes);
    if (asked['x-amz-checksum-mode']?.toUpperCase() === 'ENABLED' && context.dialect.checksums === 'full')
      Object.assign(headers, checksumHeaders(await checksumOf(context, version)));
    return { version, range: { start: 0, end: version.sizeBytes }, status: 200, headers };
  }
  headers['content-length'] = String(range.end - range.start);
  if (version.sizeBytes > 0) headers['content-range'] = `bytes ${range.start}-${range.end - 1}/${version.sizeBytes}`;
  return { version, range, status: 206, headers };
}

/** The headers that every answer about a version has. */
export function objectHeaders(
  context: ServiceContext,
  bucket: BucketRecord,
  version: ObjectVersion,
): Record<string, string> {
  const headers: Record<string, string> = {
    ...version.headers,
    etag: `"${version.etag}"`,
    'last-modified': new Date(version.modifiedMs).toUTCString(),
    'accept-ranges': 'bytes',
    'x-amz-server-side-encryption': 'AES256',
    ...versionHeader(bucket, version.versionId),
  };
  if (version.tags.length > 0) headers['x-amz-tagging-count'] = String(version.tags.length);
  if (context.dialect.ranges === 'ignored') delete headers['accept-ranges'];
  return headers;
}

/** Reads a Range header; `undefined` for none and for what AWS overlooks: several ranges, other units, nonsense. */
function rangeOf(header: string | undefined, sizeBytes: number): ByteRange | undefined {
  const match = header === undefined ? null : /^bytes=(\d*)-(\d*)$/.exec(header.trim());
  if (match === null) return undefined;
  const [, first = '', last = ''] = match;
  if (first === '' && last === '') return undefined;
  const start = first === '' ? Math.max(sizeBytes - Number(last), 0) : Number(first);
  const end = first === '' || last === '' ? sizeBytes : Math.min(Number(last) + 1, sizeBytes);
  if (first !== '' && last !== '' && Number(last) < Number(first)) return undefined;
  if (start >= end) {
    throw new ServiceError('InvalidRange', {
      fields: { RangeRequested: header ?? '', ActualObjectSize: String(sizeBytes) },
      headers: { 'content-range': `bytes */${sizeBytes}` },
    });
  }
  return { start, end };
}

function partRange(
  context: ServiceContext,
  version: ObjectVersion,
  given: string,
  headers: Record<string, string>,
): ByteRange | undefined {
  if (!context.dialect.partNumberGet) throw new ServiceError('NotImplemented', { fields: { Parameter: 'partNumber' } });
  const number = /^\d{1,5}$/.test(given) ? Number(given) : 0;
  if (number < 1 || number > 10_000)
    throw new ServiceError('InvalidArgument', {
      message: 'Part number must be an integer between 1 and 10000, inclusive',
    });
  const parts = version.parts ?? [{ number: 1, sizeBytes: version.sizeBytes }];
  const index = parts.findIndex((part) => part.number === number);
  const part = parts[index];
  if (part === undefined)
    throw new ServiceError('InvalidPartNumber', {
      fields: { PartNumberRequested: given, ActualPartCount: String(parts.length) },
    });
  if (version.parts !== undefined) headers['x-amz-mp-parts-count'] = String(parts.length);
  const start = parts.slice(0, index).reduce((sum, each) => sum + each.sizeBytes, 0);
  return { start, end: start + part.sizeBytes };
}

function headerValue(name: string, value: string): string {
  if (/[^\t\u0020-\u007e\u00a0-\u00ff]/.test(value))
    throw new ServiceError('InvalidArgument', {
      message: 'Header value cannot be represented using ISO-8859-1.',
      fields: { ArgumentName: name },
    });
  return value;
}
