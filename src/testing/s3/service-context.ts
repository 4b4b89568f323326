import type { Runtime } from '../../core/runtime.js';
import type { Dialect } from './dialects.js';
import type { ObjectStorage } from './object-storage.js';
import type { ServiceRequest } from './service.js';
import { ServiceError } from './service-error.js';
import type { BucketRecord, ObjectVersion, ServiceState, StateChange } from './state.js';

/** Who owns everything. */
export const OWNER_ID = 'filecloudsync-testing';

/** What the operations work on. */
export interface ServiceContext {
  readonly state: ServiceState;
  readonly storage: ObjectStorage;
  readonly dialect: Dialect;
  readonly runtime: Runtime;
  readonly region: string;
  /** Records and applies changes at once; what it answers, if anything, is waited for before the client is told. */
  commit(changes: readonly StateChange[]): Promise<void> | undefined;
}

/** The request's bucket; `NoSuchBucket` when there is none. */
export function bucketOf(context: ServiceContext, request: Pick<ServiceRequest, 'bucket'>): BucketRecord {
  return bucketNamed(context, request.bucket ?? '');
}

/** A bucket by name; `NoSuchBucket` when there is none. */
export function bucketNamed(context: ServiceContext, name: string): BucketRecord {
  const bucket = context.state.buckets.get(name);
  if (bucket === undefined) throw new ServiceError('NoSuchBucket', { fields: { BucketName: name } });
  return bucket;
}

/** The request's key, which the router has made sure of. */
export function keyOf(request: Pick<ServiceRequest, 'key'>): string {
  if (request.key === undefined || request.key === '') throw new ServiceError('InvalidURI');
  return request.key;
}

/** What stands at a key now; `undefined` for nothing and for a delete marker. */
export function currentOf(bucket: BucketRecord, key: string): ObjectVersion | undefined {
  const version = bucket.objects.get(key)?.versions[0];
  return version === undefined || version.deleteMarker ? undefined : version;
}

/** The version a read asks for; throws what AWS answers when there is none. */
export function versionOf(bucket: BucketRecord, key: string, versionId: string | undefined): ObjectVersion {
  const versions = bucket.objects.get(key)?.versions ?? [];
  const version = versionId === undefined ? versions[0] : versions.find((each) => each.versionId === versionId);
  if (version === undefined) {
    if (versionId === undefined) throw new ServiceError('NoSuchKey', { fields: { Key: key } });
    throw new ServiceError('NoSuchVersion', { fields: { Key: key, VersionId: versionId } });
  }
  if (!version.deleteMarker) return version;
  const headers = { 'x-amz-delete-marker': 'true', 'x-amz-version-id': version.versionId };
  if (versionId === undefined) throw new ServiceError('NoSuchKey', { fields: { Key: key }, headers });
  throw new ServiceError('MethodNotAllowed', { fields: { Method: 'GET' }, headers: { ...headers, allow: 'DELETE' } });
}

/** The id that the next version of a bucket gets. */
export function nextVersionId(context: ServiceContext, bucket: BucketRecord): string {
  return bucket.versioning === 'Enabled' ? context.runtime.random.id(32) : 'null';
}

/** The header that names a version, where the bucket has versions. */
export function versionHeader(bucket: BucketRecord, versionId: string): Record<string, string> {
  return bucket.versioning === undefined ? {} : { 'x-amz-version-id': versionId };
}

/** A whole number among the parameters. */
export function integerParameter(
  query: Readonly<Record<string, string>>,
  name: string,
  otherwise: number,
  most: number,
): number {
  const given = query[name];
  if (given === undefined || given === '') return otherwise;
  if (!/^\d{1,10}$/.test(given) || Number(given) > 2147483647)
    throw new ServiceError('InvalidArgument', {
      message: `Provided ${name} not an integer or within integer range`,
      fields: { ArgumentName: name, ArgumentValue: given },
    });
  return Math.min(Number(given), most);
}
