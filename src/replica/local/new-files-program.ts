import type * as NodeFs from 'node:fs';
import type { MessagePort } from 'node:worker_threads';
import type { FlushDisk } from './disk-flusher.js';

/** A directory that has to be where it was seen. */
export interface Landmark {
  readonly path: string;
  readonly identity: string;
  /** A link may be on the way to it. */
  readonly follows: boolean;
}

/** A directory in which files get their places, open until the thread has answered. */
export interface WayForThread {
  /** Begins the path of a name in it. */
  readonly prefix: string;
  readonly descriptor: number;
  /** What has to stand on the way to it. */
  readonly landmarks: readonly Landmark[];
}

/** What the thread is asked: files to be made and put into place, in columns, because messages of many small objects cost more than the work. */
export interface NewFilesQuestion {
  readonly ways: readonly WayForThread[];
  /** Of each file the path under which it is made, through a directory that is open until the thread has answered, and the name that it gets. */
  readonly names: readonly string[];
  /** Of each file which of the ways it goes, where its content ends, and the time of its last change in seconds, which is NaN for now. */
  readonly numbers: Float64Array<ArrayBuffer>;
  /** Of all files, one after the other. */
  readonly content: Uint8Array<ArrayBuffer>;
}

/** How many of {@link NewFilesQuestion.numbers} belong to each file. */
export const NUMBERS_OF_A_FILE = 3;

/** An error of a system call, of which a message between threads would leave the text alone. */
export interface ToldError {
  readonly message: string;
  readonly code: string | undefined;
  readonly syscall: string | undefined;
}

/** What became of a file. `not-placed`: something stands there, a directory on the way is not in its place, or the name could not be given. */
export type Told = 'placed' | 'not-placed' | ToldError;

/** What became of each file, in their order. */
export interface NewFilesAnswer {
  readonly told: readonly Told[];
  /** Of each file its mode, size, mtime, ctime, inode, device and number of names; zeros where it was not placed. */
  readonly stats: BigInt64Array<ArrayBuffer>;
}

/** How many of {@link NewFilesAnswer.stats} belong to each file. */
export const STATS_OF_A_FILE = 7;

/**
 * What the thread does. It is sent to the thread as text, so that it is found wherever this package is bundled: it may use
 * nothing from around it.
 *
 * All files of a message take each step together, so that one commit of the disk's journal makes many of them durable.
 */
export function newFilesProgram(port: MessagePort, fs: typeof NodeFs, flushDisk: FlushDisk): void {
  const { O_RDWR, O_CREAT, O_EXCL, O_NOFOLLOW } = fs.constants;
  /** A flush takes as much of a processor as it spares with about so many files. */
  const FILES_WORTH_A_FLUSH = 32;
  /** In milliseconds. An `fsync` that takes less costs less here than in another thread. */
  const QUICK_SYNC_MS = 0.25;
  const EXACT = { bigint: true } as const;
  const LOOK = { bigint: true, throwIfNoEntry: false } as const;

  /** A file under its first name, and how far it is: `told` when nothing more is to be done for it. */
  interface Making {
    readonly path: string;
    readonly place: string;
    readonly way: WayForThread;
    readonly descriptor: number;
    made: NodeFs.BigIntStats | undefined;
    told: Told | undefined;
  }

  const errorOf = (error: unknown): ToldError => {
    const { message, code, syscall } = error as NodeJS.ErrnoException;
    return { message, code, syscall };
  };
  /** What fails of it concerns a file that is in its place, or of no use. */
  const quietly = (act: () => void): void => {
    try {
      act();
    } catch {}
  };
  const synced = (descriptor: number): Promise<NodeJS.ErrnoException | null> =>
    new Promise((resolve) => fs.fsync(descriptor, resolve));

  const make = ({ ways, names, numbers, content }: NewFilesQuestion, i: number): Making => {
    const path = names[2 * i] ?? '';
    const start = i === 0 ? 0 : (numbers[3 * i - 2] ?? 0);
    const end = numbers[3 * i + 1] ?? 0;
    const modified = numbers[3 * i + 2] ?? NaN;
    const way = ways[numbers[3 * i] ?? 0] as WayForThread;
    const place = way.prefix + (names[2 * i + 1] ?? '');
    let descriptor = -1;
    let told: Told | undefined;
    try {
      descriptor = fs.openSync(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW, 0o666);
      for (let at = start; at < end;) at += fs.writeSync(descriptor, content, at, end - at, at - start);
      if (!Number.isNaN(modified)) fs.futimesSync(descriptor, modified, modified);
    } catch (error) {
      told = errorOf(error);
    }
    return { path, place, way, descriptor, made: undefined, told };
  };
  const syncFile = async ({ descriptor }: Making, isQuick: boolean): Promise<void> => {
    const problem = isQuick ? fs.fsyncSync(descriptor) : await synced(descriptor);
    if (problem) throw problem;
  };
  const makeDurable = async (file: Making, isQuick: boolean): Promise<void> => {
    if (file.told !== undefined) return;
    try {
      await syncFile(file, isQuick);
      file.made = fs.fstatSync(file.descriptor, EXACT);
    } catch (error) {
      file.told = errorOf(error);
    }
  };
  /** After a flush each sync finds nothing to write; should it take long all the same, the others are left to other threads. */
  const makeAllDurable = async (files: readonly Making[]): Promise<void> => {
    const open = files.find(({ told }) => told === undefined);
    const isFlushed = open !== undefined && files.length >= FILES_WORTH_A_FLUSH && (await flushDisk(open.descriptor));
    const quickUntil = isFlushed ? performance.now() + QUICK_SYNC_MS * files.length : 0;
    await Promise.all(files.map((file) => makeDurable(file, performance.now() < quickUntil)));
  };
  const stands = ({ path, identity, follows }: Landmark): boolean => {
    const found = follows ? fs.statSync(path, LOOK) : fs.lstatSync(path, LOOK);
    return found !== undefined && found.isDirectory() && `${found.dev}-${found.ino}` === identity;
  };
  const leadsOn = ({ landmarks }: WayForThread): boolean => {
    try {
      return landmarks.every(stands);
    } catch {
      return false;
    }
  };
  /**
   * Gives files their names, one right after the other. A way is looked at once for all of them: whoever moves a directory
   * meanwhile takes along what has its name already, and what gets it then, as if he had moved it a moment later.
   */
  const linkAll = (files: readonly Making[]): void => {
    const leads = new Map<WayForThread, boolean>();
    for (const file of files) {
      if (file.told !== undefined) continue;
      const { way } = file;
      const known = leads.get(way) ?? leadsOn(way);
      leads.set(way, known);
      try {
        if (known) fs.linkSync(file.path, file.place);
        else file.told = 'not-placed';
      } catch {
        // What is wrong is told by whoever writes the file alone.
        file.told = 'not-placed';
      }
    }
  };
  /** One sync of a directory is enough for all names that were given in it before it began. */
  const makeNamesDurable = async (files: readonly Making[]): Promise<void> => {
    const syncs = new Map<number, ReturnType<typeof synced>>();
    for (const { told, way } of files)
      if (told === undefined && !syncs.has(way.descriptor)) syncs.set(way.descriptor, synced(way.descriptor));
    for (const [descriptor, sync] of syncs) {
      const problem = await sync;
      if (problem === null) continue;
      for (const file of files)
        if (file.told === undefined && file.way.descriptor === descriptor) file.told = errorOf(problem);
    }
  };
  /** The file in its place; as it was made, where somebody has written to it already, who may have set its time back. */
  const look = ({ descriptor, made }: Making): NodeFs.BigIntStats | undefined => {
    try {
      const stat = fs.fstatSync(descriptor, EXACT);
      return stat.size === made?.size && stat.mtimeNs === made.mtimeNs ? stat : made;
    } catch {
      return made;
    }
  };
  const finish = (file: Making): NodeFs.BigIntStats | undefined => {
    const { path, descriptor } = file;
    if (descriptor < 0) return undefined;
    quietly(() => fs.unlinkSync(path));
    file.told ??= 'placed';
    const stat = file.told === 'placed' ? look(file) : undefined;
    quietly(() => fs.closeSync(descriptor));
    return stat;
  };

  const answer = async (id: number, question: NewFilesQuestion): Promise<void> => {
    const count = question.names.length / 2;
    const files = Array.from({ length: count }, (_, i) => make(question, i));
    await makeAllDurable(files);
    linkAll(files);
    await makeNamesDurable(files);
    const stats = new BigInt64Array(7 * count);
    for (const [i, file] of files.entries()) {
      const stat = finish(file);
      if (stat === undefined) continue;
      const { mode, size, mtimeNs, ctimeNs, ino, dev, nlink } = stat;
      stats.set([mode, size, mtimeNs, ctimeNs, ino, dev, nlink], 7 * i);
    }
    port.postMessage([id, { told: files.map(({ told }) => told), stats }], [stats.buffer]);
  };
  port.on('message', ([id, question]: [number, NewFilesQuestion]) => void answer(id, question));
}
