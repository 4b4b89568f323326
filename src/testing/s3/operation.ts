import type { ServiceRequest } from './service.js';
import { ServiceError } from './service-error.js';

/** What a request is about: the service, a bucket or an object. */
type Level = 'service' | 'bucket' | 'object';

interface Route {
  readonly method: string;
  readonly level: Level;
  /** Parameters that must be there and choose this operation. */
  readonly markers: readonly string[];
  /** Parameters that may be there. */
  readonly allowed: readonly string[];
}

const LIST = ['prefix', 'delimiter', 'max-keys', 'encoding-type'];
const RESPONSE = [
  'response-content-type',
  'response-content-language',
  'response-expires',
  'response-cache-control',
  'response-content-disposition',
  'response-content-encoding',
];
const route = (method: string, level: Level, markers: readonly string[], allowed: readonly string[] = []): Route => ({
  method,
  level,
  markers,
  allowed: [...markers, ...allowed, 'x-id'],
});

const ROUTES = {
  ListBuckets: route('GET', 'service', [], ['prefix', 'max-buckets', 'continuation-token', 'bucket-region']),
  CreateBucket: route('PUT', 'bucket', []),
  HeadBucket: route('HEAD', 'bucket', []),
  DeleteBucket: route('DELETE', 'bucket', []),
  GetBucketLocation: route('GET', 'bucket', ['location']),
  GetBucketVersioning: route('GET', 'bucket', ['versioning']),
  PutBucketVersioning: route('PUT', 'bucket', ['versioning']),
  ListObjects: route('GET', 'bucket', [], [...LIST, 'marker']),
  ListObjectsV2: route('GET', 'bucket', ['list-type'], [...LIST, 'start-after', 'continuation-token', 'fetch-owner']),
  ListObjectVersions: route('GET', 'bucket', ['versions'], [...LIST, 'key-marker', 'version-id-marker']),
  ListMultipartUploads: route(
    'GET',
    'bucket',
    ['uploads'],
    ['prefix', 'delimiter', 'encoding-type', 'max-uploads', 'key-marker', 'upload-id-marker'],
  ),
  DeleteObjects: route('POST', 'bucket', ['delete']),
  PutObject: route('PUT', 'object', []),
  CopyObject: route('PUT', 'object', []),
  GetObject: route('GET', 'object', [], ['versionId', 'partNumber', ...RESPONSE]),
  HeadObject: route('HEAD', 'object', [], ['versionId', 'partNumber', ...RESPONSE]),
  DeleteObject: route('DELETE', 'object', [], ['versionId']),
  GetObjectAttributes: route('GET', 'object', ['attributes'], ['versionId']),
  GetObjectTagging: route('GET', 'object', ['tagging'], ['versionId']),
  PutObjectTagging: route('PUT', 'object', ['tagging'], ['versionId']),
  DeleteObjectTagging: route('DELETE', 'object', ['tagging'], ['versionId']),
  CreateMultipartUpload: route('POST', 'object', ['uploads']),
  UploadPart: route('PUT', 'object', ['uploadId', 'partNumber']),
  UploadPartCopy: route('PUT', 'object', ['uploadId', 'partNumber']),
  CompleteMultipartUpload: route('POST', 'object', ['uploadId']),
  AbortMultipartUpload: route('DELETE', 'object', ['uploadId']),
  ListParts: route('GET', 'object', ['uploadId'], ['max-parts', 'part-number-marker']),
} as const satisfies Record<string, Route>;

/** The name of an operation, as AWS calls it. */
export type OperationName = keyof typeof ROUTES;

/** Every operation the service knows. */
export const OPERATION_NAMES = Object.keys(ROUTES) as readonly OperationName[];

const BY_PLACE = new Map<string, (readonly [OperationName, Route])[]>();
for (const name of OPERATION_NAMES) {
  // The copies differ from their plain calls by a header, not by the place.
  if (name === 'CopyObject' || name === 'UploadPartCopy') continue;
  const found = ROUTES[name];
  const place = `${found.method} ${found.level}`;
  BY_PLACE.set(
    place,
    [...(BY_PLACE.get(place) ?? []), [name, found] as const].sort((a, b) => b[1].markers.length - a[1].markers.length),
  );
}

/**
 * Tells which operation a request asks for.
 * A parameter that the operation does not know is refused, never overlooked: the plain call would do something else.
 */
export function operationOf(request: ServiceRequest): OperationName {
  const level: Level = request.bucket === undefined ? 'service' : request.key === undefined ? 'bucket' : 'object';
  const candidates = BY_PLACE.get(`${request.method} ${level}`);
  const found = candidates?.find(([, { markers }]) => markers.every((name) => name in request.query));
  if (found === undefined) {
    if (Object.keys(request.query).length > 0) throw new ServiceError('NotImplemented');
    throw new ServiceError('MethodNotAllowed', { fields: { Method: request.method } });
  }
  const [name, { allowed }] = found;
  for (const parameter in request.query)
    if (!allowed.includes(parameter)) throw new ServiceError('NotImplemented', { fields: { Parameter: parameter } });
  const isCopy = 'x-amz-copy-source' in request.headers;
  if (isCopy && name === 'PutObject') return 'CopyObject';
  if (isCopy && name === 'UploadPart') return 'UploadPartCopy';
  return name;
}
