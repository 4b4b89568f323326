import type { EventLoopTurns } from './event-loop-turns.js';
import type { FileLook } from './file-system.js';
import { placeOf, type Glance, type GlancedDirectory } from './glanced-directory.js';
import { StatThread } from './stat-thread.js';

/** Names of one directory that are to be looked at, and what was said of them so far. */
interface Job {
  readonly directory: GlancedDirectory;
  readonly names: readonly string[];
  readonly answers: Glance[];
  readonly done: (answers: Glance[]) => void;
}

/** How many names are looked at between two comparisons of the path with the directory. */
const SLICE_NAMES = 256;
/** A second thread costs 0.1 s of a processor, as much as looking at this many files. */
const NAMES_WORTH_A_THREAD = 32_768;
/** Shares that the thread holds: one to work at, and others for as long as nobody here hears that it has done one. */
const SHARES_UNDER_WAY = 6;
/** So small that what is next seldom lies with the thread. */
const SHARE_NAMES = 256;
/** What the thread holds, what is being looked at here, and as much again, so that neither need wait. */
const NAMES_AHEAD = 4096;

/**
 * Looks at many names in the order in which they were asked for, letting other work run in between.
 *
 * Once many were asked for, a second thread takes names from behind those that are next: what it says is believed only where
 * its path led to the right directory before and after, and whatever it does not say is looked at here. So a thread that
 * cannot be started, or ends, costs time and nothing else.
 */
export class StatQueue {
  readonly #turns: EventLoopTurns;
  readonly #jobs: Job[] = [];
  readonly #startThread: () => StatThread | undefined;
  #isRunning = false;
  readonly #namesWorthAThread: number;
  #thread: StatThread | undefined;
  /** `undefined`: a thread was no use here, and none is tried again. */
  #namesBeforeThread: number | undefined;

  constructor(
    turns: EventLoopTurns,
    startThread: () => StatThread | undefined = () => StatThread.start(),
    namesWorthAThread = NAMES_WORTH_A_THREAD,
  ) {
    this.#turns = turns;
    this.#startThread = startThread;
    this.#namesWorthAThread = namesWorthAThread;
    this.#namesBeforeThread = namesWorthAThread;
  }

  /** How many names are worth asking for before the first answer is needed. */
  get namesAhead(): number {
    return this.#liveThread() === undefined ? 0 : NAMES_AHEAD;
  }

  /** What stands at each of these names, in their order. Never rejects. */
  look(directory: GlancedDirectory, names: readonly string[]): Promise<Glance[]> {
    return new Promise((resolve) => {
      this.#jobs.push({ directory, names, answers: [], done: resolve });
      if (this.#isRunning) return;
      this.#isRunning = true;
      // Not at once: whoever asks may ask for more, of which the thread can take a share.
      if (this.#liveThread() === undefined) void this.#run();
      else setImmediate(() => void this.#run());
    });
  }

  async #run(): Promise<void> {
    for (let job = this.#jobs.shift(); job !== undefined; job = this.#jobs.shift()) {
      this.#share();
      while (job.answers.length < job.names.length) {
        if (this.#turns.due) await this.#turns.yield();
        lookAtSlice(job);
      }
      this.#count(job.names.length);
      job.done(job.answers);
      // Whoever waited goes on here, and asks for more.
      await Promise.resolve();
    }
    this.#isRunning = false;
  }

  #count(names: number): void {
    if (this.#namesBeforeThread === undefined || this.#liveThread() !== undefined) return;
    this.#namesBeforeThread -= names;
    if (this.#namesBeforeThread > 0) return;
    this.#thread = this.#startThread();
    if (this.#thread === undefined) this.#namesBeforeThread = undefined;
  }

  /** The thread, unless it has ended: then as much has to be asked for as before, and none is tried again that never answered. */
  #liveThread(): StatThread | undefined {
    const thread = this.#thread;
    if (thread?.hasEnded !== true) return thread;
    this.#thread = undefined;
    this.#namesBeforeThread = thread.hasAnswered ? this.#namesWorthAThread : undefined;
    return undefined;
  }

  /** Gives the thread what it can take of what nobody has begun. */
  #share(): void {
    const thread = this.#liveThread();
    while (thread !== undefined && thread.pending < SHARES_UNDER_WAY && this.#jobs.length > 1) {
      const share = this.#takeShare();
      void thread.look(share).then((answers) => this.#takeBack(share, answers));
    }
  }

  /** Whole jobs from behind the next one. */
  #takeShare(): Job[] {
    let count = 0;
    let names = 0;
    while (count + 1 < this.#jobs.length && (count === 0 || names < SHARE_NAMES)) {
      count++;
      names += this.#jobs[count]?.names.length ?? 0;
    }
    return this.#jobs.splice(1, count);
  }

  #takeBack(share: readonly Job[], answers: readonly (readonly (FileLook | undefined)[])[] | undefined): void {
    for (const [index, job] of share.entries()) {
      const said = answers?.[index];
      for (const [at, name] of job.names.entries()) job.answers.push(said?.[at] ?? job.directory.glance(name));
      job.done(job.answers);
    }
    if (this.#jobs.length > 0 && this.#isRunning) this.#share();
  }
}

function lookAtSlice({ directory, names, answers }: Job): void {
  const begin = answers.length;
  const end = Math.min(names.length, begin + SLICE_NAMES);
  const prefix = placeOf(directory)?.prefix;
  for (let i = begin; i < end; i++) answers.push(directory.glance(names[i] as string, prefix));
  // The path may have led elsewhere for a moment: then what was seen there is looked at again, one by one.
  if (prefix !== undefined && placeOf(directory)?.prefix !== prefix) {
    for (let i = begin; i < end; i++) answers[i] = directory.glance(names[i] as string);
  }
}
