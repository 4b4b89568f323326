/** Something opened, lent to one of its users. */
export interface Lease<T> {
  readonly value: T;
  /** Others had it before. */
  readonly joined: boolean;
  /** Gives it back. To be called once; never throws. */
  readonly release: () => Promise<void>;
}

/** Something that is open for as long as somebody uses it: with the last user it is closed, and not to be taken again. */
export class Leased<T> {
  readonly #opened: Promise<T>;
  readonly #close: (opened: T) => Promise<void>;
  readonly #onUnused: () => void;
  #users = 0;

  /** @param onUnused - called before it is closed. */
  constructor(opened: Promise<T>, close: (opened: T) => Promise<void>, onUnused: () => void) {
    this.#opened = opened;
    this.#close = close;
    this.#onUnused = onUnused;
  }

  /** Throws what opening it threw. */
  async take(): Promise<Lease<T>> {
    const joined = this.#users++ > 0;
    try {
      return { value: await this.#opened, joined, release: () => this.#leave() };
    } catch (error) {
      await this.#leave();
      throw error;
    }
  }

  async #leave(): Promise<void> {
    if (--this.#users > 0) return;
    this.#onUnused();
    // What could not be opened was thrown to each who wanted it, and there is nothing to close.
    await this.#opened.then(this.#close, () => undefined);
  }
}
