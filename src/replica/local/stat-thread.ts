import { AnsweringThread, startBeside } from './answering-thread.js';
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

const NUMBERS_PER_NAME = 4;
/** An empty path leads nowhere: nothing is said of these names. */
const NOWHERE: GlancePlace = { prefix: '', inode: 0n, device: 0n };
const PROGRAM = `(${statProgram.toString()})(
  require('node:worker_threads').parentPort, require('node:fs'))`;

/** A second thread that looks at names. */
export class StatThread extends AnsweringThread<StatQuestion, StatAnswer> {
  #hasAnswered = false;

  /** Starts the thread; `undefined` where it would not help, or must not be. */
  static start(idleMs?: number): StatThread | undefined {
    return startBeside(() => new StatThread(PROGRAM, idleMs));
  }

  /** It was of use. */
  get hasAnswered(): boolean {
    return this.#hasAnswered;
  }

  /** Looks at the names; answers `undefined` when the thread has ended. Never rejects. */
  async look(wishes: readonly StatWish[]): Promise<StatSaid | undefined> {
    const places: StatPlace[] = [];
    const names: string[] = [];
    for (const wish of wishes) {
      const place = placeOf(wish.directory) ?? NOWHERE;
      places.push({ ...place, count: wish.names.length });
      names.push(wish.names.join('/'));
    }
    const told = await this.ask({ places, names: names.join('/') }).catch(() => undefined);
    if (told === undefined) return undefined;
    this.#hasAnswered = true;
    return saidOf(wishes, told);
  }
}

function saidOf(wishes: readonly StatWish[], told: StatAnswer): StatSaid {
  const exact = told.exact.split('\n');
  let next = 0;
  return wishes.map(({ names }) => {
    const ofOne: (FileLook | undefined)[] = [];
    for (const end = next + names.length; next < end; next++) {
      ofOne.push(lookAt(told, exact[next], next * NUMBERS_PER_NAME));
    }
    return ofOne;
  });
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
