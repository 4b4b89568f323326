import { checksumOf } from './object-answer.js';
import { checkTags } from './object-headers.js';
import { readTags } from './object-operations.js';
import { bucketOf, integerParameter, keyOf, type ServiceContext, versionHeader, versionOf } from './service-context.js';
import type { ServiceAnswer, ServiceRequest } from './service.js';
import { emptyAnswer, ServiceError, xmlAnswer } from './service-error.js';
import type { Tags } from './state.js';
import { escapeXml, XML_HEAD, XML_NAMESPACE } from './xml.js';

/** Answers GetObjectAttributes. */
export async function getObjectAttributes(context: ServiceContext, request: ServiceRequest): Promise<ServiceAnswer> {
  if (!context.dialect.attributes) throw new ServiceError('NotImplemented', { fields: { Parameter: 'attributes' } });
  const bucket = bucketOf(context, request);
  const version = versionOf(bucket, keyOf(request), request.query['versionId']);
  const wanted = new Set((request.headers['x-amz-object-attributes'] ?? '').split(',').map((name) => name.trim()));
  if (wanted.has(''))
    throw new ServiceError('InvalidArgument', { fields: { ArgumentName: 'x-amz-object-attributes' } });
  let xml = `${XML_HEAD}<GetObjectAttributesResponse xmlns="${XML_NAMESPACE}">`;
  if (wanted.has('ETag')) xml += `<ETag>${version.etag}</ETag>`;
  if (wanted.has('Checksum') && context.dialect.checksums === 'full') {
    const { algorithm, value, type } = await checksumOf(context, version);
    xml += `<Checksum><Checksum${algorithm}>${value}</Checksum${algorithm}><ChecksumType>${type}</ChecksumType></Checksum>`;
  }
  if (wanted.has('ObjectParts') && version.parts !== undefined) {
    const { headers } = request;
    const most = integerParameter({ most: headers['x-amz-max-parts'] ?? '' }, 'most', 1000, 1000);
    const marker = integerParameter({ marker: headers['x-amz-part-number-marker'] ?? '' }, 'marker', 0, 10_000);
    const left = version.parts.filter((part) => part.number > marker);
    const shown = left.slice(0, most);
    const algorithm = version.checksum?.algorithm;
    xml += `<ObjectParts><PartsCount>${version.parts.length}</PartsCount><PartNumberMarker>${marker}</PartNumberMarker>`;
    xml += `<NextPartNumberMarker>${shown.at(-1)?.number ?? 0}</NextPartNumberMarker><MaxParts>${most}</MaxParts><IsTruncated>${left.length > shown.length}</IsTruncated>`;
    // AWS lists the parts only of objects whose parts have checksums of their own.
    for (const part of algorithm === undefined ? [] : shown) {
      xml += `<Part><PartNumber>${part.number}</PartNumber><Size>${part.sizeBytes}</Size>`;
      if (part.checksum !== undefined) xml += `<Checksum${algorithm}>${part.checksum}</Checksum${algorithm}>`;
      xml += '</Part>';
    }
    xml += '</ObjectParts>';
  }
  if (wanted.has('StorageClass'))
    xml += `<StorageClass>${version.headers['x-amz-storage-class'] ?? 'STANDARD'}</StorageClass>`;
  if (wanted.has('ObjectSize')) xml += `<ObjectSize>${version.sizeBytes}</ObjectSize>`;
  return xmlAnswer(`${xml}</GetObjectAttributesResponse>`, 200, {
    'last-modified': new Date(version.modifiedMs).toUTCString(),
    ...versionHeader(bucket, version.versionId),
  });
}

/** Answers GetObjectTagging. */
export function getObjectTagging(context: ServiceContext, request: ServiceRequest): ServiceAnswer {
  refuseWithoutTagging(context);
  const bucket = bucketOf(context, request);
  const version = versionOf(bucket, keyOf(request), request.query['versionId']);
  const tags = version.tags
    .map(([name, value]) => `<Tag><Key>${escapeXml(name)}</Key><Value>${escapeXml(value)}</Value></Tag>`)
    .join('');
  return xmlAnswer(
    `${XML_HEAD}<Tagging xmlns="${XML_NAMESPACE}"><TagSet>${tags}</TagSet></Tagging>`,
    200,
    versionHeader(bucket, version.versionId),
  );
}

/** Answers PutObjectTagging. */
export async function putObjectTagging(context: ServiceContext, request: ServiceRequest): Promise<ServiceAnswer> {
  refuseWithoutTagging(context);
  return setTags(context, request, 200, checkTags(await readTags(context, request)));
}

/** Answers DeleteObjectTagging. */
export async function deleteObjectTagging(context: ServiceContext, request: ServiceRequest): Promise<ServiceAnswer> {
  refuseWithoutTagging(context);
  return setTags(context, request, 204, []);
}

async function setTags(
  context: ServiceContext,
  request: ServiceRequest,
  status: number,
  tags: Tags,
): Promise<ServiceAnswer> {
  const bucket = bucketOf(context, request);
  const key = keyOf(request);
  const { versionId } = versionOf(bucket, key, request.query['versionId']);
  await context.commit([{ type: 'tags', bucket: bucket.name, key, versionId, tags }]);
  return emptyAnswer(status, versionHeader(bucket, versionId));
}

function refuseWithoutTagging(context: ServiceContext): void {
  if (!context.dialect.tagging) throw new ServiceError('NotImplemented', { fields: { Parameter: 'tagging' } });
}
