import { readFileSync } from 'node:fs';
import type { FileStat, NewFile } from './file-system.js';
import { secondsOf } from './node-file-handle.js';
import type { ToldError } from './new-files-program.js';
import { MOST_MADE_FILES, NewFilesThread, type FileToPlace } from './new-files-thread.js';

/** A second thread costs 0.1 s of a processor, as much as it spares with so many files. */
const FILES_WORTH_A_THREAD = 128;
/** Content that waits for the disk while other files are fetched. */
const MOST_HELD_BYTES = 4 * 1024 * 1024;
/** With 256 the network waited for the disk now and then: 10,000 files took a tenth longer. */
const MOST_HELD_FILES = 2000;
/** Files of a process that are open for other reasons, reckoned high: up to 125 were seen, of them 64 connections and 32 files that are made. */
const OTHER_OPEN_FILES = 160;

/** A file to be made and put into place, and who wants to know that it is waited for. */
export interface FileForThread extends NewFile, Pick<FileToPlace, 'path' | 'way' | 'name'> {
  readonly onTaken: (() => void) | undefined;
}

type StartThread = (mostOpenFiles: number) => NewFilesThread | undefined;

/** Has small files made by a second thread, once many came: so the network need not wait for the disk, nor the disk for each file. */
export class NewFiles {
  readonly #startThread: StartThread;
  readonly #filesWorthAThread: number;
  readonly #openFilesLimit: () => number;
  #thread: NewFilesThread | undefined;
  #filesBeforeThread: number;
  #heldBytes = 0;
  #heldFiles = 0;
  #mostHeldFiles = 0;

  constructor(
    startThread: StartThread = (mostOpenFiles) => NewFilesThread.start(mostOpenFiles),
    filesWorthAThread = FILES_WORTH_A_THREAD,
    openFilesLimit = readOpenFilesLimit,
  ) {
    this.#openFilesLimit = openFilesLimit;
    this.#startThread = startThread;
    this.#filesWorthAThread = filesWorthAThread;
    this.#filesBeforeThread = filesWorthAThread;
  }

  /** Tells of files that will be announced: for many, a thread is started now. */
  expect(count: number): void {
    if (count >= this.#filesBeforeThread && this.#thread?.hasEnded !== false) this.#start();
  }

  /** Tells of a file that is to be made; answers whether there is a thread for it, which is started when so many came. */
  announce(): boolean {
    if (this.#thread?.hasEnded === false) return true;
    this.#thread = undefined;
    if (--this.#filesBeforeThread > 0) return false;
    this.#start();
    return this.#thread !== undefined;
  }

  #start(): void {
    // Where none can be started, it is tried again after as many.
    this.#filesBeforeThread = this.#filesWorthAThread;
    const mayBeOpen = Math.max(0, this.#openFilesLimit() - OTHER_OPEN_FILES);
    // Those that the thread makes are open, and each one that waits may keep a directory open that no other needs.
    const mostMade = Math.min(Math.trunc(mayBeOpen / 2), MOST_MADE_FILES);
    this.#mostHeldFiles = Math.min(mayBeOpen - mostMade, MOST_HELD_FILES);
    this.#thread = this.#startThread(mostMade);
  }

  /** Makes a file and puts it into place; `undefined`: it was not placed, or there is no thread, or it ended. */
  place({ path, bytes, modifiedMs, way, name, onTaken }: FileForThread): Promise<FileStat | undefined> {
    if (this.#thread === undefined) return Promise.resolve(undefined);
    this.#heldBytes += bytes.length;
    this.#heldFiles++;
    if (this.#heldBytes <= MOST_HELD_BYTES && this.#heldFiles <= this.#mostHeldFiles) onTaken?.();
    const modified = modifiedMs === undefined ? undefined : secondsOf(modifiedMs);
    return this.#thread.take({ path, bytes, modified, way, name }).then((placed) => {
      this.#heldBytes -= bytes.length;
      this.#heldFiles--;
      if (placed !== undefined && 'error' in placed) throw revived(placed.error);
      return placed;
    });
  }
}

/** How many files this process may have open; where that cannot be read, as many as usual. */
function readOpenFilesLimit(): number {
  try {
    const found = /^Max open files +(\d+|unlimited) /m.exec(readFileSync('/proc/self/limits', 'latin1'))?.[1];
    return found === 'unlimited' ? Infinity : Number(found ?? USUAL_OPEN_FILES_LIMIT);
  } catch {
    return USUAL_OPEN_FILES_LIMIT;
  }
}

const USUAL_OPEN_FILES_LIMIT = 1024;

function revived({ message, code, syscall }: ToldError): Error {
  return Object.assign(new Error(message), { code, syscall });
}
