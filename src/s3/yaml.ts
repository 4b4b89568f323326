import type { S3Client } from '@aws-sdk/client-s3';
import { LineCounter, parseDocument, stringify } from 'yaml';
import { readDocument, writeDocument, type DocumentFormat, type ReadOptions } from './document.js';

const yaml: DocumentFormat = {
  name: 'YAML',
  contentType: 'application/yaml',
  parse: parseYaml,
  print: (value) =>
    value === undefined || typeof value === 'function' || typeof value === 'symbol' ? undefined : stringify(value),
};

/**
 * Reads an object as YAML; gzip is recognised by its first bytes, whatever the key is called.
 *
 * @returns the value, or `default` when there is no such object. Its shape is not checked.
 * @throws PathError `ERR_OBJECT_NOT_FOUND`, `ERR_DOCUMENT_INVALID`, `ERR_S3_FORBIDDEN`; S3ConnectionError when the
 * bucket or the service cannot be used.
 *
 * @example
 * ```ts
 * import { s3 } from 'filecloudsync';
 * const client = await s3.connect();
 * const settings = await s3.readYaml(client, 'app', 'settings.yml', { default: {} });
 * console.log(settings);
 * ```
 */
export async function readYaml(
  client: S3Client,
  bucket: string,
  key: string,
  options: ReadOptions<unknown> = {},
): Promise<unknown> {
  return readDocument(yaml, client, bucket, key, options);
}

/**
 * Writes a value as YAML, with one PUT: readers see the old document or the new one, never a part, and the last writer
 * wins. A key that ends in `.gz` is compressed.
 *
 * @throws UsageError `ERR_USAGE` for what YAML cannot hold; PathError, S3ConnectionError when it cannot be written.
 *
 * @example
 * ```ts
 * import { s3 } from 'filecloudsync';
 * const client = await s3.connect();
 * await s3.writeYaml({ theme: 'dark' }, client, 'app', 'settings.yml');
 * ```
 */
export async function writeYaml(value: unknown, client: S3Client, bucket: string, key: string): Promise<void> {
  return writeDocument(yaml, value, client, bucket, key);
}

function parseYaml(text: string): unknown {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const broken = document.errors[0];
  if (broken !== undefined)
    throw Object.assign(new SyntaxError('not YAML'), { line: lines.linePos(broken.pos[0]).line });
  return document.toJS();
}
