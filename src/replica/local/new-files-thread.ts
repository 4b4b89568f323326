import { AnsweringThread, startBeside } from './answering-thread.js';
import { createDiskFlusher } from './disk-flusher.js';
import type { FileStat } from './file-system.js';
import {
  newFilesProgram,
  NUMBERS_OF_A_FILE,
  STATS_OF_A_FILE,
  type NewFilesAnswer,
  type NewFilesQuestion,
  type ToldError,
  type WayForThread,
} from './new-files-program.js';
import { fromNodeStat } from './node-stat.js';

/** Files that the thread makes at the same time, where so many may be open. */
export const MOST_MADE_FILES = 512;
/** One that is being worked at, and those that wait for the disk meanwhile: for its flush, or for the names of the files. */
const MESSAGES_UNDER_WAY = 4;
const PROGRAM = `const fs = require('node:fs');
  (${newFilesProgram.toString()})(
    require('node:worker_threads').parentPort,
    fs,
    (${createDiskFlusher.toString()})(require('node:child_process'), fs))`;

/** A file to be made and put into place. */
export interface FileToPlace {
  /** A path that leads to it as long as the thread has not answered. */
  readonly path: string;
  readonly bytes: Uint8Array;
  /** Time of the last change of content, in seconds; default: now. */
  readonly modified: number | undefined;
  readonly way: WayForThread;
  /** Its name in the directory at the end of the way. */
  readonly name: string;
}

/** What became of a file: the file in its place, an error, or neither, where it was not placed. */
export type Placed = FileStat | { readonly error: ToldError } | undefined;

interface Waiting {
  readonly file: FileToPlace;
  readonly tell: (placed: Placed) => void;
}

/** A second thread that makes small files and gives them their places, those at a time that have come while it was at others. */
export class NewFilesThread extends AnsweringThread<NewFilesQuestion, NewFilesAnswer> {
  readonly #waiting: Waiting[] = [];
  #isSending = false;
  readonly #filesOfAMessage: number;

  private constructor(mostOpenFiles: number, idleMs?: number) {
    super(PROGRAM, idleMs);
    this.#filesOfAMessage = Math.max(1, Math.trunc(mostOpenFiles / MESSAGES_UNDER_WAY));
  }

  /**
   * Starts the thread; `undefined` where it would not help, or must not be.
   *
   * @param mostOpenFiles - files that it has open at the same time, at least 4
   */
  static start(mostOpenFiles = MOST_MADE_FILES, idleMs?: number): NewFilesThread | undefined {
    return startBeside(() => new NewFilesThread(mostOpenFiles, idleMs));
  }

  /** Takes a file. Answers `undefined` also when the thread has ended: then it may have been placed, or not. Never rejects. */
  take(file: FileToPlace): Promise<Placed> {
    return new Promise((tell) => {
      this.#waiting.push({ file, tell });
      this.#sendSoon();
    });
  }

  /** Not at once: what else comes in this turn of the event loop goes in the same message. */
  #sendSoon(): void {
    if (this.#isSending || this.pending >= MESSAGES_UNDER_WAY) return;
    this.#isSending = true;
    setImmediate(() => void this.#send());
  }

  async #send(): Promise<void> {
    this.#isSending = false;
    const sent = this.#waiting.splice(0, this.#filesOfAMessage);
    const question = questionOf(sent);
    const moved = [question.content.buffer, question.numbers.buffer];
    const answered = this.ask(question, moved);
    if (this.#waiting.length > 0) this.#sendSoon();
    const answer = await answered.catch(() => undefined);
    for (const [i, { tell }] of sent.entries()) tell(answer && placedOf(answer, i));
    if (this.#waiting.length > 0) this.#sendSoon();
  }
}

function questionOf(sent: readonly Waiting[]): NewFilesQuestion {
  let length = 0;
  for (const { file } of sent) length += file.bytes.length;
  const content = new Uint8Array(length);
  const numbers = new Float64Array(NUMBERS_OF_A_FILE * sent.length);
  const names: string[] = [];
  const numberOfWay = new Map<WayForThread, number>();
  let end = 0;
  let next = 0;
  for (const { file } of sent) {
    const { path, bytes, modified, way, name } = file;
    content.set(bytes, end);
    end += bytes.length;
    const at = numberOfWay.get(way) ?? numberOfWay.size;
    numberOfWay.set(way, at);
    names.push(path, name);
    numbers[next++] = at;
    numbers[next++] = end;
    numbers[next++] = modified ?? NaN;
  }
  return { ways: [...numberOfWay.keys()], names, numbers, content };
}

function placedOf({ told, stats }: NewFilesAnswer, i: number): Placed {
  const what = told[i];
  if (what === undefined || what === 'not-placed') return undefined;
  if (what !== 'placed') return { error: what };
  const of = (field: number): bigint => stats[STATS_OF_A_FILE * i + field] ?? 0n;
  return fromNodeStat({
    mode: of(0),
    size: of(1),
    mtimeNs: of(2),
    ctimeNs: of(3),
    ino: of(4),
    dev: of(5),
    nlink: of(6),
  });
}
