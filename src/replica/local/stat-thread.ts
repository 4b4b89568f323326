import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import type { FileLook, FileType } from './file-system.js';
import { typeOfMode } from './node-stat.js';
import { placeOf, type GlancedDirectory, type GlancePlace } from './glanced-directory.js';
import { statProgram, type StatAnswer, type StatPlace, type StatQuestion } from './stat-program.js';

/** Names of one directory. */
export interface StatWish {
  readonly directory: GlancedDirectory;
  readonly names: readonly string[];
}

/** What the thread said of each name of each wish; `undefined` where it could not look. */
export type StatSaid = readonly (readonly (FileLook | undefined)[])[];

/** After so long without a question the thread ends, in milliseconds. */
const IDLE_MS = 1000;
const NUMBERS_PER_NAME = 4;
/** An empty path leads nowhere: nothing is said of these names. */
const NOWHERE: GlancePlace = { prefix: '', inode: 0n, device: 0n };
const SOURCE = `(${statProgram.toString()})(
  require('node:worker_threads').parentPort, require('node:fs'), require('node:worker_threads').workerData.idleMs)`;

interface Pending {
  readonly wishes: readonly StatWish[];
  readonly answer: (said: StatSaid | undefined) => void;
}

/** A second thread that looks at names. It never keeps the process alive, except while something is asked of it. */
export class StatThread {
  readonly #worker: Worker;
  /** In the order of the questions, in which the answers come. */
  readonly #pending: Pending[] = [];
  #hasEnded = false;
  #hasAnswered = false;

  /** Resolves when it has ended. */
  readonly ended: Promise<void>;

  private constructor(worker: Worker) {
    this.#worker = worker;
    this.ended = new Promise((resolve) => {
      worker.on('exit', () => {
        this.#end();
        resolve();
      });
    });
    worker.unref();
    worker.on('message', (told: StatAnswer) => this.#take(told));
    worker.on('error', () => this.#end());
    worker.on('messageerror', () => this.#end());
  }

  /** Starts the thread; `undefined` where it would not help, or must not be. */
  static start(idleMs = IDLE_MS): StatThread | undefined {
    if (availableParallelism() < 2) return undefined;
    try {
      return new StatThread(new Worker(SOURCE, { eval: true, execArgv: [], workerData: { idleMs } }));
    } catch {
      return undefined;
    }
  }

  /** Ends it; what is asked is answered with `undefined`. */
  async stop(): Promise<void> {
    await this.#worker.terminate();
  }

  /** It takes no more questions. */
  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  /** It was of use. */
  get hasAnswered(): boolean {
    return this.#hasAnswered;
  }

  /** Questions that are not answered yet. */
  get sharesUnderWay(): number {
    return this.#pending.length;
  }

  /** Looks at the names; answers `undefined` when the thread has ended. Never rejects. */
  look(wishes: readonly StatWish[]): Promise<StatSaid | undefined> {
    return new Promise((answer) => {
      if (this.#hasEnded) return answer(undefined);
      const places: StatPlace[] = [];
      const names: string[] = [];
      for (const wish of wishes) {
        const place = placeOf(wish.directory) ?? NOWHERE;
        places.push({ ...place, count: wish.names.length });
        names.push(wish.names.join('/'));
      }
      this.#pending.push({ wishes, answer });
      this.#worker.ref();
      const question: StatQuestion = { places, names: names.join('/') };
      this.#worker.postMessage(question, []);
    });
  }

  #take(told: StatAnswer): void {
    const pending = this.#pending.shift();
    if (this.#pending.length === 0) this.#worker.unref();
    if (pending === undefined) return;
    this.#hasAnswered = true;
    const exact = told.exact.split('\n');
    let next = 0;
    const said: (FileLook | undefined)[][] = [];
    for (const { names } of pending.wishes) {
      const ofOne: (FileLook | undefined)[] = [];
      for (const end = next + names.length; next < end; next++) {
        ofOne.push(lookAt(told, exact[next], next * NUMBERS_PER_NAME));
      }
      said.push(ofOne);
    }
    pending.answer(said);
  }

  #end(): void {
    this.#hasEnded = true;
    for (const { answer } of this.#pending.splice(0)) answer(undefined);
  }
}

/** What the thread told of one name; the exact numbers are made when they are asked for, which is rare. */
class ToldLook implements FileLook {
  readonly type: FileType;
  readonly sizeBytes: number;
  readonly worked: { readonly exact: string; readonly mtimeMs: number; readonly ctimeMs: number };

  constructor(type: FileType, sizeBytes: number, worked: ToldLook['worked']) {
    this.type = type;
    this.sizeBytes = sizeBytes;
    this.worked = worked;
  }

  get mtimeNs(): bigint {
    return this.#exact(1);
  }

  get inode(): bigint {
    return this.#exact(2);
  }

  get ctimeNs(): bigint {
    return this.#exact(3);
  }

  #exact(part: 1 | 2 | 3): bigint {
    return BigInt(/^(-?\d+)-(-?\d+)-(-?\d+)$/.exec(this.worked.exact)?.[part] ?? 0);
  }
}

function lookAt({ numbers }: StatAnswer, exact: string | undefined, at: number): FileLook | undefined {
  const mode = numbers[at] ?? 0;
  if (mode === 0 || exact === undefined) return undefined;
  const [sizeBytes = 0, mtimeMs = 0, ctimeMs = 0] = [numbers[at + 1], numbers[at + 2], numbers[at + 3]];
  return new ToldLook(typeOfMode(mode), sizeBytes, { exact, mtimeMs, ctimeMs });
}
