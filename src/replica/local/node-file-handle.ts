import * as fs from 'node:fs';
import { promisify } from 'node:util';
import type { FileHandle, FileStat } from './file-system.js';
import { fromNodeStat } from './node-stat.js';

const readAsync = promisify(fs.read);
const writeAsync = promisify(fs.write);
const fsyncAsync = promisify(fs.fsync);

/**
 * Up to this size a transfer to the page cache takes less time than a trip through the thread pool. More is written in pieces of it:
 * for a larger one the kernel takes larger pages, which a virtual machine may have given back to its host.
 */
const INLINE_BYTES = 32 * 1024;
/** A disk that keeps a short call waiting for so long would keep everything else waiting. */
const SLOW_MS = 50;

/** A time as calls of Node.js take it, which cut it off at microseconds: a fifth of one on top makes that a rounding, stable over many machines. */
export function secondsOf(modifiedMs: number): number {
  return (Math.round(modifiedMs * 1000) + 0.2) / 1e6;
}

/** A file descriptor as a {@link FileHandle}. Short calls are made at once; long ones, and those of a slow disk, in the thread pool. */
export class NodeFileHandle implements FileHandle {
  readonly #fd: number;
  #open = true;
  #isSlow = false;

  constructor(fd: number) {
    this.#fd = fd;
  }

  get descriptor(): number {
    return this.#fd;
  }

  stat(): FileStat {
    return fromNodeStat(fs.fstatSync(this.#fd, { bigint: true }));
  }

  read(buffer: Uint8Array, position: number): number | Promise<number> {
    return buffer.byteLength <= INLINE_BYTES
      ? this.#readInline(buffer, 0, position)
      : this.#readInPool(buffer, position);
  }

  async #readInPool(buffer: Uint8Array, position: number): Promise<number> {
    let done = 0;
    for (let length = buffer.byteLength; length > INLINE_BYTES; length = buffer.byteLength - done) {
      const { bytesRead } = await readAsync(this.#fd, buffer, done, length, position + done);
      if (bytesRead === 0) return done;
      done += bytesRead;
    }
    return this.#readInline(buffer, done, position);
  }

  #readInline(buffer: Uint8Array, from: number, position: number): number {
    let done = from;
    while (done < buffer.byteLength) {
      const count = fs.readSync(this.#fd, buffer, done, buffer.byteLength - done, position + done);
      if (count === 0) break;
      done += count;
    }
    return done;
  }

  async write(bytes: Uint8Array, position: number): Promise<void> {
    for (let done = 0; done < bytes.byteLength;) {
      const length = bytes.byteLength - done;
      done += this.#isSlow
        ? (await writeAsync(this.#fd, bytes, done, length, position + done)).bytesWritten
        : this.#writeInline(bytes, done, position + done);
    }
  }

  #writeInline(bytes: Uint8Array, start: number, position: number): number {
    const begunMs = performance.now();
    const length = Math.min(INLINE_BYTES, bytes.byteLength - start);
    const count = fs.writeSync(this.#fd, bytes, start, length, position);
    this.#isSlow = performance.now() - begunMs >= SLOW_MS;
    return count;
  }

  async setModified(modifiedMs: number): Promise<void> {
    const seconds = secondsOf(modifiedMs);
    fs.futimesSync(this.#fd, seconds, seconds);
  }

  async setMode(mode: number): Promise<void> {
    fs.fchmodSync(this.#fd, mode);
  }

  async sync(): Promise<void> {
    await fsyncAsync(this.#fd);
  }

  close(): undefined {
    if (!this.#open) return;
    this.#open = false;
    try {
      fs.closeSync(this.#fd);
    } catch {
      // What had to be durable was synced before; nothing depends on this call.
    }
  }
}
