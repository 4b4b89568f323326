import { compareByteOrder } from '../../core/byte-order.js';
import { askOf, prefixesXml, versionXml } from './listing.js';
import { bucketOf, OWNER_ID, type ServiceContext } from './service-context.js';
import type { ServiceAnswer, ServiceRequest } from './service.js';
import { ServiceError, xmlAnswer } from './service-error.js';
import { isoTime } from './time.js';
import { escapeXml, XML_HEAD, XML_NAMESPACE } from './xml.js';

/** Answers ListObjectVersions: keys in order, the versions of each newest first. */
export function listObjectVersions(context: ServiceContext, request: ServiceRequest): ServiceAnswer {
  const bucket = bucketOf(context, request);
  if (!context.dialect.versioning) throw new ServiceError('NotImplemented', { fields: { Parameter: 'versions' } });
  const { query } = request;
  const ask = askOf(query, context.dialect);
  const keyMarker = query['key-marker'] ?? '';
  const versionMarker = query['version-id-marker'] ?? '';
  if (versionMarker !== '' && keyMarker === '')
    throw new ServiceError('InvalidArgument', {
      message: 'A version-id marker cannot be specified without a key marker.',
    });
  let entries = '';
  let count = 0;
  let isTruncated = false;
  const prefixes: string[] = [];
  let last: readonly [string, string] = ['', ''];
  let cursor = bucket.objects.from(compareByteOrder(keyMarker, ask.prefix) > 0 ? keyMarker : ask.prefix);
  let isPastMarker = versionMarker === '';
  outer: for (let record = cursor.next(); record !== undefined; record = cursor.next()) {
    const { key, versions } = record;
    if (!key.startsWith(ask.prefix)) break;
    if (key === keyMarker && versionMarker === '') continue;
    const end = ask.delimiter === '' ? -1 : key.indexOf(ask.delimiter, ask.prefix.length);
    if (end !== -1) {
      const group = key.slice(0, end + ask.delimiter.length);
      cursor = bucket.objects.after(group);
      if (group === keyMarker) continue;
      if (count >= ask.most) {
        isTruncated = true;
        break;
      }
      prefixes.push(group);
      last = [group, ''];
      count++;
      continue;
    }
    for (const [index, version] of versions.entries()) {
      if (key === keyMarker && !isPastMarker) {
        isPastMarker = version.versionId === versionMarker;
        continue;
      }
      if (count >= ask.most) {
        isTruncated = ask.most > 0;
        break outer;
      }
      const name = version.deleteMarker ? 'DeleteMarker' : 'Version';
      entries += `<${name}><Key>${ask.encode(key)}</Key><VersionId>${version.versionId}</VersionId><IsLatest>${index === 0}</IsLatest>`;
      entries += version.deleteMarker
        ? `<LastModified>${isoTime(version.modifiedMs, context.dialect)}</LastModified>`
        : versionXml(version, context.dialect);
      entries += `<Owner><ID>${OWNER_ID}</ID></Owner></${name}>`;
      last = [key, version.versionId];
      count++;
    }
  }
  let xml = `${XML_HEAD}<ListVersionsResult xmlns="${XML_NAMESPACE}"><Name>${bucket.name}</Name><Prefix>${ask.encode(ask.prefix)}</Prefix>`;
  xml += `<KeyMarker>${ask.encode(keyMarker)}</KeyMarker><VersionIdMarker>${escapeXml(versionMarker)}</VersionIdMarker>`;
  if (isTruncated) {
    xml += `<NextKeyMarker>${ask.encode(last[0])}</NextKeyMarker>`;
    if (last[1] !== '') xml += `<NextVersionIdMarker>${last[1]}</NextVersionIdMarker>`;
  }
  xml += `<MaxKeys>${ask.most}</MaxKeys>`;
  if (ask.delimiter !== '') xml += `<Delimiter>${ask.encode(ask.delimiter)}</Delimiter>`;
  if (ask.urlEncoded) xml += '<EncodingType>url</EncodingType>';
  return xmlAnswer(
    `${xml}<IsTruncated>${isTruncated}</IsTruncated>${entries}${prefixesXml(prefixes, ask)}</ListVersionsResult>`,
  );
}
