import type { FileEntry } from '../../core/entry.js';
import { StaleError, throwIfAborted } from '../../errors.js';
import type { Source } from '../replica.js';

/** Options of {@link memorySource}. */
export interface MemorySourceOptions {
  /** Bytes in one chunk. Default 64 KiB. */
  readonly chunkBytes?: number;
  /** Whether the content is still the pinned one. Default: always. */
  readonly isCurrent?: () => boolean;
}

/** Content that is in memory, as a source. The bytes are not copied: they must not be changed. */
export function memorySource(entry: FileEntry, content: Uint8Array, options: MemorySourceOptions = {}): Source {
  const { chunkBytes = 65_536, isCurrent = () => true } = options;
  const check = (): void => {
    if (!isCurrent()) throw new StaleError(`"${entry.path}" is not the version any more that was opened.`);
  };
  return {
    entry,
    async *read(start, end, signal) {
      for (let at = start; at < end; at += chunkBytes) {
        throwIfAborted(signal);
        check();
        yield content.subarray(at, Math.min(end, at + chunkBytes));
      }
    },
    async verify(signal) {
      throwIfAborted(signal);
      check();
    },
    async close() {},
  };
}

/** Reads a source to its end. Throws `StaleError` when it does not have the bytes that its entry promises. */
export async function readWhole(
  source: Source,
  signal?: AbortSignal,
  onBytes?: (count: number) => void,
): Promise<Uint8Array> {
  const { path, sizeBytes } = source.entry;
  const bytes = new Uint8Array(sizeBytes);
  let length = 0;
  for await (const chunk of source.read(0, sizeBytes, signal)) {
    throwIfAborted(signal);
    if (length + chunk.length > sizeBytes)
      throw new StaleError(`"${path}" gave more than the ${sizeBytes} bytes it was said to have.`);
    bytes.set(chunk, length);
    length += chunk.length;
    onBytes?.(chunk.length);
  }
  if (length < sizeBytes) throw new StaleError(`"${path}" ended after ${length} of ${sizeBytes} bytes.`);
  return bytes;
}
