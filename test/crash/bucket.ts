import { createHash } from 'node:crypto';
import { createHttpTransport } from '../../src/replica/s3/http-transport.js';
import type { S3Request, S3Transport } from '../../src/replica/s3/transport.js';
import { systemRuntime } from '../../src/s3/system-runtime.js';
import { putInParts } from './put-in-parts.js';
import { plainClient } from './run-command.js';
import { OLD_MS } from './scenarios.js';

/** A hand that reaches into a bucket past the product. */
export class Bucket {
  readonly name: string;
  readonly #transport: S3Transport;

  constructor(name: string, transport: S3Transport) {
    this.name = name;
    this.#transport = transport;
  }

  async create(): Promise<void> {
    await this.#ask('PUT', undefined);
  }

  async put(key: string, content: string | Uint8Array, modifiedMs?: number): Promise<void> {
    const body = Buffer.from(content);
    const headers = {
      'content-md5': createHash('md5').update(body).digest('base64'),
      ...(modifiedMs !== undefined && { 'x-amz-meta-mtime': String(modifiedMs / 1000) }),
    };
    await this.#ask('PUT', key, {}, headers, body);
  }

  putInParts(key: string, content: string, partBytes: number): Promise<void> {
    return putInParts(this.#transport, this.name, key, content, { partBytes, modifiedMs: OLD_MS });
  }

  async remove(key: string): Promise<void> {
    await this.#ask('DELETE', key);
  }

  async rename(key: string, to: string): Promise<void> {
    await this.#ask('PUT', to, {}, { 'x-amz-copy-source': `/${this.name}/${key}` });
    await this.remove(key);
  }

  async get(key: string): Promise<string> {
    return (await this.getBytes(key)).toString();
  }

  getBytes(key: string): Promise<Buffer> {
    return this.#ask('GET', key);
  }

  /** All keys, which are plain. */
  async keys(): Promise<string[]> {
    return [...(await this.listing()).keys()];
  }

  /** All that is told of each object: its time and its digest as well. Keys are plain. */
  async listing(): Promise<Map<string, string>> {
    const listing = new Map<string, string>();
    for (let after: Readonly<Record<string, string>> = {}; ;) {
      const xml = (await this.#ask('GET', undefined, { 'list-type': '2', ...after })).toString();
      for (const [told, key = ''] of xml.matchAll(/<Contents>.*?<Key>([^<]*)<\/Key>.*?<\/Contents>/gs))
        listing.set(key, told);
      if (!xml.includes('<IsTruncated>true</IsTruncated>')) return listing;
      after = { 'start-after': [...listing.keys()].at(-1) ?? '' };
    }
  }

  /** The keys of the uploads that were begun and not ended. */
  async uploads(): Promise<string[]> {
    const xml = (await this.#ask('GET', undefined, { uploads: '' })).toString();
    return Array.from(xml.matchAll(/<Key>([^<]*)<\/Key>/g), ([, key = '']) => key);
  }

  async objects(): Promise<Map<string, string>> {
    const objects = new Map<string, string>();
    for (const key of await this.keys()) objects.set(key, await this.get(key));
    return objects;
  }

  async #ask(
    method: S3Request['method'],
    key: string | undefined,
    query: Readonly<Record<string, string>> = {},
    headers: Readonly<Record<string, string>> = {},
    body?: Uint8Array,
  ): Promise<Buffer> {
    const answer = await this.#transport.send({
      method,
      bucket: this.name,
      key,
      query,
      headers,
      ...(body && { body }),
    });
    const chunks: Uint8Array[] = [];
    for await (const chunk of answer.body) chunks.push(Buffer.from(chunk));
    const bytes = Buffer.concat(chunks);
    if (answer.status >= 300)
      throw new Error(`${method} ${key ?? this.name} answered ${answer.status}: ${bytes.toString()}`);
    return bytes;
  }
}

/** Opens buckets of one server; closed by the caller. */
export function openBuckets(endpoint: string): { bucket(name: string): Bucket; close(): Promise<void> } {
  const transport = createHttpTransport({ client: plainClient(endpoint), clock: systemRuntime.clock });
  return { bucket: (name) => new Bucket(name, transport), close: () => transport.close() };
}
