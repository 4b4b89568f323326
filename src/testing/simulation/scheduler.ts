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

/** Something that runs in the simulation and can be killed: a machine's session, a user. */
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

/**
 * Runs actors one step at a time, in an order that the seed determines. Time passes only here.
 *
 * Every operation of the simulated world waits in `step`; when all actors wait, one of those that are due is chosen.
 * The trace of chosen steps is the run: the same seed gives the same trace.
 */
export class Scheduler {
  readonly #random: SeededRandom;
  readonly #waiting: Waiting[] = [];
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

  /** The clock as one process sees it, `skewMs` ahead of the true time. */
  clock(process: SimulatedProcess, skewMs = 0): Clock {
    return {
      nowMs: () => this.#nowMs + skewMs,
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
      if (this.#steps >= limit) throw new Error(`no end after ${maxSteps} steps; last: ${this.#recent.slice(-12).join(' | ')}`);
      if (!this.#grantOne()) throw new Error(`nobody can go on; last: ${this.#recent.slice(-12).join(' | ')}`);
    }
  }

  #wait(process: SimulatedProcess, name: string, dueMs: number): Promise<void> {
    if (!process.alive) return new Promise(() => undefined);
    return new Promise((resolve) => {
      this.#waiting.push({ name, process, dueMs, go: resolve });
    });
  }

  #grantOne(): boolean {
    this.#dropDead();
    if (this.#waiting.length === 0) return false;
    let due = this.#waiting.filter(({ dueMs }) => dueMs <= this.#nowMs);
    if (due.length === 0) {
      this.#nowMs = Math.min(...this.#waiting.map(({ dueMs }) => dueMs));
      due = this.#waiting.filter(({ dueMs }) => dueMs <= this.#nowMs);
    }
    const chosen = this.#random.pick(due);
    this.#waiting.splice(this.#waiting.indexOf(chosen), 1);
    this.#nowMs += this.#random.below(STEP_MS * 1000) / 1000;
    this.#steps++;
    const label = `${chosen.process.name}:${chosen.name}`;
    this.#note(label);
    chosen.go();
    return true;
  }

  #dropDead(): void {
    for (let i = this.#waiting.length - 1; i >= 0; i--) {
      if (this.#waiting[i]?.process.alive === false) this.#waiting.splice(i, 1);
    }
  }

  #note(label: string): void {
    for (let i = 0; i < label.length; i++) this.#hash = Math.imul(this.#hash ^ label.charCodeAt(i), 0x01000193);
    this.#hash = Math.imul(this.#hash ^ Math.floor(this.#nowMs * 1000), 0x01000193);
    this.#recent.push(label);
    if (this.#recent.length > 400) this.#recent.splice(0, 200);
  }
}

/** Resolves when every microtask has run, so that all actors stand in `step` or are done. */
function everybodyWaits(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
