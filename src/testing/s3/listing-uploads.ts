import { compareByteOrder } from '../../core/byte-order.js';
import { askOf, prefixesXml } from './listing.js';
import { uploadOf } from './multipart-operations.js';
import { bucketOf, integerParameter, OWNER_ID, type ServiceContext } from './service-context.js';
import type { ServiceAnswer, ServiceRequest } from './service.js';
import { xmlAnswer } from './service-error.js';
import { isoTime } from './time.js';
import { escapeXml, XML_HEAD, XML_NAMESPACE } from './xml.js';

const OWNER_XML = `<Initiator><ID>${OWNER_ID}</ID></Initiator><Owner><ID>${OWNER_ID}</ID></Owner><StorageClass>STANDARD</StorageClass>`;

/** Answers ListMultipartUploads: by key, uploads of one key by the time they began. */
export function listMultipartUploads(context: ServiceContext, request: ServiceRequest): ServiceAnswer {
  const bucket = bucketOf(context, request);
  const { query } = request;
  const ask = askOf(query, context.dialect, 'max-uploads');
  const keyMarker = query['key-marker'] ?? '';
  const idMarker = query['upload-id-marker'] ?? '';
  const uploads = [...bucket.uploads.values()]
    .map(({ upload }) => upload)
    .filter(({ key }) => key.startsWith(ask.prefix))
    .sort(
      (a, b) => compareByteOrder(a.key, b.key) || a.startedMs - b.startedMs || compareByteOrder(a.uploadId, b.uploadId),
    );
  // The marker's upload may be gone meanwhile: then the whole key is passed over, as AWS does without an id marker.
  const markerAt = uploads.findIndex(({ key, uploadId }) => key === keyMarker && uploadId === idMarker);
  const start =
    markerAt !== -1
      ? markerAt + 1
      : uploads.findIndex(({ key }) => keyMarker === '' || compareByteOrder(key, keyMarker) > 0);
  let entries = '';
  const prefixes: string[] = [];
  let count = 0;
  let isTruncated = false;
  let last = { key: '', uploadId: '' };
  for (const upload of start === -1 ? [] : uploads.slice(start)) {
    const end = ask.delimiter === '' ? -1 : upload.key.indexOf(ask.delimiter, ask.prefix.length);
    const group = end === -1 ? undefined : upload.key.slice(0, end + ask.delimiter.length);
    if (group !== undefined && (prefixes.at(-1) === group || keyMarker.startsWith(group))) {
      last = upload;
      continue;
    }
    if (count >= ask.most) {
      isTruncated = ask.most > 0;
      break;
    }
    count++;
    last = upload;
    if (group !== undefined) prefixes.push(group);
    else {
      entries += `<Upload><Key>${ask.encode(upload.key)}</Key><UploadId>${upload.uploadId}</UploadId>${OWNER_XML}<Initiated>${isoTime(upload.startedMs, context.dialect)}</Initiated>`;
      if (upload.algorithm !== undefined)
        entries += `<ChecksumAlgorithm>${upload.algorithm}</ChecksumAlgorithm><ChecksumType>${upload.checksumType ?? ''}</ChecksumType>`;
      entries += '</Upload>';
    }
  }
  let xml = `${XML_HEAD}<ListMultipartUploadsResult xmlns="${XML_NAMESPACE}"><Bucket>${bucket.name}</Bucket><KeyMarker>${ask.encode(keyMarker)}</KeyMarker><UploadIdMarker>${escapeXml(idMarker)}</UploadIdMarker>`;
  if (isTruncated)
    xml += `<NextKeyMarker>${ask.encode(last.key)}</NextKeyMarker><NextUploadIdMarker>${last.uploadId}</NextUploadIdMarker>`;
  xml += `<Prefix>${ask.encode(ask.prefix)}</Prefix>`;
  if (ask.delimiter !== '') xml += `<Delimiter>${ask.encode(ask.delimiter)}</Delimiter>`;
  if (ask.urlEncoded) xml += '<EncodingType>url</EncodingType>';
  return xmlAnswer(
    `${xml}<MaxUploads>${ask.most}</MaxUploads><IsTruncated>${isTruncated}</IsTruncated>${entries}${prefixesXml(prefixes, ask)}</ListMultipartUploadsResult>`,
  );
}

/** Answers ListParts. */
export function listParts(context: ServiceContext, request: ServiceRequest): ServiceAnswer {
  const { bucket, record } = uploadOf(context, request);
  const { upload } = record;
  const most = integerParameter(request.query, 'max-parts', 1000, 1000);
  const marker = integerParameter(request.query, 'part-number-marker', 0, 2147483647);
  const left = [...record.parts.values()].filter((part) => part.number > marker).sort((a, b) => a.number - b.number);
  const shown = left.slice(0, most);
  let xml = `${XML_HEAD}<ListPartsResult xmlns="${XML_NAMESPACE}"><Bucket>${bucket.name}</Bucket><Key>${escapeXml(upload.key)}</Key><UploadId>${upload.uploadId}</UploadId>${OWNER_XML}`;
  xml += `<PartNumberMarker>${marker}</PartNumberMarker><NextPartNumberMarker>${shown.at(-1)?.number ?? 0}</NextPartNumberMarker><MaxParts>${most}</MaxParts>`;
  xml += `<IsTruncated>${left.length > shown.length}</IsTruncated>`;
  if (upload.algorithm !== undefined)
    xml += `<ChecksumAlgorithm>${upload.algorithm}</ChecksumAlgorithm><ChecksumType>${upload.checksumType ?? ''}</ChecksumType>`;
  for (const part of shown) {
    xml += `<Part><PartNumber>${part.number}</PartNumber><LastModified>${isoTime(part.modifiedMs, context.dialect)}</LastModified><ETag>&quot;${part.etag}&quot;</ETag><Size>${part.sizeBytes}</Size>`;
    if (part.checksum !== undefined && upload.algorithm !== undefined)
      xml += `<Checksum${upload.algorithm}>${part.checksum}</Checksum${upload.algorithm}>`;
    xml += '</Part>';
  }
  return xmlAnswer(`${xml}</ListPartsResult>`);
}
