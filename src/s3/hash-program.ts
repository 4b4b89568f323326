import type * as NodeCrypto from 'node:crypto';
import type { MessagePort } from 'node:worker_threads';
import type { FilePart, FileParts } from '../core/hasher.js';
import type { Md5Lanes } from './md5-lanes.js';

/** A message to the thread: bytes, or parts of an open file. */
export type HashQuestion = { readonly algorithm: string } & (
  | { readonly bytes: Uint8Array }
  | { readonly file: FileParts }
);

/** Its answer: the digest of each; `undefined` of what could not be read. */
export type HashAnswer = readonly (Uint8Array | undefined)[];

/** What is used of `node:fs`. */
interface FileReading {
  readSync(descriptor: number, buffer: Uint8Array, offset: number, length: number, position: number): number;
}

/**
 * What the thread does. It is sent to the thread as text, so that it is found wherever this package is bundled: it may use
 * nothing from around it. What it cannot do ends the thread, which is told to whoever asked.
 *
 * @param startLanes - gives what makes several MD5s at once, where there is something.
 */
export function hashProgram(
  port: MessagePort,
  { createHash }: typeof NodeCrypto,
  fs: FileReading,
  startLanes: () => Md5Lanes | undefined,
): void {
  let lanes: Md5Lanes | undefined;
  let hasAskedForLanes = false;
  let buffer: Uint8Array | undefined;
  /** Reads all of that; `false` where it is not there, or cannot be read: whoever asks meets that as well, and has names for it. */
  const read = (descriptor: number, target: Uint8Array, position: number): boolean => {
    try {
      for (let done = 0; done < target.length;) {
        const count = fs.readSync(descriptor, target, done, target.length - done, position + done);
        if (count === 0) return false;
        done += count;
      }
      return true;
    } catch {
      return false;
    }
  };
  const hashPart = (algorithm: string, descriptor: number, { start, end }: FilePart): Uint8Array | undefined => {
    const hash = createHash(algorithm);
    buffer ??= new Uint8Array(1024 * 1024);
    for (let at = start; at < end; at += buffer.length) {
      const block = buffer.subarray(0, Math.min(buffer.length, end - at));
      if (!read(descriptor, block, at)) return undefined;
      hash.update(block);
    }
    return hash.digest();
  };
  const hashFile = (algorithm: string, { descriptor, parts }: FileParts): HashAnswer => {
    if (algorithm === 'md5' && parts.length > 1) {
      if (!hasAskedForLanes) lanes = startLanes();
      hasAskedForLanes = true;
      const lengths = parts.map(({ start, end }) => end - start);
      const starts = parts.map(({ start }) => start);
      if (lanes !== undefined)
        return lanes(lengths, (part, target, at) => read(descriptor, target, (starts[part] ?? 0) + at));
    }
    return parts.map((part) => hashPart(algorithm, descriptor, part));
  };
  port.on('message', ([asked, question]: [number, HashQuestion]) => {
    const { algorithm } = question;
    const answer: HashAnswer =
      'file' in question ? hashFile(algorithm, question.file) : [createHash(algorithm).update(question.bytes).digest()];
    port.postMessage([asked, answer]);
  });
}
