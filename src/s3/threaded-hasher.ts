import { availableParallelism } from 'node:os';
import type { FileParts, HashAlgorithm, Hasher } from '../core/hasher.js';
import { plainHasher } from '../replica/wrap/plain-hasher.js';
import type { HashAnswer, HashQuestion } from './hash-program.js';
import { HashThread } from './hash-thread.js';
import { LANE_COUNTS } from './md5-lanes-module.js';

/** Less than this is hashed sooner than another thread could be told of it. */
const LEAST_BYTES = 256 * 1024;
/** A thread costs as much as hashing this here. */
const BYTES_WORTH_A_THREAD = 32 * 1024 * 1024;
/** More would wait for the one thread that reads and sends. */
const MOST_THREADS = 4;

/** Options of {@link createThreadedHasher}. */
export interface ThreadedHasherOptions {
  /** Default: one less than there are processors, at most 4. With 0 everything is hashed here. */
  readonly threads?: number;
  /** So many bytes are hashed here before the first thread is started, but for a file of that length. Default 32 MiB. */
  readonly bytesWorthAThread?: number;
  readonly startThread?: () => HashThread | undefined;
}

/**
 * Makes a {@link Hasher} that uses other threads once there is much to do; they end when there is nothing to do.
 *
 * A thread that cannot be started, or ends, costs time and nothing else: the bytes are still there, and are hashed here.
 */
export function createThreadedHasher(options: ThreadedHasherOptions = {}): Hasher {
  const { startThread = () => HashThread.start() } = options;
  const most = options.threads ?? Math.min(MOST_THREADS, availableParallelism() - 1);
  let isOfUse = most > 0;
  const { bytesWorthAThread = BYTES_WORTH_A_THREAD } = options;
  let bytesHere = bytesWorthAThread;
  let threads: HashThread[] = [];

  /** The thread with the least to do; `undefined`: to be hashed here. */
  const threadFor = (sizeBytes: number, totalBytes: number): HashThread | undefined => {
    if (!isOfUse || sizeBytes < LEAST_BYTES) return undefined;
    if (bytesHere > 0 && totalBytes < bytesWorthAThread) {
      bytesHere -= sizeBytes;
      return undefined;
    }
    threads = threads.filter(({ hasEnded }) => !hasEnded);
    const idlest = threads.toSorted((a, b) => a.pending - b.pending)[0];
    if (idlest !== undefined && (idlest.pending === 0 || threads.length >= most)) return idlest;
    const started = startThread();
    if (started === undefined) isOfUse = idlest !== undefined;
    else threads.push(started);
    return started ?? idlest;
  };

  /** Answers nothing where there is no thread for it. */
  const ask = async (sizeBytes: number, totalBytes: number, question: HashQuestion): Promise<HashAnswer> => {
    try {
      return (await threadFor(sizeBytes, totalBytes)?.ask(question)) ?? [];
    } catch {
      // One that ends while it is asked would end again.
      isOfUse = false;
      return [];
    }
  };
  const hashShared = async (algorithm: HashAlgorithm, bytes: Uint8Array): Promise<Uint8Array> => {
    const [made] = await ask(bytes.length, bytes.length, { algorithm, bytes });
    return made ?? plainHasher.hash(algorithm, bytes);
  };
  const hashParts = (algorithm: HashAlgorithm, file: FileParts): Promise<HashAnswer> => {
    const sizeBytes = file.parts.reduce((sum, { start, end }) => sum + end - start, 0);
    return ask(sizeBytes, file.totalBytes, { algorithm, file });
  };

  return {
    allocate: (sizeBytes) =>
      isOfUse && sizeBytes >= LEAST_BYTES
        ? Buffer.from(new SharedArrayBuffer(sizeBytes))
        : plainHasher.allocate(sizeBytes),
    hash: (algorithm, bytes) => (isShared(bytes) ? hashShared(algorithm, bytes) : plainHasher.hash(algorithm, bytes)),
    ...(most > 0 && { files: { partsAtOnce: Math.max(...LANE_COUNTS), hash: hashParts } }),
  };
}

function isShared({ buffer }: Uint8Array): boolean {
  return buffer instanceof SharedArrayBuffer;
}
