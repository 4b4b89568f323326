import { nextTick } from 'node:process';
import type { Clock } from '../../core/runtime.js';
import type { SeededRandom } from './seeded-random.js';

/** One actor that waits for its turn. */
interface Waiting {
  readonly name: string;
  readonly process: SimulatedProcess;
  /** Not before this time. */
  readonly dueMs: number;
  readonly go: () => void;
}

/**
 * Something that runs in the simulation and can be killed: a machine's session, a user.
 *
 * @example
 * ```ts
 * const laptop = new SimulatedProcess('laptop');
 * laptop.kill();
 * ```
 */
export class SimulatedProcess {
  readonly name: string;
  #alive = true;

  constructor(name: string) {
    this.name = name;
  }

  get alive(): boolean {
    return this.#alive;
  }

  /** From here on none of its steps is ever granted: as after SIGKILL, nothing of it runs on. */
  kill(): void {
    this.#alive = false;
  }
}

/** How much virtual time a step takes at the most. */
const STEP_MS = 3;
/** How much virtual time passes in an operation at which nobody else gets a turn. */
const QUIET_MS = 0.05;
/** How many steps the trace keeps in words. */
const RECENT = 400;

/**
 * Runs actors one step at a time, in an order that the seed determines. Time passes only here.
 *
 * Every operation of the simulated world waits in `step`; when all actors wait, one of those that are due is chosen.
 * The trace of chosen steps is the run: the same seed gives the same trace.
 *
 * @example
 * ```ts
 * const scheduler = new Scheduler(new SeededRandom(1), Date.UTC(2026, 0, 1));
 * const clock = scheduler.clock(new SimulatedProcess('laptop'));
 * await scheduler.runUntil(clock.sleep(1000));
 * console.log(scheduler.steps, scheduler.traceHash);
 * ```
 */
export class Scheduler {
  readonly #random: SeededRandom;
  readonly #ready: Waiting[] = [];
  readonly #sleeping: Waiting[] = [];
  #nowMs: number;
  #steps = 0;
  #hash = 0;
  readonly #recent: string[] = [];

  constructor(random: SeededRandom, startMs: number) {
    this.#random = random;
    this.#nowMs = startMs;
  }

  get nowMs(): number {
    return this.#nowMs;
  }

  /** How many steps were granted. */
  get steps(): number {
    return this.#steps;
  }

  /** A number that stands for the whole trace. */
  get traceHash(): number {
    return this.#hash >>> 0;
  }

  /** The last steps, for a failing seed. */
  get recent(): readonly string[] {
    return this.#recent;
  }

  /** Waits for this process's turn. Never resolves once the process was killed. */
  step(process: SimulatedProcess, name: string): Promise<void> {
    return this.#wait(process, name, this.#nowMs);
  }

  /** Notes an operation that happens at once: a little time passes, and nobody else gets a turn. */
  quiet(process: SimulatedProcess, name: string): void {
    this.#nowMs += QUIET_MS;
    this.#note(process.name, name);
  }

  /** The clock as one process sees it, `skewMs` ahead of the true time. */
  clock(process: SimulatedProcess, skewMs: number | (() => number) = 0): Clock {
    return {
      nowMs: () => this.#nowMs + (typeof skewMs === 'number' ? skewMs : skewMs()),
      sleep: async (durationMs, signal) => {
        signal?.throwIfAborted();
        await this.#wait(process, 'sleep', this.#nowMs + durationMs);
        signal?.throwIfAborted();
      },
    };
  }

  /** Lets actors run until `done` settles; throws when nobody can go on or `maxSteps` are used up. */
  async runUntil<T>(done: Promise<T>, maxSteps = 200_000): Promise<T> {
    let settled = false;
    const mark = (): void => {
      settled = true;
    };
    done.then(mark, mark);
    const limit = this.#steps + maxSteps;
    for (;;) {
      await everybodyWaits();
      if (settled) return done;
      if (this.#steps >= limit)
        throw new Error(`no end after ${maxSteps} steps; last: ${this.#recent.slice(-12).join(' | ')}`);
      if (!this.#grantOne()) throw new Error(`nobody can go on; last: ${this.#recent.slice(-12).join(' | ')}`);
    }
  }

  #wait(process: SimulatedProcess, name: string, dueMs: number): Promise<void> {
    if (!process.alive) return new Promise(() => undefined);
    return new Promise((resolve) => {
      (dueMs <= this.#nowMs ? this.#ready : this.#sleeping).push({ name, process, dueMs, go: resolve });
    });
  }

  #grantOne(): boolean {
    for (;;) {
      this.#wake();
      const index = this.#random.below(this.#ready.length);
      const chosen = this.#ready[index];
      if (chosen === undefined) return false;
      const last = this.#ready.pop();
      if (last !== undefined && last !== chosen) this.#ready[index] = last;
      // The dead are met one by one, where they are drawn: nobody has to look through all who wait.
      if (!chosen.process.alive) continue;
      this.#nowMs += this.#random.next() * STEP_MS;
      this.#steps++;
      this.#note(chosen.process.name, chosen.name);
      chosen.go();
      return true;
    }
  }

  /** Moves those whose time has come to the ready ones; when nobody is ready, time goes on to the first of them. */
  #wake(): void {
    if (this.#sleeping.length === 0) return;
    if (this.#ready.length === 0) {
      let first = Infinity;
      for (const { dueMs, process } of this.#sleeping) if (process.alive && dueMs < first) first = dueMs;
      if (first !== Infinity && first > this.#nowMs) this.#nowMs = first;
    }
    for (let i = this.#sleeping.length - 1; i >= 0; i--) {
      const each = this.#sleeping[i];
      if (each === undefined || (each.process.alive && each.dueMs > this.#nowMs)) continue;
      const last = this.#sleeping.pop();
      if (last !== undefined && last !== each) this.#sleeping[i] = last;
      if (each.process.alive) this.#ready.push(each);
    }
  }

  #note(who: string, name: string): void {
    let hash = this.#hash;
    for (let i = 0; i < name.length; i++) hash = Math.imul(hash ^ name.charCodeAt(i), 0x01000193);
    for (let i = 0; i < who.length; i++) hash = Math.imul(hash ^ who.charCodeAt(i), 0x01000193);
    this.#hash = Math.imul(hash ^ Math.floor((this.#nowMs % 1e6) * 1000), 0x01000193);
    this.#recent.push(`${who}:${name}`);
    if (this.#recent.length > 2 * RECENT) this.#recent.splice(0, RECENT);
  }
}

/** Resolves when every microtask has run, so that all actors stand in `step` or are done: Node.js empties that queue before it takes the next tick. */
function everybodyWaits(): Promise<void> {
  return new Promise((resolve) => {
    nextTick(resolve);
  });
}
