import type { Segment, StateChange } from './state.js';

/** Receives the bytes of one blob. Exactly one of `finish` and `abort` is called at the end. */
export interface BlobWriter {
  /** Takes the bytes; they may be reused by the caller once this is done. */
  write(chunk: Uint8Array): Promise<void> | void;
  /** Answers the blob's number; from now on it can be read. */
  finish(): Promise<number> | number;
  /** Throws the bytes away. */
  abort(): Promise<void> | void;
}

/**
 * Where the service keeps bytes and remembers its state. Blobs are immutable and known by number:
 * a key never becomes a name on a disk.
 */
export interface ObjectStorage {
  /** What was recorded before, in order. Called once, before anything else. */
  load(): Promise<Iterable<readonly StateChange[]>>;
  /** Called once after the replay: throws away blobs nobody refers to, and may rewrite the record as `snapshot`. */
  settle(isUsed: (blob: number) => boolean, snapshot: () => Iterable<readonly StateChange[]>): Promise<void>;
  /** Stores a blob whose bytes are all there; the bytes are copied. */
  put(bytes: Uint8Array): Promise<number> | number;
  /** Begins a blob whose bytes come one after the other. */
  writer(): BlobWriter;
  /** The bytes from `start` to `end` (exclusive) of a content. They stay readable even when the blobs are removed meanwhile. */
  read(content: readonly Segment[], start: number, end: number): Uint8Array | AsyncIterable<Uint8Array>;
  /** Forgets a blob. */
  remove(blob: number): void;
  /**
   * Remembers changes that belong together, all or none; throws at once when that is impossible.
   * Answers a promise of durability, or `undefined` when there is nothing to wait for.
   */
  record(changes: readonly StateChange[]): Promise<void> | undefined;
  /** Lets go of what is held open, once everything recorded is durable. */
  close(): Promise<void>;
}

/** The pieces of blobs that make up a range of a content. */
export function piecesOf(content: readonly Segment[], start: number, end: number): Segment[] {
  const pieces: Segment[] = [];
  let offset = 0;
  for (const segment of content) {
    const from = Math.max(start - offset, 0);
    const to = Math.min(end - offset, segment.length);
    if (from < to) pieces.push({ blob: segment.blob, start: segment.start + from, length: to - from });
    offset += segment.length;
    if (offset >= end) break;
  }
  return pieces;
}
