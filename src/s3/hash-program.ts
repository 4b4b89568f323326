import type * as NodeCrypto from 'node:crypto';
import type { MessagePort } from 'node:worker_threads';

/** A message to the thread, which answers the digest. */
export interface HashQuestion {
  readonly algorithm: string;
  readonly bytes: Uint8Array;
}

/**
 * What the thread does. It is sent to the thread as text, so that it is found wherever this package is bundled: it may use
 * nothing from around it. What it cannot do ends the thread, which is told to whoever asked.
 */
export function hashProgram(port: MessagePort, { createHash }: typeof NodeCrypto): void {
  port.on('message', ({ algorithm, bytes }: HashQuestion) => {
    port.postMessage(createHash(algorithm).update(bytes).digest());
  });
}
