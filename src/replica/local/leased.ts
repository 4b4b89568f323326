/** Something opened, lent to one of its users. */
export interface Lease<T> {
  readonly value: T;
  /** Others had it before. */
  readonly joined: boolean;
  /** Gives it back. To be called once; never throws. `undefined`: others have it still, and there is nothing to wait for. */
  readonly release: () => Promise<void> | undefined;
}

/** Something that is open for as long as somebody uses it: with the last user it is closed, and not to be taken again. */
export class Leased<T> {
  readonly #opening: Promise<T>;
  readonly #close: (opened: T) => Promise<void>;
  readonly #onUnused: () => void;
  #opened: { readonly value: T } | undefined;
  #users = 0;

  readonly #release = (): Promise<void> | undefined => {
    if (--this.#users > 0) return undefined;
    this.#onUnused();
    // What could not be opened was thrown to each who wanted it, and there is nothing to close.
    return this.#opening.then(this.#close, () => undefined);
  };

  /** @param onUnused - called before it is closed. */
  constructor(opening: Promise<T>, close: (opened: T) => Promise<void>, onUnused: () => void) {
    this.#opening = opening;
    this.#close = close;
    this.#onUnused = onUnused;
  }

  /** At once where it is open; else rejects with what opening it threw. */
  take(): Lease<T> | Promise<Lease<T>> {
    const joined = this.#users++ > 0;
    if (this.#opened === undefined) return this.#takeWhenOpen(joined);
    return { value: this.#opened.value, joined, release: this.#release };
  }

  async #takeWhenOpen(joined: boolean): Promise<Lease<T>> {
    try {
      const value = await this.#opening;
      this.#opened ??= { value };
      return { value, joined, release: this.#release };
    } catch (error) {
      await this.#release();
      throw error;
    }
  }
}
