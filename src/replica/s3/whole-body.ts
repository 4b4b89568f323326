/** The body of an answer that has come to its end already: nobody has to wait for it, or to be told when it ends. */
export class WholeBody implements AsyncIterable<Uint8Array> {
  #bytes: Uint8Array | undefined;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /** How much of it was not read. */
  get length(): number {
    return this.#bytes?.length ?? 0;
  }

  /** All of it, in memory that is the reader's; nothing once it was read. */
  take(): Uint8Array {
    const bytes = this.#bytes;
    this.#bytes = undefined;
    return bytes ?? new Uint8Array(0);
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
    if (this.length > 0) yield this.take();
  }
}
