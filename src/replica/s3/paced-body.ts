import type { Pace } from './transport.js';

/** Cuts a body into pieces and gives each when `pace` lets it. */
export async function* pacedBody(body: Uint8Array, pace: Pace): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < body.length; at += pace.pieceBytes) {
    const piece = body.subarray(at, at + pace.pieceBytes);
    await pace.wait(piece.length);
    yield piece;
  }
}
