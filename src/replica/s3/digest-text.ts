/** A digest in hex, as ETags have it. */
export function hexOf(digest: Uint8Array): string {
  return asBuffer(digest).toString('hex');
}

/** A digest in base64, as headers have it. */
export function base64Of(digest: Uint8Array): string {
  return asBuffer(digest).toString('base64');
}

function asBuffer({ buffer, byteOffset, byteLength }: Uint8Array): Buffer {
  return Buffer.from(buffer, byteOffset, byteLength);
}
