/** One object of a listing to be written. */
export interface PageObject {
  readonly key: string;
  readonly sizeBytes: number;
}

/** Writes the answer to ListObjectsV2 by hand, so that a test of the scanner does not share a mistake with the embedded server. */
export function writeListPage(
  objects: readonly PageObject[],
  options: { readonly urlEncoded: boolean; readonly nextToken?: string },
): string {
  const { urlEncoded, nextToken } = options;
  const contents = objects.map(
    ({ key, sizeBytes }) =>
      `<Contents><Key>${urlEncoded ? encodeURIComponent(key) : escapeXml(key)}</Key><LastModified>2026-01-02T03:04:05.000Z</LastModified>` +
      `<ETag>&quot;0123456789abcdef0123456789abcdef&quot;</ETag><Size>${sizeBytes}</Size><StorageClass>STANDARD</StorageClass></Contents>`,
  );
  return (
    `<?xml version="1.0" encoding="UTF-8"?>\n<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Name>bucket</Name><Prefix></Prefix>` +
    `<KeyCount>${objects.length}</KeyCount><MaxKeys>1000</MaxKeys>${urlEncoded ? '<EncodingType>url</EncodingType>' : ''}` +
    `<IsTruncated>${nextToken !== undefined}</IsTruncated>${nextToken === undefined ? '' : `<NextContinuationToken>${nextToken}</NextContinuationToken>`}` +
    `${contents.join('')}</ListBucketResult>`
  );
}

function escapeXml(text: string): string {
  return text.replaceAll(/[&<>"\r\n\t]/g, (c) => `&#${c.charCodeAt(0)};`);
}
