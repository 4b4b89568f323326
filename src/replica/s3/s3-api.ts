import { copyWith } from '../../core/copy-with.js';
import { S3ConnectionError } from '../../errors.js';
import type { Backoff } from '../wrap/backoff.js';
import { discard } from './wrap/discard.js';
import { isTransientError } from './wrap/retry.js';
import { scanListing, type ListedPage } from './list-scanner.js';
import { bareEtag, readObjectState, type ObjectState } from './object-state.js';
import { readBody } from './read-body.js';
import { describeFailure, readFailure, type ServiceFailure } from './service-error.js';
import type { S3Request, S3Response, S3Transport } from './transport.js';
import { encodeUriPart } from './uri.js';
import { decodeListedKey } from './url-decode.js';
import { childText, readXml, type XmlElement } from './xml-reader.js';
import { decodeXmlBytes } from './xml-text.js';

/** The answer to a call: its value, or why the service refused. Thrown is only what left no answer. */
export type Answer<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly failure: ServiceFailure };

/** One page of keys to ask for. */
export interface ListPageRequest {
  readonly prefix: string;
  /** Where another page ended. With it the store forgets `startAfter`. */
  readonly token: string | undefined;
  /** Only keys after this one; it needs not exist. */
  readonly startAfter?: string | undefined;
  readonly maxKeys: number;
}

/** A part that the store holds. */
export interface HeldPart {
  readonly number: number;
  readonly etag: string;
  readonly sizeBytes: number;
}

/** Where a copy comes from. */
export interface CopySource {
  readonly key: string;
  /** Value of `x-amz-copy-source-if-match`; `undefined`: not sent. */
  readonly ifMatch: string | undefined;
}

/** Names the SHA-256 of a body in hex. */
export const SHA256_HEADER = 'x-amz-content-sha256';

type Headers = Readonly<Record<string, string>>;

/** Told before a body is sent once more, while what was sent before may still be on its way from the same memory. */
export type OnResend = () => void;

/** The calls of S3 that the replica needs, about one bucket. */
export interface S3Api {
  readonly bucket: string;
  list(page: ListPageRequest, signal?: AbortSignal): Promise<Answer<ListedPage>>;
  /** Lists, and reads the document in another way. */
  listAs<T>(read: (xml: string) => T, page: ListPageRequest, signal?: AbortSignal): Promise<Answer<T>>;
  head(key: string, signal?: AbortSignal): Promise<Answer<ObjectState>>;
  /** The answer as it is, with its content where it says 200 or 206. Its body must be read or cancelled. */
  get(key: string, headers: Headers, signal?: AbortSignal): Promise<S3Response>;
  /** Answers the ETag, without quotes; `''` when the store gives none. */
  put(
    key: string,
    body: Uint8Array,
    headers: Headers,
    signal?: AbortSignal,
    onResend?: OnResend,
  ): Promise<Answer<string>>;
  remove(key: string, headers: Headers, signal?: AbortSignal): Promise<Answer<undefined>>;
  /** Answers the ETag of the copy. */
  copy(source: CopySource, to: string, headers: Headers, signal?: AbortSignal): Promise<Answer<string>>;
  createUpload(key: string, headers: Headers, signal?: AbortSignal): Promise<Answer<string>>;
  uploadPart(
    part: PartTarget,
    body: Uint8Array,
    headers: Headers,
    signal?: AbortSignal,
    onResend?: OnResend,
  ): Promise<Answer<string>>;
  copyPart(
    part: PartTarget,
    source: CopySource,
    range: readonly [start: number, end: number],
    signal?: AbortSignal,
  ): Promise<Answer<string>>;
  listParts(key: string, uploadId: string, signal?: AbortSignal): Promise<Answer<HeldPart[]>>;
  complete(
    key: string,
    uploadId: string,
    parts: readonly HeldPart[],
    headers: Headers,
    signal?: AbortSignal,
  ): Promise<Answer<string>>;
  abortUpload(key: string, uploadId: string, signal?: AbortSignal): Promise<Answer<undefined>>;
  /** The unfinished uploads of one key, anybody's. */
  listUploads(key: string, signal?: AbortSignal): Promise<Answer<ListedUpload[]>>;
}

/** An upload that was begun and not ended. */
export interface ListedUpload {
  readonly uploadId: string;
  /** On the service's clock, in milliseconds since 1970; `undefined` when it does not say. */
  readonly startedAtMs: number | undefined;
}

/** One part of an upload. */
export interface PartTarget {
  readonly key: string;
  readonly uploadId: string;
  readonly number: number;
}

/** 1,000 keys of 1,024 bytes, each URL-encoded, with their metadata. */
const MAX_LISTING_BYTES = 16 * 1024 * 1024;
const MAX_DOCUMENT_BYTES = 2 * 1024 * 1024;

/** Puts the calls on a transport. Answers that broke off while they were read are asked for again when that is safe. */
export function createS3Api(transport: S3Transport, bucket: string, backoff: Backoff): S3Api {
  /** Failures of requests that the transport has repeated as often as is worth it. */
  const spent = new WeakSet<object>();

  /** An answer whose body says nothing that is needed. */
  const bare = async <T>(request: S3Request, value: (response: S3Response) => T): Promise<Answer<T>> => {
    const response = await transport.send(request);
    if (response.status < 200 || response.status > 299) return { ok: false, failure: await readFailure(response) };
    const discarded = discard(response);
    if (discarded !== undefined) await discarded;
    return { ok: true, value: value(response) };
  };

  /** An answer in XML. */
  const document = async <T>(
    request: S3Request,
    read: (xml: string) => T,
    most = MAX_DOCUMENT_BYTES,
  ): Promise<Answer<T>> => {
    const response = await transport.send(request).catch((error: unknown) => {
      if (error instanceof Error) spent.add(error);
      throw error;
    });
    if (response.status !== 200) return { ok: false, failure: await readFailure(response) };
    const bytes = await readBody(response, most);
    const xml = decodeXmlBytes(bytes);
    if (/^\s*(?:<\?xml[^>]*>\s*)?<Error[\s>]/.test(xml.slice(0, 400)))
      return { ok: false, failure: describeFailure(response, bytes) };
    if (isWebPage(response, xml))
      return { ok: false, failure: { ...describeFailure(response, bytes), status: 200, isForeign: true } };
    return { ok: true, value: read(xml) };
  };

  /** A document that may be asked for again when its answer breaks off. */
  const again = async <T>(ask: () => Promise<Answer<T>>, signal: AbortSignal | undefined): Promise<Answer<T>> => {
    for (let attempt = 1; ; attempt++) {
      try {
        return await ask();
      } catch (error) {
        // Repeated here as well, a silent service would be waited for three times as long.
        const isSpent = error instanceof Error && spent.has(error);
        if (attempt >= 3 || isSpent || !isTransientError(error)) throw error;
      }
      await backoff.wait(attempt, signal);
    }
  };

  const listAs: S3Api['listAs'] = (read, { prefix, token, startAfter, maxKeys }, signal) => {
    const query = {
      'list-type': '2',
      'encoding-type': 'url',
      'max-keys': String(maxKeys),
      ...(prefix !== '' && { prefix }),
      ...(token !== undefined && { 'continuation-token': token }),
      ...(token === undefined && startAfter !== undefined && { 'start-after': startAfter }),
    };
    return again(
      () => document({ method: 'GET', bucket, key: undefined, query, headers: {}, signal }, read, MAX_LISTING_BYTES),
      signal,
    );
  };

  return {
    bucket,
    list: (page, signal) => listAs(scanListing, page, signal),
    listAs,
    head: (key, signal) =>
      bare({ method: 'HEAD', bucket, key, query: {}, headers: {}, signal }, ({ headers }) =>
        readObjectState(headers, Number(headers['content-length'] ?? 0)),
      ),
    get: (key, headers, signal) => transport.send({ method: 'GET', bucket, key, query: {}, headers, signal }),
    put: (key, body, headers, signal, onResend) =>
      bare({ method: 'PUT', bucket, key, query: {}, headers, body, onResend, signal }, (response) =>
        bareEtag(response.headers['etag']),
      ),
    remove: (key, headers, signal) =>
      bare({ method: 'DELETE', bucket, key, query: {}, headers, signal }, () => undefined),
    copy: (source, to, headers, signal) =>
      document(
        { method: 'PUT', bucket, key: to, query: {}, headers: copyWith(headers, copyHeaders(bucket, source)), signal },
        etagIn('CopyObjectResult'),
      ),
    createUpload: (key, headers, signal) =>
      document({ method: 'POST', bucket, key, query: { uploads: '' }, headers, signal }, (xml) => {
        const id = childText(expectRoot(readXml(xml), 'InitiateMultipartUploadResult'), 'UploadId');
        if (id === undefined || id === '') throw badAnswer('an upload without an id');
        return id;
      }),
    uploadPart: (part, body, headers, signal, onResend) =>
      bare(
        { method: 'PUT', bucket, key: part.key, query: partQuery(part), headers, body, onResend, signal },
        (response) => bareEtag(response.headers['etag']),
      ),
    copyPart: (part, source, [start, end], signal) =>
      document(
        {
          method: 'PUT',
          bucket,
          key: part.key,
          query: partQuery(part),
          headers: { ...copyHeaders(bucket, source), 'x-amz-copy-source-range': `bytes=${start}-${end - 1}` },
          signal,
        },
        etagIn('CopyPartResult'),
      ),
    async listParts(key, uploadId, signal) {
      const parts: HeldPart[] = [];
      let marker: string | undefined;
      for (;;) {
        const query = { uploadId, 'max-parts': '1000', ...(marker !== undefined && { 'part-number-marker': marker }) };
        const page = await again(
          () => document({ method: 'GET', bucket, key, query, headers: {}, signal }, readParts),
          signal,
        );
        if (!page.ok) return page;
        parts.push(...page.value.parts);
        const { next } = page.value;
        if (next === undefined) return { ok: true, value: parts };
        if (Number(next) <= Number(marker ?? 0)) throw badAnswer('a list of parts that does not move on');
        marker = next;
      }
    },
    complete: (key, uploadId, parts, headers, signal) =>
      document(
        {
          method: 'POST',
          bucket,
          key,
          query: { uploadId },
          headers: { ...headers, 'content-type': 'application/xml' },
          body: Buffer.from(completeDocument(parts)),
          signal,
        },
        etagIn('CompleteMultipartUploadResult'),
      ),
    abortUpload: (key, uploadId, signal) =>
      bare({ method: 'DELETE', bucket, key, query: { uploadId }, headers: {}, signal }, () => undefined),
    listUploads(key, signal) {
      // Sorted by key, so that those of the key itself come first: one page holds a thousand.
      const query = { uploads: '', prefix: key, 'encoding-type': 'url' };
      const read = (xml: string): ListedUpload[] => readUploads(xml, key);
      return again(() => document({ method: 'GET', bucket, key: undefined, query, headers: {}, signal }, read), signal);
    },
  };
}

/** Whether an answer to `get` is content, and not a refusal. */
export function isContent({ status }: S3Response): boolean {
  return status === 200 || status === 206;
}

function partQuery({ number, uploadId }: PartTarget): Readonly<Record<string, string>> {
  return { partNumber: String(number), uploadId };
}

function copyHeaders(bucket: string, { key, ifMatch }: CopySource): Headers {
  return {
    // Wholly encoded: stores decode it once, and a plain "+" or "?" in it would be taken for something else.
    'x-amz-copy-source': `/${encodeUriPart(bucket)}/${encodeUriPart(key).replaceAll('%2F', '/')}`,
    ...(ifMatch !== undefined && { 'x-amz-copy-source-if-match': ifMatch }),
  };
}

function etagIn(root: string): (xml: string) => string {
  return (xml) => bareEtag(childText(expectRoot(readXml(xml), root), 'ETag'));
}

function readParts(xml: string): { readonly parts: HeldPart[]; readonly next: string | undefined } {
  const root = expectRoot(readXml(xml), 'ListPartsResult');
  const parts = root.children
    .filter(({ name }) => name === 'Part')
    .map((part) => ({
      number: Number(childText(part, 'PartNumber')),
      etag: bareEtag(childText(part, 'ETag')),
      sizeBytes: Number(childText(part, 'Size')),
    }));
  if (parts.some(({ number, sizeBytes }) => !Number.isInteger(number) || !Number.isInteger(sizeBytes))) {
    throw badAnswer('a part without number or size');
  }
  return {
    parts,
    next: childText(root, 'IsTruncated') === 'true' ? (childText(root, 'NextPartNumberMarker') ?? '0') : undefined,
  };
}

function readUploads(xml: string, key: string): ListedUpload[] {
  const root = expectRoot(readXml(xml), 'ListMultipartUploadsResult');
  return root.children.flatMap((upload) => {
    const uploadId = childText(upload, 'UploadId');
    const named = childText(upload, 'Key') ?? '';
    // Stores that do not know the encoding give the key as it is.
    if (upload.name !== 'Upload' || uploadId === undefined || (named !== key && decodeListedKey(named) !== key))
      return [];
    const startedAtMs = Date.parse(childText(upload, 'Initiated') ?? '');
    return [{ uploadId, startedAtMs: Number.isNaN(startedAtMs) ? undefined : startedAtMs }];
  });
}

function completeDocument(parts: readonly HeldPart[]): string {
  const rows = parts.map(
    ({ number, etag }) => `<Part><PartNumber>${number}</PartNumber><ETag>&quot;${escapeXml(etag)}&quot;</ETag></Part>`,
  );
  return `<CompleteMultipartUpload xmlns="http://s3.amazonaws.com/doc/2006-03-01/">${rows.join('')}</CompleteMultipartUpload>`;
}

function escapeXml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

function expectRoot(root: XmlElement, name: string): XmlElement {
  if (root.name !== name) throw badAnswer('another document than was asked for');
  return root;
}

function isWebPage(response: S3Response, xml: string): boolean {
  return (
    /^text\/html/i.test(response.headers['content-type'] ?? '') ||
    /^\s*<(?:!doctype html|html)[\s>]/i.test(xml.slice(0, 200))
  );
}

function badAnswer(what: string): S3ConnectionError {
  return new S3ConnectionError(
    'ERR_S3_BAD_ANSWER',
    `The S3 service answered ${what}. The answer was not used; run again.`,
    { retryable: true },
  );
}
