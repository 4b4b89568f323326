import type { Clock } from '../../../core/runtime.js';
import type { S3Request, S3Transport } from '../transport.js';
import { hookBody } from './body-hooks.js';
import { createLine } from './line.js';

/** A body is sent in pieces of this share of a second's worth, so that none is a burst. */
const PIECE_SHARE = 1 / 20;
const LEAST_PIECE_BYTES = 1024;
const MOST_PIECE_BYTES = 64 * 1024;

/**
 * Bounds the bytes per second of bodies, in each direction for itself.
 *
 * A body goes up piece by piece. What is asked for by a range has its time on the line before it is asked for, because a
 * transport takes what comes; the rest (listings) is paid for as it is read.
 */
export function withBandwidth(inner: S3Transport, clock: Clock, bytesPerSecond: number | undefined): S3Transport {
  if (bytesPerSecond === undefined) return inner;
  const up = createLine(clock, bytesPerSecond);
  const down = createLine(clock, bytesPerSecond);
  const pieceBytes = Math.min(MOST_PIECE_BYTES, Math.max(LEAST_PIECE_BYTES, Math.floor(bytesPerSecond * PIECE_SHARE)));
  return {
    async send(request) {
      const { body, signal } = request;
      let prepaid = rangeLength(request);
      if (prepaid > 0) await down(prepaid, signal);
      const isLong = body !== undefined && body.length > pieceBytes;
      if (body !== undefined && !isLong) await up(body.length, signal);
      const pace = { pieceBytes, wait: (bytes: number) => up(bytes, signal) };
      const response = await inner.send(isLong ? { ...request, pace } : request);
      return hookBody(response, {
        waitFor: ({ length }) => {
          const covered = Math.min(prepaid, length);
          prepaid -= covered;
          return covered === length ? undefined : down(length - covered, signal);
        },
      });
    },
    close: () => inner.close(),
  };
}

/** How many bytes a `range: bytes=0-99` asks for; 0 for anything else. */
function rangeLength({ method, headers }: S3Request): number {
  const match = method === 'GET' ? /^bytes=(\d+)-(\d+)$/.exec(headers['range'] ?? '') : null;
  return match === null ? 0 : Math.max(0, Number(match[2]) - Number(match[1]) + 1);
}
