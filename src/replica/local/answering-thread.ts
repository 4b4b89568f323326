import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';

/** After so long with nothing to do a thread is ended, in milliseconds. */
const IDLE_MS = 1000;

interface Pending<Answer> {
  readonly answer: (said: Answer) => void;
  readonly fail: (error: Error) => void;
}

/**
 * A thread that answers questions, in any order. It never keeps the process alive, except while something is asked of it, and
 * ends when nothing was asked for a while.
 */
export class AnsweringThread<Question, Answer> {
  readonly #worker: Worker;
  readonly #pending = new Map<number, Pending<Answer>>();
  #asked = 0;
  readonly #idleMs: number;
  #idle: NodeJS.Timeout | undefined;
  #hasEnded = false;

  /** Resolves when it has ended. */
  readonly ended: Promise<void>;

  /**
   * @param program - JavaScript, as text, so that it is found wherever this package is bundled: answers each message to
   * `parentPort`, a number and a question, with the number and the answer. What it throws ends the thread.
   * @throws where no thread can be started.
   */
  protected constructor(program: string, idleMs = IDLE_MS) {
    const worker = new Worker(program, { eval: true, execArgv: [] });
    this.#worker = worker;
    this.#idleMs = idleMs;
    this.ended = new Promise((resolve) => {
      worker.on('exit', () => {
        this.#end(new Error('the thread ended'));
        resolve();
      });
    });
    worker.unref();
    worker.on('message', ([asked, said]: [number, Answer]) => this.#take(asked, said));
    worker.on('error', (error: unknown) => this.#end(error instanceof Error ? error : new Error(String(error))));
    worker.on('messageerror', (error) => this.#end(error));
    this.#rest();
  }

  /** Ends it; what is asked is rejected. */
  async stop(): Promise<void> {
    this.#hasEnded = true;
    await this.#worker.terminate();
  }

  /** It takes no more questions. */
  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  /** Questions that are not answered yet. */
  get pending(): number {
    return this.#pending.size;
  }

  /** Rejects when the thread ends before it has answered. `moved`: memory that goes to the thread. */
  ask(question: Question, moved: readonly ArrayBuffer[] = []): Promise<Answer> {
    return new Promise((answer, fail) => {
      if (this.#hasEnded) return fail(new Error('the thread has ended'));
      clearTimeout(this.#idle);
      this.#pending.set(++this.#asked, { answer, fail });
      this.#worker.ref();
      this.#worker.postMessage([this.#asked, question], moved);
    });
  }

  #take(asked: number, said: Answer): void {
    const pending = this.#pending.get(asked);
    this.#pending.delete(asked);
    if (this.#pending.size === 0) {
      this.#worker.unref();
      this.#rest();
    }
    pending?.answer(said);
  }

  /** Ends it after a while, if nothing comes until then. It is ended from here, so that no question meets a thread that is ending. */
  #rest(): void {
    clearTimeout(this.#idle);
    this.#idle = setTimeout(() => void this.stop(), this.#idleMs);
    this.#idle.unref();
  }

  #end(error: Error): void {
    this.#hasEnded = true;
    clearTimeout(this.#idle);
    const pending = [...this.#pending.values()];
    this.#pending.clear();
    for (const { fail } of pending) fail(error);
  }
}

/** Starts a thread beside this one; `undefined` where it would not help, or must not be. */
export function startBeside<T>(start: () => T): T | undefined {
  if (availableParallelism() < 2) return undefined;
  try {
    return start();
  } catch {
    return undefined;
  }
}
