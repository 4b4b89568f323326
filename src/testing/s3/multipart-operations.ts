import { base64Of, digestContent, discard, MOST_BYTES_AT_ONCE, readDocument, stageBody } from './body.js';
import { checkWrite } from './conditions.js';
import {
  CHECKSUM_ALGORITHMS,
  type Checksum,
  type ChecksumAlgorithm,
  checksumAlgorithm,
  type ChecksumType,
  digestOf,
} from './digests.js';
import type { Dialect } from './dialects.js';
import { checkKey, headerTags, keptHeaders } from './object-headers.js';
import { copySource, newVersion, openWindow, randomEtag } from './object-operations.js';
import { piecesOf } from './object-storage.js';
import { bucketOf, currentOf, keyOf, type ServiceContext, versionHeader } from './service-context.js';
import type { ServiceAnswer, ServiceRequest } from './service.js';
import { emptyAnswer, ServiceError, xmlAnswer } from './service-error.js';
import type { BucketRecord, Part, UploadRecord } from './state.js';
import { isoTime } from './time.js';
import { escapeXml, XML_HEAD, XML_NAMESPACE } from './xml.js';
import { childText, parseXml, type XmlElement } from './xml-parser.js';

/** The most parts of one upload (Amazon S3 multipart upload limits). */
const MOST_PARTS = 10_000;
/** 5 TiB, the largest object. */
const MOST_OBJECT_BYTES = 5 * 1024 ** 4;

/** Answers CreateMultipartUpload. */
export async function createMultipartUpload(context: ServiceContext, request: ServiceRequest): Promise<ServiceAnswer> {
  const bucket = bucketOf(context, request);
  const key = keyOf(request);
  checkKey(key);
  const checksum = uploadChecksum(context, request.headers);
  const upload = {
    uploadId: context.runtime.random.id(32),
    key,
    startedMs: context.runtime.clock.nowMs(),
    headers: keptHeaders(context, request.headers),
    tags: headerTags(request.headers['x-amz-tagging']),
    ...checksum,
  };
  await context.commit([{ type: 'upload', bucket: bucket.name, upload }]);
  const xml = `${XML_HEAD}<InitiateMultipartUploadResult xmlns="${XML_NAMESPACE}"><Bucket>${bucket.name}</Bucket><Key>${escapeXml(key)}</Key><UploadId>${upload.uploadId}</UploadId></InitiateMultipartUploadResult>`;
  return xmlAnswer(xml, 200, {
    'x-amz-server-side-encryption': 'AES256',
    ...(checksum.algorithm === undefined
      ? {}
      : { 'x-amz-checksum-algorithm': checksum.algorithm, 'x-amz-checksum-type': checksum.checksumType }),
  });
}

/** Answers UploadPart. */
export async function uploadPart(context: ServiceContext, request: ServiceRequest): Promise<ServiceAnswer> {
  const number = partNumber(request);
  const { upload } = uploadOf(context, request).record;
  const staged = await stageBody(context, request, upload.algorithm);
  const checksum =
    upload.algorithm !== undefined && staged.digests[upload.algorithm] !== undefined
      ? base64Of(staged.digests, upload.algorithm)
      : undefined;
  const etag = context.dialect.putEtag === 'random' ? randomEtag(context) : (staged.digests.MD5?.toString('hex') ?? '');
  try {
    if (staged.algorithm !== undefined && upload.algorithm !== undefined && staged.algorithm !== upload.algorithm)
      throw new ServiceError('InvalidRequest', {
        message: `Checksum Type mismatch occurred, expected checksum Type: ${upload.algorithm.toLowerCase()}, actual checksum Type: ${staged.algorithm.toLowerCase()}`,
      });
    const durable = addPart(context, request, {
      number,
      etag,
      sizeBytes: staged.sizeBytes,
      content: staged.content,
      ...(checksum === undefined ? {} : { checksum }),
    }).durable;
    if (durable !== undefined) await durable;
  } catch (error) {
    if (error instanceof ServiceError) discard(context, staged);
    throw error;
  }
  const answer: Record<string, string> = { etag: `"${etag}"`, 'x-amz-server-side-encryption': 'AES256' };
  if (staged.algorithm !== undefined)
    answer[`x-amz-checksum-${staged.algorithm.toLowerCase()}`] = base64Of(staged.digests, staged.algorithm);
  return emptyAnswer(200, answer);
}

/** Answers UploadPartCopy. The bytes are shared with the source; they are read once, for the digest. */
export async function uploadPartCopy(context: ServiceContext, request: ServiceRequest): Promise<ServiceAnswer> {
  const { partCopy } = context.dialect;
  if (partCopy === 'not-implemented')
    throw new ServiceError('NotImplemented', { fields: { Header: 'x-amz-copy-source' } });
  if (
    partCopy === 'no-precondition' &&
    Object.keys(request.headers).some((name) => name.startsWith('x-amz-copy-source-if-'))
  )
    throw new ServiceError('NotImplemented', { fields: { Header: 'x-amz-copy-source-if-match' } });
  const number = partNumber(request);
  const { upload } = uploadOf(context, request).record;
  const { version: source } = copySource(context, partCopy === 'ignores-precondition' ? withoutIfs(request) : request);
  const range = partCopy === 'ignores-range' ? undefined : request.headers['x-amz-copy-source-range'];
  const [start, end] = copyRange(range, source.sizeBytes);
  if (end - start > MOST_BYTES_AT_ONCE) throw new ServiceError('EntityTooLarge');
  const content = piecesOf(source.content, start, end);
  const release = context.state.hold(content);
  try {
    const digests = await digestContent(
      context,
      content,
      upload.algorithm === undefined ? ['MD5'] : ['MD5', upload.algorithm],
    );
    const checksum = upload.algorithm === undefined ? undefined : base64Of(digests, upload.algorithm);
    const etag = context.dialect.putEtag === 'random' ? randomEtag(context) : (digests.MD5?.toString('hex') ?? '');
    const added = addPart(context, request, {
      number,
      etag,
      sizeBytes: end - start,
      content,
      ...(checksum === undefined ? {} : { checksum }),
    });
    if (added.durable !== undefined) await added.durable;
    let xml = `${XML_HEAD}<CopyPartResult xmlns="${XML_NAMESPACE}"><ETag>&quot;${etag}&quot;</ETag><LastModified>${isoTime(added.part.modifiedMs, context.dialect)}</LastModified>`;
    if (checksum !== undefined && upload.algorithm !== undefined)
      xml += `<Checksum${upload.algorithm}>${checksum}</Checksum${upload.algorithm}>`;
    return xmlAnswer(`${xml}</CopyPartResult>`);
  } finally {
    release();
  }
}

function withoutIfs(request: ServiceRequest): ServiceRequest {
  const headers = Object.entries(request.headers).filter(([name]) => !name.startsWith('x-amz-copy-source-if-'));
  return { ...request, headers: Object.fromEntries(headers) };
}

/** Answers CompleteMultipartUpload: checks the list of parts and the conditions, and makes the object in one step. */
export async function completeMultipartUpload(
  context: ServiceContext,
  request: ServiceRequest,
): Promise<ServiceAnswer> {
  const key = keyOf(request);
  const { dialect } = context;
  uploadOf(context, request);
  // The checksum headers of this request are about the object, not about the document.
  const wholeChecksums = CHECKSUM_ALGORITHMS.flatMap((algorithm) => {
    const value = request.headers[`x-amz-checksum-${algorithm.toLowerCase()}`];
    return value === undefined || dialect.checksums !== 'full' ? [] : [{ algorithm, value }];
  });
  const plain = Object.fromEntries(
    Object.entries(request.headers).filter(([name]) => !name.startsWith('x-amz-checksum-')),
  );
  const document = parseXml(await readDocument(context, { ...request, headers: plain }, 4 << 20));
  const { bucket, record } = uploadOf(context, request);
  const parts = chosenParts(document, record, dialect);
  const sizeBytes = parts.reduce((sum, part) => sum + part.sizeBytes, 0);
  if (sizeBytes > MOST_OBJECT_BYTES) throw new ServiceError('EntityTooLarge');
  const announced = request.headers['x-amz-mp-object-size'];
  if (announced !== undefined && announced !== String(sizeBytes))
    throw new ServiceError('InvalidRequest', {
      message: `The provided 'x-amz-mp-object-size' header value ${announced} does not match what was computed: ${sizeBytes}`,
    });
  const content = parts.flatMap((part) => part.content);
  const release = context.state.hold(content);
  try {
    const isChecked = await openWindow(context, request, dialect.conditions.complete);
    const checksum = await completeChecksum(context, record, parts, wholeChecksums[0]);
    // The upload may have been aborted or completed by another request meanwhile.
    uploadOf(context, request);
    if (!isChecked) checkWrite(currentOf(bucket, key), request.headers, dialect.conditions.complete, dialect);
    const etag =
      dialect.multipartEtag === 'random'
        ? randomEtag(context)
        : `${digestOf('MD5', Buffer.concat(parts.map((part) => Buffer.from(part.etag, 'hex')))).toString('hex')}-${parts.length}`;
    const { version, change } = newVersion(context, bucket, key, {
      etag,
      sizeBytes,
      headers: record.upload.headers,
      content,
      parts: parts.map(({ number, sizeBytes: size, checksum: sum }) => ({
        number,
        sizeBytes: size,
        ...(sum === undefined ? {} : { checksum: sum }),
      })),
      tags: record.upload.tags,
      ...(checksum === undefined ? {} : { checksum }),
    });
    const durable = context.commit([
      change,
      { type: 'upload-removed', bucket: bucket.name, uploadId: record.upload.uploadId },
    ]);
    if (durable !== undefined) await durable;
    const told = dialect.completeEtag === 'empty' ? '' : `&quot;${etag}&quot;`;
    let xml = `${XML_HEAD}<CompleteMultipartUploadResult xmlns="${XML_NAMESPACE}"><Location>/${bucket.name}/${escapeXml(encodeURI(key))}</Location><Bucket>${bucket.name}</Bucket><Key>${escapeXml(key)}</Key><ETag>${told}</ETag>`;
    if (checksum !== undefined)
      xml += `<Checksum${checksum.algorithm}>${checksum.value}</Checksum${checksum.algorithm}><ChecksumType>${checksum.type}</ChecksumType>`;
    return xmlAnswer(`${xml}</CompleteMultipartUploadResult>`, 200, {
      'x-amz-server-side-encryption': 'AES256',
      ...versionHeader(bucket, version.versionId),
    });
  } finally {
    release();
  }
}

/** Answers AbortMultipartUpload. */
export async function abortMultipartUpload(context: ServiceContext, request: ServiceRequest): Promise<ServiceAnswer> {
  const { bucket, record } = uploadOf(context, request);
  await context.commit([{ type: 'upload-removed', bucket: bucket.name, uploadId: record.upload.uploadId }]);
  return emptyAnswer(204);
}

/** The upload that a request names; `NoSuchUpload` when there is none for this key. */
export function uploadOf(
  context: ServiceContext,
  request: ServiceRequest,
): { readonly bucket: BucketRecord; readonly record: UploadRecord } {
  const bucket = bucketOf(context, request);
  const uploadId = request.query['uploadId'] ?? '';
  const record = bucket.uploads.get(uploadId);
  if (record === undefined || record.upload.key !== request.key)
    throw new ServiceError('NoSuchUpload', { fields: { UploadId: uploadId } });
  return { bucket, record };
}

function addPart(
  context: ServiceContext,
  request: ServiceRequest,
  made: Omit<Part, 'modifiedMs'>,
): { readonly part: Part; readonly durable: Promise<void> | undefined } {
  const { bucket, record } = uploadOf(context, request);
  const part: Part = { ...made, modifiedMs: context.runtime.clock.nowMs() };
  return {
    part,
    durable: context.commit([{ type: 'part', bucket: bucket.name, uploadId: record.upload.uploadId, part }]),
  };
}

function partNumber(request: ServiceRequest): number {
  const given = request.query['partNumber'] ?? '';
  const number = /^\d{1,5}$/.test(given) ? Number(given) : 0;
  if (number < 1 || number > MOST_PARTS)
    throw new ServiceError('InvalidArgument', {
      message: 'Part number must be an integer between 1 and 10000, inclusive',
      fields: { ArgumentName: 'partNumber', ArgumentValue: given },
    });
  return number;
}

function uploadChecksum(
  context: ServiceContext,
  headers: Readonly<Record<string, string>>,
): { readonly algorithm: ChecksumAlgorithm; readonly checksumType: ChecksumType } | { readonly algorithm?: undefined } {
  const given = headers['x-amz-checksum-algorithm'];
  if (given === undefined) return {};
  if (context.dialect.checksums === 'not-implemented')
    throw new ServiceError('NotImplemented', { fields: { Header: 'x-amz-checksum-algorithm' } });
  if (context.dialect.checksums === 'ignored') return {};
  const algorithm = checksumAlgorithm(given);
  if (algorithm === undefined)
    throw new ServiceError('InvalidRequest', { message: 'Checksum algorithm provided is unsupported.' });
  const type =
    headers['x-amz-checksum-type']?.toUpperCase() ?? (algorithm === 'CRC64NVME' ? 'FULL_OBJECT' : 'COMPOSITE');
  const isSha = algorithm === 'SHA1' || algorithm === 'SHA256';
  if (
    (type !== 'FULL_OBJECT' && type !== 'COMPOSITE') ||
    (isSha && type === 'FULL_OBJECT') ||
    (algorithm === 'CRC64NVME' && type === 'COMPOSITE')
  )
    throw new ServiceError('InvalidRequest', {
      message: `The ${type} checksum type cannot be used with the ${algorithm.toLowerCase()} checksum algorithm.`,
    });
  return { algorithm, checksumType: type };
}

function copyRange(header: string | undefined, sizeBytes: number): readonly [number, number] {
  if (header === undefined) return [0, sizeBytes];
  const match = /^bytes=(\d+)-(\d+)$/.exec(header.trim());
  const start = Number(match?.[1] ?? NaN);
  const end = Number(match?.[2] ?? NaN) + 1;
  if (!(start < end))
    throw new ServiceError('InvalidArgument', {
      message: 'The x-amz-copy-source-range value must be of the form bytes=first-last',
      fields: { ArgumentValue: header },
    });
  if (end > sizeBytes)
    throw new ServiceError('InvalidArgument', {
      message: `Range specified is not valid for source object of size: ${sizeBytes}`,
      fields: { ArgumentName: 'x-amz-copy-source-range', ArgumentValue: header },
    });
  return [start, end];
}

/** Reads the list of parts and finds each; throws what AWS answers for a bad list. */
function chosenParts(document: XmlElement, record: UploadRecord, { equalParts, leastPartBytes }: Dialect): Part[] {
  const wanted = document.children.filter((child) => child.name === 'Part');
  if (document.name !== 'CompleteMultipartUpload' || wanted.length === 0 || wanted.length > MOST_PARTS)
    throw new ServiceError('MalformedXML');
  let previous = 0;
  const parts = wanted.map((each) => {
    const number = Number(childText(each, 'PartNumber') ?? NaN);
    const etag = childText(each, 'ETag')?.trim().replaceAll('"', '');
    if (!Number.isInteger(number) || etag === undefined) throw new ServiceError('MalformedXML');
    if (number <= previous)
      throw new ServiceError('InvalidPartOrder', { fields: { UploadId: record.upload.uploadId } });
    previous = number;
    const part = record.parts.get(number);
    const algorithm = record.upload.algorithm;
    const checksum = algorithm === undefined ? undefined : childText(each, `Checksum${algorithm}`);
    if (part === undefined || part.etag !== etag || (checksum !== undefined && checksum !== part.checksum))
      throw new ServiceError('InvalidPart', {
        fields: { UploadId: record.upload.uploadId, PartNumber: String(number), ETag: etag },
      });
    return part;
  });
  const firstSize = parts[0]?.sizeBytes ?? 0;
  for (const part of parts.slice(0, -1)) {
    if (part.sizeBytes < leastPartBytes)
      throw new ServiceError('EntityTooSmall', {
        fields: {
          ProposedSize: String(part.sizeBytes),
          MinSizeAllowed: String(leastPartBytes),
          PartNumber: String(part.number),
          ETag: part.etag,
        },
      });
    if (equalParts && part.sizeBytes !== firstSize)
      throw new ServiceError('InvalidPart', { message: 'All non-trailing parts must have the same length.' });
  }
  if (equalParts && (parts.at(-1)?.sizeBytes ?? 0) > firstSize)
    throw new ServiceError('InvalidPart', { message: 'The last part must not be longer than the others.' });
  return parts;
}

async function completeChecksum(
  context: ServiceContext,
  { upload }: UploadRecord,
  parts: readonly Part[],
  given: { readonly algorithm: ChecksumAlgorithm; readonly value: string } | undefined,
): Promise<Checksum | undefined> {
  const { algorithm, checksumType: type } = upload;
  const content = parts.flatMap((part) => part.content);
  if (algorithm === undefined || type === undefined) {
    if (given === undefined) return undefined;
    const value = base64Of(await digestContent(context, content, [given.algorithm]), given.algorithm);
    if (given.value !== value) throw badChecksum(given.algorithm);
    return { algorithm: given.algorithm, value, type: 'FULL_OBJECT' };
  }
  const value =
    type === 'FULL_OBJECT'
      ? base64Of(await digestContent(context, content, [algorithm]), algorithm)
      : `${digestOf(algorithm, Buffer.concat(parts.map((part) => Buffer.from(part.checksum ?? '', 'base64')))).toString('base64')}-${parts.length}`;
  // Clients may give a composite one with or without its count.
  if (given?.algorithm === algorithm && given.value !== value && `${given.value}-${parts.length}` !== value)
    throw badChecksum(algorithm);
  return { algorithm, value, type };
}

function badChecksum(algorithm: ChecksumAlgorithm): ServiceError {
  return new ServiceError('BadDigest', {
    message: `The ${algorithm} you specified did not match the calculated checksum.`,
  });
}
