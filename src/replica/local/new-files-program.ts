import type * as NodeFs from 'node:fs';
import type { MessagePort } from 'node:worker_threads';
import type { Moved } from './file-system.js';

/** What a thread is told of one name: a path through a descriptor that is open until it has answered. */
type DescriptorPath = string;

/** A whole file to be made, open and durable. */
export interface MakeJob {
  readonly step: 'make';
  readonly path: DescriptorPath;
  /** Where its content lies in the message's memory. */
  readonly start: number;
  readonly end: number;
  /** Time of the last change of content, in seconds. */
  readonly modified: number | undefined;
  readonly mode: number | undefined;
}

/** A directory that has to be where it was seen. */
export interface Landmark {
  readonly path: string;
  readonly identity: string;
  /** A link may be on the way to it. */
  readonly follows: boolean;
}

/** A made file to be given its place. */
export interface PlaceJob {
  readonly step: 'place';
  readonly way: readonly Landmark[];
  readonly staged: DescriptorPath;
  readonly place: DescriptorPath;
  /** The directory of the place. */
  readonly directory: number;
}

/** What the thread is asked: many steps at once, and the content of the files in them. */
export interface NewFilesQuestion {
  readonly jobs: readonly (MakeJob | PlaceJob)[];
  readonly content: Uint8Array<ArrayBuffer>;
}

/** An error of a system call, of which a message between threads would leave the text alone. */
export interface ToldError {
  readonly message: string;
  readonly code: string | undefined;
  readonly syscall: string | undefined;
}

/** What the disk says of a file that was made: mode, size, mtime, ctime, inode, device, links. */
export type ToldStat = readonly [bigint, bigint, bigint, bigint, bigint, bigint, bigint];

/** What became of each step, in their order. */
export type NewFilesAnswer = readonly (
  | { readonly descriptor: number; readonly stat: ToldStat }
  | { readonly placed: Moved }
  | { readonly error: ToldError }
)[];

/**
 * What the thread does. It is sent to the thread as text, so that it is found wherever this package is bundled: it may use
 * nothing from around it.
 *
 * All of a message goes one step at a time, so that one commit of the disk's journal makes many files durable.
 */
export function newFilesProgram(port: MessagePort, fs: typeof NodeFs): void {
  const { O_RDWR, O_CREAT, O_EXCL, O_NOFOLLOW } = fs.constants;
  const EXACT = { bigint: true } as const;
  const LOOK = { bigint: true, throwIfNoEntry: false } as const;

  const told = (error: unknown): { readonly error: ToldError } => {
    const { message, code, syscall } = error as NodeJS.ErrnoException;
    return { error: { message, code, syscall } };
  };
  const close = (descriptor: number): void => {
    try {
      fs.closeSync(descriptor);
    } catch {
      // The file is of no use any more.
    }
  };
  const synced = (descriptor: number): Promise<NodeJS.ErrnoException | null> =>
    new Promise((resolve) => fs.fsync(descriptor, resolve));

  const write = ({ path, start, end, modified, mode }: MakeJob, content: Uint8Array): number => {
    const descriptor = fs.openSync(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW, 0o666);
    try {
      for (let at = start; at < end;) at += fs.writeSync(descriptor, content, at, end - at, at - start);
      if (modified !== undefined) fs.futimesSync(descriptor, modified, modified);
      if (mode !== undefined) fs.fchmodSync(descriptor, mode);
      return descriptor;
    } catch (error) {
      close(descriptor);
      throw error;
    }
  };
  const make = async (job: MakeJob, content: Uint8Array): Promise<NewFilesAnswer[number]> => {
    let descriptor: number;
    try {
      descriptor = write(job, content);
    } catch (error) {
      return told(error);
    }
    try {
      const problem = await synced(descriptor);
      if (problem !== null) throw problem;
      const { mode, size, mtimeNs, ctimeNs, ino, dev, nlink } = fs.fstatSync(descriptor, EXACT);
      return { descriptor, stat: [mode, size, mtimeNs, ctimeNs, ino, dev, nlink] };
    } catch (error) {
      close(descriptor);
      return told(error);
    }
  };

  const stands = ({ path, identity, follows }: Landmark): boolean => {
    const found = follows ? fs.statSync(path, LOOK) : fs.lstatSync(path, LOOK);
    return found !== undefined && found.isDirectory() && `${found.dev}-${found.ino}` === identity;
  };
  const link = ({ way, staged, place }: PlaceJob): Moved => {
    try {
      if (!way.every(stands)) return 'elsewhere';
      fs.linkSync(staged, place);
      return 'here';
    } catch (error) {
      // What else is wrong is told by whoever goes the ordinary way.
      return (error as NodeJS.ErrnoException).code === 'EEXIST' ? 'taken' : 'elsewhere';
    }
  };
  /** @param syncs - those of the directories of one message: begun when all of its names were given, one is enough for them. */
  const put = async (job: PlaceJob, syncs: Map<number, ReturnType<typeof synced>>): Promise<NewFilesAnswer[number]> => {
    const placed = link(job);
    if (placed !== 'here') return { placed };
    const syncing = syncs.get(job.directory) ?? Promise.resolve().then(() => synced(job.directory));
    syncs.set(job.directory, syncing);
    const problem = await syncing;
    if (problem !== null) return told(problem);
    try {
      fs.unlinkSync(job.staged);
    } catch {
      // Of no use to anybody: the next run takes it away.
    }
    return { placed };
  };

  const answer = async (id: number, { jobs, content }: NewFilesQuestion): Promise<void> => {
    // A name that another message gives needs another sync.
    const syncs = new Map();
    const answers = jobs.map((job) => (job.step === 'make' ? make(job, content) : put(job, syncs)));
    port.postMessage([id, await Promise.all(answers)]);
  };
  port.on('message', ([id, question]: [number, NewFilesQuestion]) => void answer(id, question));
}
