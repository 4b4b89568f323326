import { S3ConnectionError } from '../../errors.js';

/** A body that arrives whether it is read or not. Read once, by one reader; ended by the sender, an error, or `return`. */
export class FlowingBody implements AsyncIterableIterator<Uint8Array> {
  readonly #maxBufferedBytes: number;
  readonly #abort: (reason: Error) => void;
  #chunks: Uint8Array[] = [];
  #bufferedBytes = 0;
  #ended = false;
  #error: Error | undefined;
  #wake: (() => void) | undefined;

  /** @param abort - breaks the request off. */
  constructor(maxBufferedBytes: number, abort: (reason: Error) => void) {
    this.#maxBufferedBytes = maxBufferedBytes;
    this.#abort = abort;
  }

  push(chunk: Uint8Array): void {
    if (this.#ended) return;
    this.#chunks.push(chunk);
    this.#bufferedBytes += chunk.length;
    if (this.#bufferedBytes > this.#maxBufferedBytes) {
      this.#abort(
        new S3ConnectionError(
          'ERR_S3_BAD_ANSWER',
          `The service sent ${this.#bufferedBytes} bytes that nobody asked for, and the connection was broken off. Check that the endpoint is an S3 service.`,
        ),
      );
      return;
    }
    this.#notify();
  }

  end(error: Error | undefined): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#error = error;
    this.#notify();
  }

  async next(): Promise<IteratorResult<Uint8Array, undefined>> {
    for (;;) {
      const chunk = this.#chunks.shift();
      if (chunk !== undefined) {
        this.#bufferedBytes -= chunk.length;
        return { done: false, value: chunk };
      }
      if (this.#ended) {
        const error = this.#error;
        this.#error = undefined;
        if (error !== undefined) throw error;
        return { done: true, value: undefined };
      }
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  async return(): Promise<IteratorResult<Uint8Array, undefined>> {
    this.#chunks = [];
    if (!this.#ended) {
      this.#ended = true;
      this.#abort(new Error('the answer is not wanted any more'));
      this.#notify();
    }
    return { done: true, value: undefined };
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  #notify(): void {
    this.#wake?.();
    this.#wake = undefined;
  }
}
