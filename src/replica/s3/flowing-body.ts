import type { ReceiveMemory } from './receive-memory.js';

/** So much waits for its reader; more is held back. */
const MOST_BUFFERED_BYTES = 1024 * 1024;

/** Options of {@link FlowingBody}. */
export interface FlowingBodyOptions {
  readonly memory: Pick<ReceiveMemory, 'take' | 'give'>;
  /** Holds back what comes until what it answers is called. */
  readonly hold: () => () => void;
  /** How long the body is to be, where the answer says it. */
  readonly expectedBytes: number | undefined;
}

/** A piece of memory that is filled with what arrives. */
interface Slab {
  readonly bytes: Uint8Array;
  filled: number;
}

/**
 * A body that arrives a little ahead of its reader. Read once, by one reader; ended by the sender, an error, or `return`.
 *
 * The memory of a chunk holds until the next one is asked for.
 */
export class FlowingBody implements AsyncIterableIterator<Uint8Array> {
  readonly #options: FlowingBodyOptions;
  readonly #abort: (reason: Error) => void;
  /** The first is being read, the last is being filled. */
  #slabs: Slab[] = [];
  /** How much of the first slab was given to the reader. */
  #given = 0;
  #bufferedBytes = 0;
  #ended = false;
  #error: Error | undefined;
  /** Goes on with what is held back. */
  #letFlow: (() => void) | undefined;
  #wake: (() => void) | undefined;

  /** @param abort - breaks the request off. */
  constructor(options: FlowingBodyOptions, abort: (reason: Error) => void) {
    this.#options = options;
    this.#abort = abort;
  }

  /** Copies what has arrived. */
  push(chunk: Uint8Array): void {
    if (this.#ended) return;
    this.#bufferedBytes += chunk.length;
    for (let at = 0; at < chunk.length;) {
      const slab = this.#slabWithRoom();
      const count = Math.min(chunk.length - at, slab.bytes.length - slab.filled);
      slab.bytes.set(count === chunk.length ? chunk : chunk.subarray(at, at + count), slab.filled);
      slab.filled += count;
      at += count;
    }
    if (this.#bufferedBytes >= MOST_BUFFERED_BYTES) this.#letFlow ??= this.#options.hold();
    this.#notify();
  }

  end(error: Error | undefined): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#error = error;
    // The connection may be used for another request at once.
    this.#flow();
    this.#notify();
  }

  async next(): Promise<IteratorResult<Uint8Array, undefined>> {
    for (;;) {
      const chunk = this.#take();
      if (chunk !== undefined) return { done: false, value: chunk };
      if (this.#ended) {
        this.#letGo();
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
    this.#letGo();
    if (!this.#ended) {
      this.#ended = true;
      this.#abort(new Error('the answer is not wanted any more'));
      this.#flow();
      this.#notify();
    }
    return { done: true, value: undefined };
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  #slabWithRoom(): Slab {
    const last = this.#slabs.at(-1);
    if (last !== undefined && last.filled < last.bytes.length) return last;
    const slab = { bytes: this.#options.memory.take(this.#options.expectedBytes), filled: 0 };
    this.#slabs.push(slab);
    return slab;
  }

  /** What has arrived and was not given, as far as it lies together; `undefined`: nothing. What was given before is done with. */
  #take(): Uint8Array | undefined {
    const [first] = this.#slabs;
    if (first === undefined) return undefined;
    if (this.#given === first.filled) {
      this.#given = 0;
      if (this.#slabs.length === 1) {
        // Filled from the beginning again, as long as the reader keeps up.
        first.filled = 0;
        return undefined;
      }
      this.#slabs.shift();
      this.#options.memory.give(first.bytes);
      return this.#take();
    }
    const chunk = first.bytes.subarray(this.#given, first.filled);
    this.#given = first.filled;
    this.#bufferedBytes -= chunk.length;
    if (this.#bufferedBytes <= MOST_BUFFERED_BYTES / 2) this.#flow();
    return chunk;
  }

  #flow(): void {
    this.#letFlow?.();
    this.#letFlow = undefined;
  }

  #letGo(): void {
    for (const { bytes } of this.#slabs) this.#options.memory.give(bytes);
    this.#slabs = [];
    this.#given = 0;
  }

  #notify(): void {
    this.#wake?.();
    this.#wake = undefined;
  }
}
