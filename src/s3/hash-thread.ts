import { AnsweringThread } from '../replica/local/answering-thread.js';
import { hashProgram, type HashQuestion } from './hash-program.js';

const PROGRAM = `(${hashProgram.toString()})(
  require('node:worker_threads').parentPort, require('node:crypto'), require('node:fs'))`;

/** A thread that makes hashes. */
export class HashThread extends AnsweringThread<HashQuestion, Uint8Array | undefined> {
  /** Starts the thread; `undefined` where it must not be. */
  static start(idleMs?: number): HashThread | undefined {
    try {
      return new HashThread(PROGRAM, idleMs);
    } catch {
      return undefined;
    }
  }
}
