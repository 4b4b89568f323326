import { createHash, hash } from 'node:crypto';
import { ServiceError } from './service-error.js';
import { type Authenticated, isEqual, SHA256_OF_NOTHING } from './sigv4.js';

/** What the signer said about the framing of a body. */
export interface ChunkedBody {
  readonly body: AsyncIterable<Uint8Array>;
  /** The headers after the last chunk; complete once the body was read. */
  readonly trailers: () => Readonly<Record<string, string>>;
}

/** A line of the framing may have this many bytes: a size, a signature, or a trailer. */
const MOST_LINE_BYTES = 4096;

/** Takes the `aws-chunked` framing off a body, and checks the signature of each chunk and of the trailer where there are any. */
export function decodeChunked(source: AsyncIterable<Uint8Array>, auth: Authenticated): ChunkedBody {
  const trailers: Record<string, string> = {};
  const isSigned = auth.payload.startsWith('STREAMING-AWS4-HMAC-SHA256-PAYLOAD');
  const reader = new FrameReader(source);
  async function* decode(): AsyncIterable<Uint8Array> {
    let previous = auth.signature;
    try {
      for (;;) {
        const line = await reader.line();
        const match = /^([\da-fA-F]{1,8})(?:;chunk-signature=([\da-f]{64}))?$/.exec(line);
        if (match === null || (isSigned && match[2] === undefined)) throw malformed();
        const size = parseInt(match[1] ?? '', 16);
        const digest = isSigned ? createHash('sha256') : undefined;
        for (let left = size; left > 0;) {
          const bytes = await reader.some(left);
          left -= bytes.length;
          digest?.update(bytes);
          yield bytes;
        }
        if (digest !== undefined) {
          const expected = auth.signChunk(
            'AWS4-HMAC-SHA256-PAYLOAD',
            previous,
            `${SHA256_OF_NOTHING}\n${digest.digest('hex')}`,
          );
          if (!isEqual(expected, match[2] ?? '')) throw new ServiceError('SignatureDoesNotMatch');
          previous = expected;
        }
        if (size === 0) break;
        if ((await reader.line()) !== '') throw malformed();
      }
      await readTrailers(previous);
    } finally {
      await reader.close();
    }
  }
  async function readTrailers(previous: string): Promise<void> {
    let signed = '';
    let signature: string | undefined;
    for (;;) {
      const line = await reader.lineOrEnd();
      if (line === undefined || line === '') break;
      const colon = line.indexOf(':');
      if (colon < 1) throw malformed();
      const name = line.slice(0, colon).trim().toLowerCase();
      const value = line.slice(colon + 1).trim();
      if (name === 'x-amz-trailer-signature') signature = value;
      else {
        trailers[name] = value;
        signed += `${name}:${value}\n`;
      }
    }
    if (auth.payload !== 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER') return;
    const expected = auth.signChunk('AWS4-HMAC-SHA256-TRAILER', previous, hash('sha256', signed));
    if (!isEqual(expected, signature ?? '')) throw new ServiceError('SignatureDoesNotMatch');
  }
  return { body: decode(), trailers: () => trailers };
}

/** Reads lines and runs of bytes from a stream, without holding more than one of its chunks. */
class FrameReader {
  readonly #source: AsyncIterator<Uint8Array>;
  #chunk: Uint8Array = new Uint8Array(0);

  constructor(source: AsyncIterable<Uint8Array>) {
    this.#source = source[Symbol.asyncIterator]();
  }

  async line(): Promise<string> {
    const line = await this.lineOrEnd();
    if (line === undefined) throw new ServiceError('IncompleteBody');
    return line;
  }

  /** The next line without its line end; `undefined` at the end of the stream. */
  async lineOrEnd(): Promise<string | undefined> {
    let text = '';
    for (;;) {
      if (this.#chunk.length === 0 && !(await this.#more())) {
        if (text === '') return undefined;
        throw new ServiceError('IncompleteBody');
      }
      const end = this.#chunk.indexOf(10);
      const taken = end === -1 ? this.#chunk : this.#chunk.subarray(0, end);
      if (text.length + taken.length > MOST_LINE_BYTES) throw malformed();
      text += Buffer.from(taken.buffer, taken.byteOffset, taken.length).toString('latin1');
      this.#chunk = this.#chunk.subarray(end === -1 ? this.#chunk.length : end + 1);
      if (end !== -1) return text.endsWith('\r') ? text.slice(0, -1) : text;
    }
  }

  /** At most `most` bytes, at least one. */
  async some(most: number): Promise<Uint8Array> {
    while (this.#chunk.length === 0) if (!(await this.#more())) throw new ServiceError('IncompleteBody');
    const bytes = this.#chunk.subarray(0, most);
    this.#chunk = this.#chunk.subarray(bytes.length);
    return bytes;
  }

  async close(): Promise<void> {
    await this.#source.return?.();
  }

  async #more(): Promise<boolean> {
    const next = await this.#source.next();
    if (next.done === true) return false;
    this.#chunk = next.value;
    return true;
  }
}

function malformed(): ServiceError {
  return new ServiceError('InvalidRequest', { message: 'The aws-chunked framing of the body is malformed.' });
}
