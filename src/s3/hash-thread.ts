import { AnsweringThread } from '../replica/local/answering-thread.js';
import { hashProgram, type HashAnswer, type HashQuestion } from './hash-program.js';
import { createMd5Lanes } from './md5-lanes.js';
import { md5LanesModule } from './md5-lanes-module.js';

/** A thread that makes hashes. */
export class HashThread extends AnsweringThread<HashQuestion, HashAnswer> {
  /** Starts the thread; `undefined` where it must not be. */
  static start(idleMs?: number): HashThread | undefined {
    try {
      return new HashThread(program(), idleMs);
    } catch {
      return undefined;
    }
  }
}

let written: string | undefined;

function program(): string {
  written ??= `const crypto = require('node:crypto');
const createMd5Lanes = ${createMd5Lanes.toString()};
const module = () => Buffer.from('${Buffer.from(md5LanesModule()).toString('base64')}', 'base64');
(${hashProgram.toString()})(
  require('node:worker_threads').parentPort, crypto, require('node:fs'),
  () => createMd5Lanes(globalThis.WebAssembly, module(), crypto.createHash))`;
  return written;
}
