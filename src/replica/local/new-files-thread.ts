import { AnsweringThread, startBeside } from './answering-thread.js';
import {
  newFilesProgram,
  type MakeJob,
  type NewFilesAnswer,
  type NewFilesQuestion,
  type PlaceJob,
} from './new-files-program.js';

/** One that is being worked at, and one that the thread finds when it has begun to wait for the disk. */
const MESSAGES_UNDER_WAY = 2;
const PROGRAM = `(${newFilesProgram.toString()})(
  require('node:worker_threads').parentPort, require('node:fs'))`;

/** A file to be made, its content not in a message yet. */
export type MakeStep = Omit<MakeJob, 'start' | 'end'> & { readonly bytes: Uint8Array };
/** What became of one step. */
export type Told = NewFilesAnswer[number];

interface Waiting {
  readonly step: MakeStep | PlaceJob;
  readonly tell: (told: Told | undefined) => void;
}

/** A second thread that makes small files and gives them their places, as many at a time as have come while it was at others. */
export class NewFilesThread extends AnsweringThread<NewFilesQuestion, NewFilesAnswer> {
  #waiting: Waiting[] = [];
  #isSending = false;

  /** Starts the thread; `undefined` where it would not help, or must not be. */
  static start(idleMs?: number): NewFilesThread | undefined {
    return startBeside(() => new NewFilesThread(PROGRAM, idleMs));
  }

  /** Takes a step. Answers `undefined` when the thread has ended: then it may have been made, or not. Never rejects. */
  take(step: MakeStep | PlaceJob): Promise<Told | undefined> {
    return new Promise((tell) => {
      this.#waiting.push({ step, tell });
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
    const sent = this.#waiting;
    this.#waiting = [];
    const question = questionOf(sent.map(({ step }) => step));
    const answers = await this.ask(question, [question.content.buffer]).catch(() => undefined);
    for (const [i, { tell }] of sent.entries()) tell(answers?.[i]);
    if (this.#waiting.length > 0) this.#sendSoon();
  }
}

function questionOf(steps: readonly Waiting['step'][]): NewFilesQuestion {
  const sizeBytes = steps.reduce((sum, step) => sum + (step.step === 'make' ? step.bytes.length : 0), 0);
  const content = new Uint8Array(sizeBytes);
  let end = 0;
  const jobs = steps.map((step): MakeJob | PlaceJob => {
    if (step.step === 'place') return step;
    const { bytes, ...job } = step;
    const start = end;
    content.set(bytes, start);
    end += bytes.length;
    return { ...job, start, end };
  });
  return { jobs, content };
}
