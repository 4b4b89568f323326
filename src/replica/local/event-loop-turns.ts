/** How long a run of synchronous calls may hold the event loop, in milliseconds. */
const BUDGET_MS = 6;

/** Lets other work run every few milliseconds between synchronous calls. */
export class EventLoopTurns {
  #since = performance.now();

  /** Whether it is time to call {@link yield}. */
  get due(): boolean {
    return performance.now() - this.#since > BUDGET_MS;
  }

  /** Lets the event loop take one turn. */
  async yield(): Promise<void> {
    await new Promise<void>((resolve) => setImmediate(resolve));
    this.#since = performance.now();
  }
}
