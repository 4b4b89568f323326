import { readFileSync } from 'node:fs';
import type { MadeFile, Moved, NewFile } from './file-system.js';
import { NodeFileHandle, secondsOf } from './node-file-handle.js';
import { fromNodeStat } from './node-stat.js';
import { NewFilesThread } from './new-files-thread.js';
import type { PlaceJob, ToldError } from './new-files-program.js';

/** A second thread costs 0.1 s of a processor, as much as it spares with so many files. */
const FILES_WORTH_A_THREAD = 128;
/** Content that waits for the disk while other files are fetched. */
const MOST_HELD_BYTES = 1024 * 1024;
/** Files that wait are open. */
const MOST_HELD_FILES = 128;
/** Files of a process that are open for other reasons, reckoned high: connections, directories, the memory, files that do not wait. */
const OTHER_OPEN_FILES = 112;

/** Has small files made by a second thread, once many came: so the network need not wait for the disk, nor the disk for each file. */
export class NewFiles {
  readonly #startThread: () => NewFilesThread | undefined;
  readonly #filesWorthAThread: number;
  readonly #openFilesLimit: () => number;
  #thread: NewFilesThread | undefined;
  #filesBeforeThread: number;
  #heldBytes = 0;
  #heldFiles = 0;
  #mostHeldFiles = 0;

  constructor(
    startThread: () => NewFilesThread | undefined = () => NewFilesThread.start(),
    filesWorthAThread = FILES_WORTH_A_THREAD,
    openFilesLimit = readOpenFilesLimit,
  ) {
    this.#openFilesLimit = openFilesLimit;
    this.#startThread = startThread;
    this.#filesWorthAThread = filesWorthAThread;
    this.#filesBeforeThread = filesWorthAThread;
  }

  /** Whether there is a thread. */
  get isAtWork(): boolean {
    return this.#thread?.hasEnded === false;
  }

  /** Makes a file at a path that leads to it as long as this has not answered; `undefined`: there is no thread. */
  async make(path: string, { bytes, modifiedMs, mode, onTaken }: NewFile): Promise<MadeFile | undefined> {
    const thread = this.#threadForNext();
    if (thread === undefined) return undefined;
    this.#heldBytes += bytes.length;
    this.#heldFiles++;
    if (this.#heldBytes <= MOST_HELD_BYTES && this.#heldFiles <= this.#mostHeldFiles) onTaken?.();
    const modified = modifiedMs === undefined ? undefined : secondsOf(modifiedMs);
    const told = await thread.take({ step: 'make', path, bytes, modified, mode });
    this.#heldBytes -= bytes.length;
    this.#heldFiles--;
    if (told === undefined || 'placed' in told) return undefined;
    if ('error' in told) throw revived(told.error);
    const [fileMode, size, mtimeNs, ctimeNs, ino, dev, nlink] = told.stat;
    const stat = fromNodeStat({ mode: fileMode, size, mtimeNs, ctimeNs, ino, dev, nlink });
    return { file: new NodeFileHandle(told.descriptor), stat };
  }

  /** Gives a file its place; `undefined`: there is no thread, or it ended. */
  async place(job: Omit<PlaceJob, 'step'>): Promise<Moved | undefined> {
    const told = this.isAtWork ? await this.#thread?.take({ step: 'place', ...job }) : undefined;
    if (told === undefined || 'stat' in told) return undefined;
    if ('error' in told) throw revived(told.error);
    return told.placed;
  }

  #threadForNext(): NewFilesThread | undefined {
    if (!this.isAtWork) {
      this.#thread = undefined;
      if (--this.#filesBeforeThread > 0) return undefined;
      // Where none can be started, it is tried again after as many.
      this.#filesBeforeThread = this.#filesWorthAThread;
      this.#thread = this.#startThread();
      const free = Math.floor((this.#openFilesLimit() - OTHER_OPEN_FILES) / 2);
      this.#mostHeldFiles = Math.max(0, Math.min(free, MOST_HELD_FILES));
    }
    return this.#thread;
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
