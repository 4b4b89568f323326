import type { FileHandle } from './file-system.js';

/**
 * Makes a file durable while more of it is written, so that there is little left to wait for in the end.
 *
 * What is written after that has to be made durable all the same: this only begins early. But a failure is told by the disk
 * once, to whoever asks first: after one the content is lost, however well a later `sync` goes.
 */
export class EarlySync {
  readonly #file: FileHandle;
  readonly #everyBytes: number;
  #unsyncedBytes = 0;
  #running: Promise<void> | undefined;
  #failure: { readonly error: unknown } | undefined;

  constructor(file: FileHandle, everyBytes: number) {
    this.#file = file;
    this.#everyBytes = everyBytes;
  }

  /** So many bytes were written. */
  wrote(bytes: number): void {
    this.#unsyncedBytes += bytes;
    if (this.#unsyncedBytes < this.#everyBytes || this.#running !== undefined || this.#failure !== undefined) return;
    this.#unsyncedBytes = 0;
    this.#running = this.#sync();
  }

  /** Resolves when the file may be closed. Throws what the disk said. */
  async end(): Promise<void> {
    await this.#running;
    if (this.#failure !== undefined) throw this.#failure.error;
  }

  async #sync(): Promise<void> {
    try {
      await this.#file.sync();
    } catch (error) {
      this.#failure = { error };
    }
    this.#running = undefined;
  }
}
