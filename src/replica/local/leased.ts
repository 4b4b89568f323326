/** Something opened, lent to one of its users. */
export interface Lease<T> {
  readonly value: T;
  /** Others had it before. */
  readonly joined: boolean;
  /** Gives it back. To be called once; never throws. `undefined`: others have it still, and there is nothing to wait for. */
  release(): Promise<void> | undefined;
}

/** A class, because one is made for each file: with a function for each thing that is lent, V8 would compile whoever calls it anew. */
class LeaseOf<T> implements Lease<T> {
  readonly value: T;
  readonly joined: boolean;
  readonly #leased: Leased<T>;

  constructor(leased: Leased<T>, value: T, joined: boolean) {
    this.value = value;
    this.joined = joined;
    this.#leased = leased;
  }

  release(): Promise<void> | undefined {
    return this.#leased.giveBack();
  }
}

/** Something that is open for as long as somebody uses it: with the last user it is closed, and not to be taken again. */
export class Leased<T> {
  readonly #opening: Promise<T>;
  readonly #close: (opened: T) => Promise<void>;
  readonly #onUnused: () => void;
  #opened: { readonly value: T } | undefined;
  #users = 0;

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
    return new LeaseOf(this, this.#opened.value, joined);
  }

  /** Called by each lease when it ends. */
  giveBack(): Promise<void> | undefined {
    if (--this.#users > 0) return undefined;
    this.#onUnused();
    // What could not be opened was thrown to each who wanted it, and there is nothing to close.
    return this.#opening.then(this.#close, () => undefined);
  }

  async #takeWhenOpen(joined: boolean): Promise<Lease<T>> {
    try {
      const value = await this.#opening;
      this.#opened ??= { value };
      return new LeaseOf(this, value, joined);
    } catch (error) {
      await this.giveBack();
      throw error;
    }
  }
}
