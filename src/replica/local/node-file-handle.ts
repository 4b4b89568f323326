import * as fs from 'node:fs';
import { promisify } from 'node:util';
import type { FileHandle, FileStat } from './file-system.js';
import { fromNodeStat } from './node-stat.js';

const readAsync = promisify(fs.read);
const writeAsync = promisify(fs.write);
const writevAsync = promisify(fs.writev);
const fsyncAsync = promisify(fs.fsync);

/** Up to this size a transfer to the page cache takes less time than a trip through the thread pool. */
const INLINE_BYTES = 32 * 1024;

/** A file descriptor as a {@link FileHandle}. Short calls are made at once, long ones in the thread pool. */
export class NodeFileHandle implements FileHandle {
  readonly #fd: number;
  #open = true;

  constructor(fd: number) {
    this.#fd = fd;
  }

  get descriptor(): number {
    return this.#fd;
  }

  async stat(): Promise<FileStat> {
    return fromNodeStat(fs.fstatSync(this.#fd, { bigint: true }));
  }

  async read(buffer: Uint8Array, position: number): Promise<number> {
    let done = 0;
    while (done < buffer.byteLength) {
      const length = buffer.byteLength - done;
      const count =
        length <= INLINE_BYTES
          ? fs.readSync(this.#fd, buffer, done, length, position + done)
          : (await readAsync(this.#fd, buffer, done, length, position + done)).bytesRead;
      if (count === 0) break;
      done += count;
    }
    return done;
  }

  async write(given: Uint8Array | readonly Uint8Array[], position: number): Promise<void> {
    if (given instanceof Uint8Array) return this.#writeOne(given, position);
    const total = given.reduce((sum, { byteLength }) => sum + byteLength, 0);
    const done = total <= INLINE_BYTES ? 0 : (await writevAsync(this.#fd, given, position)).bytesWritten;
    if (done === total) return;
    // A short write, as before the disk is full: piece by piece, so that the reason is told.
    let at = 0;
    for (const piece of given) {
      const rest = piece.subarray(Math.min(piece.byteLength, Math.max(0, done - at)));
      at += piece.byteLength;
      await this.#writeOne(rest, position + at - rest.byteLength);
    }
  }

  async #writeOne(bytes: Uint8Array, position: number): Promise<void> {
    let done = 0;
    while (done < bytes.byteLength) {
      const length = bytes.byteLength - done;
      done +=
        length <= INLINE_BYTES
          ? fs.writeSync(this.#fd, bytes, done, length, position + done)
          : (await writeAsync(this.#fd, bytes, done, length, position + done)).bytesWritten;
    }
  }

  async setModified(modifiedMs: number): Promise<void> {
    // Node.js cuts seconds off at microseconds: a fifth of one on top makes that a rounding, stable over many machines.
    const seconds = (Math.round(modifiedMs * 1000) + 0.2) / 1e6;
    fs.futimesSync(this.#fd, seconds, seconds);
  }

  async setMode(mode: number): Promise<void> {
    fs.fchmodSync(this.#fd, mode);
  }

  async sync(): Promise<void> {
    await fsyncAsync(this.#fd);
  }

  async close(): Promise<void> {
    if (!this.#open) return;
    this.#open = false;
    try {
      fs.closeSync(this.#fd);
    } catch {
      // What had to be durable was synced before; nothing depends on this call.
    }
  }
}
