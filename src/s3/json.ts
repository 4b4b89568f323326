import type { S3Client } from '@aws-sdk/client-s3';
import { readDocument, writeDocument, type DocumentFormat, type ReadOptions } from './document.js';

const json: DocumentFormat = {
  name: 'JSON',
  contentType: 'application/json',
  parse: (text) => JSON.parse(text),
  print: (value) => JSON.stringify(value),
};

/**
 * Reads an object as JSON; gzip is recognised by its first bytes, whatever the key is called.
 *
 * @returns the value, or `default` when there is no such object. Its shape is not checked.
 * @throws PathError `ERR_OBJECT_NOT_FOUND`, `ERR_DOCUMENT_INVALID`, `ERR_S3_FORBIDDEN`; S3ConnectionError when the
 * bucket or the service cannot be used.
 *
 * @example
 * ```ts
 * import { s3 } from 'filecloudsync';
 * const client = await s3.connect();
 * const settings = await s3.readJson(client, 'app', 'settings.json', { default: { theme: 'dark' } });
 * console.log(settings);
 * ```
 */
export async function readJson(
  client: S3Client,
  bucket: string,
  key: string,
  options: ReadOptions<unknown> = {},
): Promise<unknown> {
  return readDocument(json, client, bucket, key, options);
}

/**
 * Writes a value as JSON, with one PUT: readers see the old document or the new one, never a part, and the last writer
 * wins. A key that ends in `.gz` is compressed.
 *
 * @throws UsageError `ERR_USAGE` for what JSON cannot hold; PathError, S3ConnectionError when it cannot be written.
 *
 * @example
 * ```ts
 * import { s3 } from 'filecloudsync';
 * const client = await s3.connect();
 * await s3.writeJson({ theme: 'dark' }, client, 'app', 'settings.json.gz');
 * ```
 */
export async function writeJson(value: unknown, client: S3Client, bucket: string, key: string): Promise<void> {
  return writeDocument(json, value, client, bucket, key);
}
