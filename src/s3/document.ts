import { createHash } from 'node:crypto';
import { promisify } from 'node:util';
import { gunzip, gzip } from 'node:zlib';
import type { S3Client } from '@aws-sdk/client-s3';
import { type FileCloudSyncError, PathError, UsageError } from '../errors.js';
import { MAX_DOCUMENT_BYTES, readObject, writeObject } from './read-object.js';
import { withBucket } from './with-bucket.js';

/** Options of {@link readYaml} and {@link readJson}. */
export interface ReadOptions<T> {
  /**
   * What is answered when there is no such object; never for an object that is forbidden or not valid.
   *
   * Default: none; then the call rejects with `ERR_OBJECT_NOT_FOUND`. `undefined` counts, when it is given.
   *
   * @example
   * ```ts
   * import { s3 } from 'filecloudsync';
   * const client = await s3.connect();
   * const settings = await s3.readJson(client, 'app', 'settings.json', { default: {} });
   * console.log(settings);
   * ```
   */
  readonly default?: T;
}

/** How a kind of document is read and written. */
export interface DocumentFormat {
  readonly name: 'JSON' | 'YAML';
  readonly contentType: string;
  /** Throws for what is not valid; the error's `line`, if it has one, is told, and its message is not. */
  readonly parse: (text: string) => unknown;
  /** `undefined` for what the format cannot hold. */
  readonly print: (value: unknown) => string | undefined;
}

/** Reads an object and takes it for a document, packed or not. */
export async function readDocument<T>(
  format: DocumentFormat,
  client: S3Client,
  bucket: string,
  key: string,
  options: ReadOptions<T>,
): Promise<unknown> {
  const bytes = await withBucket(`read${format.name}`, client, bucket, [key], (tools) => readObject(tools, key));
  if (bytes === undefined) {
    if ('default' in options) return options.default;
    throw new PathError(
      'ERR_OBJECT_NOT_FOUND',
      `There is no object "${key}" in the bucket "${bucket}". Check the key, or give a "default".`,
      {
        data: { bucket, key },
      },
    );
  }
  const text = decode(isGzip(bytes) ? await unpack(bytes, bucket, key) : bytes, bucket, key);
  try {
    return format.parse(text);
  } catch (error) {
    const line =
      typeof error === 'object' && error !== null && 'line' in error && typeof error.line === 'number'
        ? ` (line ${error.line})`
        : '';
    // No cause: what a parser says quotes the document, which may be secret.
    throw invalid(bucket, key, `is not valid ${format.name}${line}`);
  }
}

/** Writes a value as a document, packed when the key ends in `.gz`. */
export async function writeDocument(
  format: DocumentFormat,
  value: unknown,
  client: S3Client,
  bucket: string,
  key: string,
): Promise<void> {
  await withBucket(`write${format.name}`, client, bucket, [key], async (tools) => {
    const text = print(format, value, bucket, key);
    const isPacked = key.endsWith('.gz');
    const body = isPacked ? await promisify(gzip)(text) : Buffer.from(text, 'utf8');
    await writeObject(tools, key, body, {
      'content-type': isPacked ? 'application/gzip' : format.contentType,
      'content-md5': createHash('md5').update(body).digest('base64'),
    });
  });
}

function print(format: DocumentFormat, value: unknown, bucket: string, key: string): string {
  let reason = '';
  try {
    const text = format.print(value);
    if (text !== undefined) return text;
  } catch (error) {
    reason = error instanceof Error ? ` (${error.name})` : '';
  }
  throw new UsageError(
    'ERR_USAGE',
    `The value for the object "${key}" of the bucket "${bucket}" cannot be written as ${format.name}${reason}. Nothing was written; give plain data without functions and circles.`,
    { data: { bucket, key } },
  );
}

/** Gzip is told by its first bytes, whatever the key is called. */
function isGzip(bytes: Uint8Array): boolean {
  return bytes[0] === 0x1f && bytes[1] === 0x8b;
}

async function unpack(bytes: Uint8Array, bucket: string, key: string): Promise<Uint8Array> {
  try {
    return await promisify(gunzip)(bytes, { maxOutputLength: MAX_DOCUMENT_BYTES });
  } catch (error) {
    const isTooLarge = error instanceof Error && 'code' in error && error.code === 'ERR_BUFFER_TOO_LARGE';
    throw invalid(
      bucket,
      key,
      isTooLarge ? `unpacks to more than ${MAX_DOCUMENT_BYTES} bytes` : 'begins like gzip, but cannot be unpacked',
    );
  }
}

function decode(bytes: Uint8Array, bucket: string, key: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw invalid(bucket, key, 'is not UTF-8 text');
  }
}

function invalid(bucket: string, key: string, what: string): FileCloudSyncError {
  return new PathError(
    'ERR_DOCUMENT_INVALID',
    `The object "${key}" of the bucket "${bucket}" ${what}. Nothing was answered; look at the object.`,
    {
      data: { bucket, key },
    },
  );
}
