import { base64Of, digestContent, discard, MOST_BYTES_AT_ONCE, readDocument, hasDigest, stageBody } from './body.js';
import { checkCopySource, checkWrite } from './conditions.js';
import type { ConditionRules } from './dialects.js';
import { type Checksum, checksumAlgorithm } from './digests.js';
import { checksumHeaders } from './object-answer.js';
import { checkKey, headerTags, keptHeaders } from './object-headers.js';
import {
  bucketNamed,
  bucketOf,
  currentOf,
  keyOf,
  nextVersionId,
  type ServiceContext,
  versionHeader,
  versionOf,
} from './service-context.js';
import type { ServiceAnswer, ServiceRequest } from './service.js';
import { emptyAnswer, ServiceError, xmlAnswer } from './service-error.js';
import type { BucketRecord, ObjectVersion, StateChange, Tags } from './state.js';
import { isoTime } from './time.js';
import { escapeXml, XML_HEAD, XML_NAMESPACE } from './xml.js';
import { childText, parseXml } from './xml-parser.js';

/** Answers PutObject: stages the body, then checks the conditions and commits in one step. */
export async function putObject(context: ServiceContext, request: ServiceRequest): Promise<ServiceAnswer> {
  const key = keyOf(request);
  bucketOf(context, request);
  checkKey(key);
  const headers = keptHeaders(context, request.headers);
  const tags = headerTags(request.headers['x-amz-tagging']);
  const isChecked = await openWindow(context, request, context.dialect.conditions.put);
  const staged = await stageBody(context, request);
  let bucket: BucketRecord;
  try {
    bucket = bucketOf(context, request);
    if (!isChecked)
      checkWrite(currentOf(bucket, key), request.headers, context.dialect.conditions.put, context.dialect);
  } catch (error) {
    discard(context, staged);
    throw error;
  }
  const checksum: Checksum | undefined =
    staged.algorithm === undefined
      ? undefined
      : { algorithm: staged.algorithm, value: base64Of(staged.digests, staged.algorithm), type: 'FULL_OBJECT' };
  const etag = context.dialect.putEtag === 'random' ? randomEtag(context) : (staged.digests.MD5?.toString('hex') ?? '');
  const { version, change } = newVersion(context, bucket, key, {
    etag,
    sizeBytes: staged.sizeBytes,
    headers,
    content: staged.content,
    tags,
    ...(checksum === undefined ? {} : { checksum }),
  });
  const durable = context.commit([change]);
  if (durable !== undefined) await durable;
  return emptyAnswer(200, {
    etag: `"${etag}"`,
    'x-amz-server-side-encryption': 'AES256',
    ...versionHeader(bucket, version.versionId),
    ...(checksum === undefined ? {} : checksumHeaders(checksum)),
  });
}

/** Answers CopyObject. The bytes are shared, not copied; they are read only where a digest of them is wanted and not known. */
export async function copyObject(context: ServiceContext, request: ServiceRequest): Promise<ServiceAnswer> {
  const key = keyOf(request);
  bucketOf(context, request);
  checkKey(key);
  const { bucket: from, key: fromKey, version: source } = copySource(context, request);
  const directive = request.headers['x-amz-metadata-directive'] ?? 'COPY';
  if (directive !== 'COPY' && directive !== 'REPLACE')
    throw new ServiceError('InvalidArgument', { message: 'Unknown metadata directive.' });
  const own = keptHeaders(context, request.headers);
  if (
    directive === 'COPY' &&
    from.name === request.bucket &&
    fromKey === key &&
    own['x-amz-storage-class'] === undefined
  ) {
    throw new ServiceError('InvalidRequest', {
      message:
        'This copy request is illegal because it is trying to copy an object to itself without changing the object’s metadata, storage class, website redirect location or encryption attributes.',
    });
  }
  if (source.sizeBytes > MOST_BYTES_AT_ONCE)
    throw new ServiceError('InvalidRequest', {
      message: `The specified copy source is larger than the maximum allowable size for a copy source: ${MOST_BYTES_AT_ONCE}`,
    });
  const tags =
    request.headers['x-amz-tagging-directive'] === 'REPLACE'
      ? headerTags(request.headers['x-amz-tagging'])
      : source.tags;
  const release = context.state.hold(source.content);
  try {
    const isChecked = await openWindow(context, request, context.dialect.conditions.copy);
    const { etag, checksum } = await digestsOfCopy(context, request, source);
    const bucket = bucketOf(context, request);
    if (!isChecked)
      checkWrite(currentOf(bucket, key), request.headers, context.dialect.conditions.copy, context.dialect);
    const { version, change } = newVersion(context, bucket, key, {
      etag,
      sizeBytes: source.sizeBytes,
      headers: directive === 'REPLACE' ? own : source.headers,
      content: source.content,
      tags,
      ...(checksum === undefined ? {} : { checksum }),
    });
    const durable = context.commit([change]);
    if (durable !== undefined) await durable;
    let xml = `${XML_HEAD}<CopyObjectResult xmlns="${XML_NAMESPACE}"><ETag>&quot;${etag}&quot;</ETag><LastModified>${isoTime(version.modifiedMs, context.dialect)}</LastModified>`;
    if (checksum !== undefined)
      xml += `<Checksum${checksum.algorithm}>${checksum.value}</Checksum${checksum.algorithm}><ChecksumType>${checksum.type}</ChecksumType>`;
    return xmlAnswer(`${xml}</CopyObjectResult>`, 200, {
      'x-amz-server-side-encryption': 'AES256',
      ...versionHeader(bucket, version.versionId),
      ...(from.versioning === undefined ? {} : { 'x-amz-copy-source-version-id': source.versionId }),
    });
  } finally {
    release();
  }
}

/** Finds what `x-amz-copy-source` names, and checks its preconditions. */
export function copySource(
  context: ServiceContext,
  request: ServiceRequest,
): { readonly bucket: BucketRecord; readonly key: string; readonly version: ObjectVersion } {
  const given = request.headers['x-amz-copy-source'] ?? '';
  const match = /^\/?([^/]+)\/(.+?)(?:\?versionId=([^&?]*))?$/s.exec(given);
  if (match === null)
    throw new ServiceError('InvalidArgument', {
      message: 'Copy Source must mention the source bucket and key: sourcebucket/sourcekey',
    });
  let name: string;
  let key: string;
  try {
    name = decodeURIComponent(match[1] ?? '');
    key = decodeURIComponent(match[2] ?? '');
  } catch {
    throw new ServiceError('InvalidArgument', { message: 'Invalid copy source encoding.' });
  }
  const bucket = bucketNamed(context, name);
  const version = versionOf(bucket, key, match[3]);
  checkCopySource(version, request.headers, context.dialect);
  return { bucket, key, version };
}

/** Answers DeleteObject. */
export async function deleteObject(context: ServiceContext, request: ServiceRequest): Promise<ServiceAnswer> {
  const key = keyOf(request);
  const { versionId } = request.query;
  const isChecked = versionId === undefined && (await openWindow(context, request, context.dialect.conditions.delete));
  const deleted = deleteOne(context, bucketOf(context, request), key, versionId, isChecked ? {} : request.headers);
  if (deleted.durable !== undefined) await deleted.durable;
  const headers: Record<string, string> = {};
  if (deleted.marker !== undefined) headers['x-amz-delete-marker'] = String(deleted.marker);
  if (deleted.versionId !== undefined) headers['x-amz-version-id'] = deleted.versionId;
  return emptyAnswer(204, headers);
}

/** Answers DeleteObjects. */
export async function deleteObjects(context: ServiceContext, request: ServiceRequest): Promise<ServiceAnswer> {
  const { dialect } = context;
  if (!dialect.deleteObjects) throw new ServiceError('NotImplemented', { fields: { Parameter: 'delete' } });
  const bucket = bucketOf(context, request);
  if (
    dialect.deleteObjectsNeedsMd5
      ? request.headers['content-md5'] === undefined
      : dialect.checksums === 'full' && !hasDigest(context, request)
  )
    throw new ServiceError('InvalidRequest', {
      message: 'Missing required header for this request: Content-MD5 OR x-amz-checksum-*',
    });
  const document = parseXml(await readDocument(context, request, 2 << 20));
  const objects = document.children.filter((child) => child.name === 'Object');
  if (document.name !== 'Delete' || objects.length === 0 || objects.length > 1000)
    throw new ServiceError('MalformedXML');
  const quiet = childText(document, 'Quiet')?.trim() === 'true';
  let xml = `${XML_HEAD}<DeleteResult xmlns="${XML_NAMESPACE}">`;
  const waits: Promise<void>[] = [];
  for (const object of objects) {
    const key = childText(object, 'Key');
    if (key === undefined || key === '') throw new ServiceError('MalformedXML');
    const versionId = childText(object, 'VersionId');
    const etag = childText(object, 'ETag');
    const about = `<Key>${escapeXml(key)}</Key>${versionId === undefined ? '' : `<VersionId>${escapeXml(versionId)}</VersionId>`}`;
    try {
      const deleted = deleteOne(context, bucket, key, versionId, etag === undefined ? {} : { 'if-match': etag });
      if (deleted.durable !== undefined) waits.push(deleted.durable);
      if (quiet) continue;
      xml += `<Deleted>${about}`;
      if (deleted.marker === true)
        xml += `<DeleteMarker>true</DeleteMarker><DeleteMarkerVersionId>${deleted.versionId ?? ''}</DeleteMarkerVersionId>`;
      xml += '</Deleted>';
    } catch (error) {
      if (!(error instanceof ServiceError)) throw error;
      xml += `<Error>${about}<Code>${error.code}</Code><Message>${escapeXml(error.message)}</Message></Error>`;
    }
  }
  await Promise.all(waits);
  return xmlAnswer(`${xml}</DeleteResult>`);
}

/** A new version of a key, and the change that makes it current. */
export function newVersion(
  context: ServiceContext,
  bucket: BucketRecord,
  key: string,
  version: Omit<ObjectVersion, 'versionId' | 'deleteMarker' | 'modifiedMs'>,
): { readonly version: ObjectVersion; readonly change: StateChange } {
  const made: ObjectVersion = {
    versionId: nextVersionId(context, bucket),
    deleteMarker: false,
    modifiedMs: context.runtime.clock.nowMs(),
    ...version,
  };
  return { version: made, change: { type: 'version', bucket: bucket.name, key, version: made } };
}

/** An ETag that says nothing about the content. */
export function randomEtag(context: ServiceContext): string {
  const { random } = context.runtime;
  return Array.from({ length: 32 }, () => Math.floor(random.next() * 16).toString(16)).join('');
}

/**
 * In dialects whose conditions are not atomic: checks now and lets time pass, so that others get in between.
 * Answers whether the check is done.
 */
export async function openWindow(
  context: ServiceContext,
  request: ServiceRequest,
  rules: ConditionRules,
): Promise<boolean> {
  if (context.dialect.conditionWindowMs === 0) return false;
  checkWrite(currentOf(bucketOf(context, request), keyOf(request)), request.headers, rules, context.dialect);
  await context.runtime.clock.sleep(context.dialect.conditionWindowMs);
  return true;
}

interface Deleted {
  readonly durable: Promise<void> | undefined;
  /** `true`: a marker was made or removed. */
  readonly marker?: boolean;
  readonly versionId?: string;
}

function deleteOne(
  context: ServiceContext,
  bucket: BucketRecord,
  key: string,
  versionId: string | undefined,
  headers: Readonly<Record<string, string>>,
): Deleted {
  const record = bucket.objects.get(key);
  if (versionId !== undefined) {
    const version = record?.versions.find((each) => each.versionId === versionId);
    const durable =
      version === undefined
        ? undefined
        : context.commit([{ type: 'version-removed', bucket: bucket.name, key, versionId }]);
    return { durable, versionId, ...(version?.deleteMarker === true ? { marker: true } : {}) };
  }
  // Conditions are about the current version only.
  checkWrite(currentOf(bucket, key), headers, context.dialect.conditions.delete, context.dialect);
  if (bucket.versioning === undefined) {
    if (record === undefined) return { durable: undefined };
    return { durable: context.commit([{ type: 'version-removed', bucket: bucket.name, key, versionId: 'null' }]) };
  }
  const { version, change } = newVersion(context, bucket, key, {
    etag: '',
    sizeBytes: 0,
    headers: {},
    content: [],
    tags: [],
  });
  const durable = context.commit([{ ...change, version: { ...version, deleteMarker: true } } as StateChange]);
  return { durable, marker: true, versionId: version.versionId };
}

async function digestsOfCopy(
  context: ServiceContext,
  request: ServiceRequest,
  source: ObjectVersion,
): Promise<{ readonly etag: string; readonly checksum: Checksum | undefined }> {
  const wanted = request.headers['x-amz-checksum-algorithm'];
  const algorithm = (wanted === undefined ? undefined : checksumAlgorithm(wanted)) ?? source.checksum?.algorithm;
  const isKept = source.checksum?.type === 'FULL_OBJECT' && source.checksum.algorithm === algorithm;
  const needsMd5 = source.parts !== undefined && context.dialect.putEtag === 'md5';
  const digests = await digestContent(context, source.content, [
    ...(needsMd5 ? (['MD5'] as const) : []),
    ...(algorithm === undefined || isKept ? [] : [algorithm]),
  ]);
  const etag =
    context.dialect.putEtag === 'random' ? randomEtag(context) : (digests.MD5?.toString('hex') ?? source.etag);
  if (algorithm === undefined || isKept) return { etag, checksum: source.checksum };
  return { etag, checksum: { algorithm, value: base64Of(digests, algorithm), type: 'FULL_OBJECT' } };
}

/** Reads a Tagging document. */
export async function readTags(context: ServiceContext, request: ServiceRequest): Promise<Tags> {
  const document = parseXml(await readDocument(context, request, 64 << 10));
  const set = document.children.find((child) => child.name === 'TagSet');
  if (document.name !== 'Tagging' || set === undefined) throw new ServiceError('MalformedXML');
  return set.children.map((tag) => [childText(tag, 'Key') ?? '', childText(tag, 'Value') ?? ''] as const);
}
