import { readDocument } from './body.js';
import { bucketOf, integerParameter, OWNER_ID, type ServiceContext } from './service-context.js';
import type { ServiceAnswer, ServiceRequest } from './service.js';
import { emptyAnswer, ServiceError, xmlAnswer } from './service-error.js';
import { escapeXml, XML_HEAD, XML_NAMESPACE } from './xml.js';
import { childText, parseXml } from './xml-parser.js';
import { compareByteOrder } from '../../core/byte-order.js';
import { isoTime } from './time.js';

/** Answers ListBuckets. */
export function listBuckets(context: ServiceContext, request: ServiceRequest): ServiceAnswer {
  const { query } = request;
  const prefix = query['prefix'] ?? '';
  const after = query['continuation-token'] ?? '';
  const most = integerParameter(query, 'max-buckets', 10_000, 10_000);
  const all = [...context.state.buckets.values()]
    .filter(({ name }) => name.startsWith(prefix) && name > after)
    .sort((a, b) => compareByteOrder(a.name, b.name));
  const shown = all.slice(0, most);
  let xml = `${XML_HEAD}<ListAllMyBucketsResult xmlns="${XML_NAMESPACE}"><Owner><ID>${OWNER_ID}</ID><DisplayName>${OWNER_ID}</DisplayName></Owner><Buckets>`;
  for (const { name, createdMs } of shown) {
    xml += `<Bucket><Name>${name}</Name><CreationDate>${isoTime(createdMs, context.dialect)}</CreationDate><BucketRegion>${context.region}</BucketRegion></Bucket>`;
  }
  xml += '</Buckets>';
  const last = shown.at(-1);
  if (all.length > shown.length && last !== undefined) xml += `<ContinuationToken>${last.name}</ContinuationToken>`;
  if (prefix !== '') xml += `<Prefix>${escapeXml(prefix)}</Prefix>`;
  return xmlAnswer(`${xml}</ListAllMyBucketsResult>`);
}

/** Answers CreateBucket. */
export async function createBucket(context: ServiceContext, request: ServiceRequest): Promise<ServiceAnswer> {
  const bucket = request.bucket ?? '';
  if (!isBucketName(bucket)) throw new ServiceError('InvalidBucketName', { fields: { BucketName: bucket } });
  if (request.headers['x-amz-bucket-object-lock-enabled']?.toLowerCase() === 'true')
    throw new ServiceError('NotImplemented');
  const text = await readDocument(context, request, 64 << 10);
  if (text !== '' && parseXml(text).name !== 'CreateBucketConfiguration') throw new ServiceError('MalformedXML');
  if (context.state.buckets.has(bucket))
    throw new ServiceError('BucketAlreadyOwnedByYou', { fields: { BucketName: bucket } });
  await context.commit([{ type: 'bucket', bucket, createdMs: context.runtime.clock.nowMs() }]);
  return emptyAnswer(200, { location: `/${bucket}` });
}

/** Answers HeadBucket. */
export function headBucket(context: ServiceContext, request: ServiceRequest): ServiceAnswer {
  bucketOf(context, request);
  return emptyAnswer(200, { 'x-amz-bucket-region': context.region });
}

/** Answers DeleteBucket. Unfinished uploads go with the bucket. */
export async function deleteBucket(context: ServiceContext, request: ServiceRequest): Promise<ServiceAnswer> {
  const bucket = bucketOf(context, request);
  if (bucket.objects.size > 0) throw new ServiceError('BucketNotEmpty', { fields: { BucketName: bucket.name } });
  await context.commit([{ type: 'bucket-removed', bucket: bucket.name }]);
  return emptyAnswer(204);
}

/** Answers GetBucketLocation. */
export function getBucketLocation(context: ServiceContext, request: ServiceRequest): ServiceAnswer {
  bucketOf(context, request);
  // AWS answers an empty element for its oldest region.
  const region = context.region === 'us-east-1' ? '' : context.region;
  return xmlAnswer(`${XML_HEAD}<LocationConstraint xmlns="${XML_NAMESPACE}">${region}</LocationConstraint>`);
}

/** Answers GetBucketVersioning. */
export function getBucketVersioning(context: ServiceContext, request: ServiceRequest): ServiceAnswer {
  const { versioning } = bucketOf(context, request);
  refuseWithoutVersioning(context);
  const status = versioning === undefined ? '' : `<Status>${versioning}</Status>`;
  return xmlAnswer(`${XML_HEAD}<VersioningConfiguration xmlns="${XML_NAMESPACE}">${status}</VersioningConfiguration>`);
}

/** Answers PutBucketVersioning. */
export async function putBucketVersioning(context: ServiceContext, request: ServiceRequest): Promise<ServiceAnswer> {
  bucketOf(context, request);
  refuseWithoutVersioning(context);
  const document = parseXml(await readDocument(context, request, 64 << 10));
  const status = childText(document, 'Status');
  if (document.name !== 'VersioningConfiguration' || (status !== 'Enabled' && status !== 'Suspended'))
    throw new ServiceError('MalformedXML');
  if (childText(document, 'MfaDelete') === 'Enabled') throw new ServiceError('NotImplemented');
  await context.commit([{ type: 'versioning', bucket: bucketOf(context, request).name, status }]);
  return emptyAnswer(200);
}

/** Whether a name can be that of a bucket (rules of general purpose buckets). */
export function isBucketName(name: string): boolean {
  return /^(?!xn--|\d+\.\d+\.\d+\.\d+$)[a-z\d](?:[a-z\d-]|\.(?!\.)){1,61}[a-z\d]$/.test(name);
}

function refuseWithoutVersioning(context: ServiceContext): void {
  if (!context.dialect.versioning) throw new ServiceError('NotImplemented', { fields: { Parameter: 'versioning' } });
}
