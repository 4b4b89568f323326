import type { FileEntry, Fingerprint } from '../../core/entry.js';
import { UsageError } from '../../errors.js';
import { createDateReader } from './date-reader.js';

/** What HEAD says of an object. */
export interface ObjectState {
  /** Without quotes. */
  readonly etag: string;
  readonly sizeBytes: number;
  /** Recorded with the object by whoever wrote it, in milliseconds since 1970. */
  readonly mtimeMs: number | undefined;
  /** When the store received it, on the store's clock. */
  readonly lastModifiedMs: number | undefined;
  /** MD5 recorded with the object, in hex. */
  readonly md5: string | undefined;
  /** The ETag has nothing to do with the content: encrypted with KMS or a customer's key. */
  readonly isEtagOpaque: boolean;
  /** All that the store said of it. */
  readonly headers: Readonly<Record<string, string>>;
}

/** Objects that were put into a bucket together have the same date. */
const readDate = createDateReader();

/** Reads the headers of HEAD or GET. `sizeBytes` is given where `content-length` is that of a range. */
export function readObjectState(headers: Readonly<Record<string, string>>, sizeBytes: number): ObjectState {
  const encryption = headers['x-amz-server-side-encryption'];
  const received = readDate(headers['last-modified']);
  return {
    etag: bareEtag(headers['etag']),
    sizeBytes,
    mtimeMs: parseMtime(headers['x-amz-meta-mtime']),
    lastModifiedMs: Number.isNaN(received) ? undefined : received,
    md5: parseMd5(headers['x-amz-meta-md5chksum']),
    isEtagOpaque:
      encryption?.startsWith('aws:kms') === true || 'x-amz-server-side-encryption-customer-algorithm' in headers,
    headers,
  };
}

/** An ETag without its quotes. */
export function bareEtag(header = ''): string {
  const last = header.length - 1;
  const isQuoted = last > 0 && header.startsWith('"') && header.indexOf('"', 1) === last;
  return isQuoted ? header.slice(1, last) : header.replaceAll('"', '');
}

/** The fingerprint of an object: the same from LIST, HEAD, PUT and Complete. */
export function fingerprintOf(etag: string, sizeBytes: number): Fingerprint {
  return `${etag}:${sizeBytes}`;
}

/** The ETag within a fingerprint. Throws `UsageError` for one that no S3 replica made. */
export function etagOf(fingerprint: Fingerprint): string {
  const colon = fingerprint.lastIndexOf(':');
  if (colon < 1)
    throw new UsageError(
      'ERR_FINGERPRINT',
      `The fingerprint "${fingerprint}" was not made by an S3 replica. Give the fingerprint of an entry that this replica answered.`,
    );
  return fingerprint.slice(0, colon);
}

/** The entry of an object whose HEAD was read, with the digest of its content, where that is known. */
export function entryOf(
  path: string,
  state: ObjectState,
  digest: string | undefined,
  clockOffsetMs: number,
): FileEntry {
  const { etag, sizeBytes, mtimeMs, lastModifiedMs } = state;
  const fingerprint = fingerprintOf(etag, sizeBytes);
  const modifiedSource = mtimeMs === undefined ? 'server' : 'mtime';
  const modifiedMs = mtimeMs ?? (lastModifiedMs === undefined ? undefined : lastModifiedMs - clockOffsetMs);
  const kind = 'file';
  return digest === undefined
    ? { kind, path, sizeBytes, fingerprint, modifiedMs, modifiedSource }
    : { kind, path, sizeBytes, fingerprint, modifiedMs, modifiedSource, digest };
}

/** `md5:<hex>` when the object says it, or when its ETag has the form of one and nothing speaks against it. */
export function digestOfState(state: ObjectState): string | undefined {
  if (state.md5 !== undefined) return `md5:${state.md5}`;
  return !state.isEtagOpaque && isMd5Hex(state.etag) ? `md5:${state.etag}` : undefined;
}

/** Tells whether an ETag has the form of an MD5. */
export function isMd5Hex(etag: string): boolean {
  return /^[0-9a-f]{32}$/.test(etag);
}

/** rclone's form of a time: seconds since 1970 with a fraction of up to nine digits. */
export function formatMtime(modifiedMs: number): string {
  const seconds = Math.floor(modifiedMs / 1000);
  const nanoseconds = Math.min(999_999_999, Math.round((modifiedMs - seconds * 1000) * 1e6));
  const fraction = String(nanoseconds).padStart(9, '0').replace(/0+$/, '');
  return fraction === '' ? `${seconds}` : `${seconds}.${fraction}`;
}

/** Reads {@link formatMtime}; `undefined` for anything else, or a time no disk can hold. */
export function parseMtime(text: string | undefined): number | undefined {
  const match = /^(-?\d{1,12})(\.\d{1,12})?$/.exec(text ?? '');
  if (match === null) return undefined;
  // Apart, so that milliseconds survive: a double holds seconds with their fraction less exactly.
  const ms = Number(match[1]) * 1000 + Math.round(Number(match[2] ?? 0) * 1e9) / 1e6;
  return Math.abs(ms) <= 8.64e15 ? ms : undefined;
}

function parseMd5(base64: string | undefined): string | undefined {
  if (base64 === undefined || !/^[A-Za-z0-9+/]{22}==$/.test(base64)) return undefined;
  return Buffer.from(base64, 'base64').toString('hex');
}
