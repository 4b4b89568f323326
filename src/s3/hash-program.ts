import type * as NodeCrypto from 'node:crypto';
import type { MessagePort } from 'node:worker_threads';
import type { FilePart } from '../core/hasher.js';

/** A message to the thread: bytes, or a part of an open file. It answers the digest, or `undefined` where the file could not be read. */
export type HashQuestion = { readonly algorithm: string } & (
  | { readonly bytes: Uint8Array }
  | { readonly part: FilePart }
);

/** What is used of `node:fs`. */
interface FileReading {
  readSync(descriptor: number, buffer: Uint8Array, offset: number, length: number, position: number): number;
}

/**
 * What the thread does. It is sent to the thread as text, so that it is found wherever this package is bundled: it may use
 * nothing from around it. What it cannot do ends the thread, which is told to whoever asked.
 */
export function hashProgram(port: MessagePort, { createHash }: typeof NodeCrypto, fs: FileReading): void {
  let buffer: Uint8Array | undefined;
  const hashFile = (algorithm: string, { descriptor, start, end }: FilePart): Uint8Array | undefined => {
    const hash = createHash(algorithm);
    buffer ??= new Uint8Array(1024 * 1024);
    try {
      for (let at = start; at < end;) {
        const count = fs.readSync(descriptor, buffer, 0, Math.min(buffer.length, end - at), at);
        if (count === 0) return undefined;
        hash.update(buffer.subarray(0, count));
        at += count;
      }
    } catch {
      // Whoever asks meets it as well, and has names for it.
      return undefined;
    }
    return hash.digest();
  };
  port.on('message', ([asked, question]: [number, HashQuestion]) => {
    const { algorithm } = question;
    port.postMessage([
      asked,
      'part' in question ? hashFile(algorithm, question.part) : createHash(algorithm).update(question.bytes).digest(),
    ]);
  });
}
