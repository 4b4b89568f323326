/**
 * Tells many of the end of a few signals. A run has one signal and ten thousand requests: to listen for each request anew costs
 * more than to write it.
 */
export class AbortWatch {
  readonly #listeners = new WeakMap<AbortSignal, Set<() => void>>();

  /** Calls `onAbort` when the signal is aborted, unless {@link remove} was called for it before. Once for each. */
  add(signal: AbortSignal, onAbort: () => void): void {
    let listeners = this.#listeners.get(signal);
    if (listeners === undefined) {
      const told = new Set<() => void>();
      listeners = told;
      this.#listeners.set(signal, told);
      signal.addEventListener('abort', () => tell(told), { once: true });
    }
    listeners.add(onAbort);
  }

  remove(signal: AbortSignal, onAbort: () => void): void {
    this.#listeners.get(signal)?.delete(onAbort);
  }
}

function tell(listeners: Set<() => void>): void {
  for (const onAbort of listeners) {
    listeners.delete(onAbort);
    onAbort();
  }
}
