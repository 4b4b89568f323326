import { PathError } from '../../errors.js';
import { isDamage, MAX_DAMAGES } from './damage.js';
import { base64Of, hexOf } from './digest-text.js';
import { isMd5Hex } from './object-state.js';
import { SHA256_HEADER, type HeldPart, type PartTarget } from './s3-api.js';
import type { S3Context } from './s3-context.js';
import { uploadFailure } from './upload-failure.js';

/** A part that is in the store, with the MD5 of our bytes. */
export interface SentPart extends HeldPart {
  readonly md5: Uint8Array;
  /** It came from the object that is replaced. */
  readonly isCopied?: boolean;
}

/** A part to send. */
export interface PartToSend {
  readonly target: PartTarget;
  /** They stay as they are until it is sent. */
  readonly bytes: Uint8Array;
  /** MD5 of the bytes, where it had to be known before. */
  readonly md5: Uint8Array | undefined;
  readonly signal: AbortSignal;
  /** Told before the bytes are sent once more. */
  readonly onResend: () => void;
}

/**
 * Makes a sender of the parts of one upload; each part goes with a digest that the store compares with what arrives.
 *
 * The digest is the MD5, and the ETag that the store answers has to be the same. Where the store is known to compare a SHA-256
 * as well, that is enough from the part on by which it has shown that the ETags of this upload are MD5s: what arrived is what
 * was sent, and its MD5 is the ETag. It spares the slower of the two digests.
 *
 * The sender throws PathError `ERR_S3_CORRUPT_WRITE`, `ERR_S3_UPLOAD_LOST`, `ERR_S3_…`.
 */
export function createPartSender(context: S3Context, path: string): (part: PartToSend) => Promise<SentPart> {
  let areMd5s = false;

  const send = async (
    { target, bytes, signal, onResend }: PartToSend,
    digest: Readonly<Record<string, string>>,
  ): Promise<string> => {
    for (let damages = 0; ; damages++) {
      const answer = await context.api.uploadPart(target, bytes, digest, signal, onResend);
      if (answer.ok) return answer.value;
      if (!isDamage(answer.failure) || damages === MAX_DAMAGES) throw uploadFailure(context, path, answer.failure);
      onResend();
    }
  };

  return async (part) => {
    const { target, bytes } = part;
    const { dialect, hasher } = context;
    const sent = { number: target.number, sizeBytes: bytes.length };
    if (areMd5s && part.md5 === undefined) {
      const etag = await send(part, { [SHA256_HEADER]: hexOf(await hasher.hash('sha256', bytes)) });
      const md5 = isMd5Hex(etag) ? Buffer.from(etag, 'hex') : await hasher.hash('md5', bytes);
      return { ...sent, etag, md5 };
    }
    const md5 = part.md5 ?? (await hasher.hash('md5', bytes));
    const etag = await send(part, { 'content-md5': base64Of(md5) });
    const isMd5 = etag === hexOf(md5);
    if (!isMd5 && dialect.etagIsMd5 === true) throw corruptPart(path, target.number);
    areMd5s = isMd5 && dialect.checksSha256 && dialect.partsMakeEtag;
    return { ...sent, etag, md5 };
  };
}

function corruptPart(path: string, number: number): PathError {
  return new PathError(
    'ERR_S3_CORRUPT_WRITE',
    `Uploading "${path}" failed: the store holds other bytes of part ${number} than were sent. It is tried again in the next run; look at the network and at the store's disks if it stays.`,
    { data: { path, number } },
  );
}
