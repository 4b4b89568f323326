import type { PartDigests } from '../../core/part-digests.js';
import type { PartHints } from '../replica.js';
import type { ObjectState } from './object-state.js';

/** The header under which an object tells the beginnings of the MD5s of its parts. */
export const HINTS_HEADER = 'x-amz-meta-filecloudsync-parts';

/**
 * S3 takes 2 KiB of names and values of metadata of one object (Amazon S3 User Guide, "User-defined object metadata"): these
 * bytes in base64, their name and the recorded time stay below it.
 */
const MAX_HINT_BYTES = 1_380;
const MAX_BYTES_PER_PART = 8;
/** With one byte each, one part in 256 that differs would be taken for the same, to be fetched after all. */
const MIN_BYTES_PER_PART = 2;

/**
 * Writes down the beginnings of the MD5s of an object's parts, so that who has an older version knows what to fetch.
 *
 * @returns `undefined` for more parts than metadata has room for (690).
 */
export function encodePartHints({ partSizeBytes, md5s }: PartDigests): string | undefined {
  const perPart = Math.min(MAX_BYTES_PER_PART, Math.floor(MAX_HINT_BYTES / md5s.length));
  if (perPart < MIN_BYTES_PER_PART) return undefined;
  const hints = Buffer.concat(md5s.map((md5) => Buffer.from(md5, 'hex').subarray(0, perPart)));
  return `${partSizeBytes}:${hints.toString('base64')}`;
}

/**
 * Reads {@link encodePartHints} from what HEAD says of an object; `undefined` when there are none, or when they cannot be
 * of an object with this size and ETag. They may be wrong all the same: who uses them compares the whole.
 */
export function readPartHints({ headers, etag, sizeBytes }: ObjectState): PartHints | undefined {
  const text = headers[HINTS_HEADER];
  if (text === undefined) return undefined;
  const match = /^(\d{1,12}):([A-Za-z0-9+/]{2,1900}={0,2})$/.exec(text);
  const parts = /^[0-9a-f]{32}-(\d{1,5})$/.exec(etag);
  if (match === null || parts === null) return undefined;
  const partSizeBytes = Number(match[1]);
  const count = Number(parts[1]);
  if (Math.ceil(sizeBytes / partSizeBytes) !== count) return undefined;
  const hints = Buffer.from(match[2] ?? '', 'base64');
  const perPart = hints.length / count;
  if (!Number.isInteger(perPart) || perPart < MIN_BYTES_PER_PART || perPart > MAX_BYTES_PER_PART) return undefined;
  return {
    partSizeBytes,
    digest: `md5-${partSizeBytes}:${etag}`,
    mayBe: (part, md5) => hints.subarray(part * perPart, (part + 1) * perPart).equals(md5.subarray(0, perPart)),
  };
}
