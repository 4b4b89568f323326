import { PathError } from '../errors.js';
import type { Source } from './replica.js';

/**
 * Fills memory with the bytes of a source from `start` on. Once it has ended, nothing more is written to that memory. `undefined`:
 * it has ended.
 *
 * @throws PathError `ERR_SOURCE_LENGTH` when the source gives more or fewer bytes than were asked for.
 */
export function readRange(
  source: Source,
  start: number,
  bytes: Uint8Array,
  signal: AbortSignal | undefined,
): Promise<void> | undefined {
  return source.readInto === undefined
    ? readChunks(source, start, bytes, signal)
    : source.readInto(bytes, start, signal);
}

async function readChunks(
  source: Source,
  start: number,
  bytes: Uint8Array,
  signal: AbortSignal | undefined,
): Promise<void> {
  const wanted = bytes.length;
  let filled = 0;
  for await (const chunk of source.read(start, start + wanted, signal)) {
    if (filled + chunk.length > wanted) throw wrongLength(source, wanted, 'more');
    bytes.set(chunk, filled);
    filled += chunk.length;
  }
  if (filled < wanted) throw wrongLength(source, wanted, `${filled}`);
}

function wrongLength(source: Source, wanted: number, found: string): PathError {
  return new PathError(
    'ERR_SOURCE_LENGTH',
    `Reading "${source.entry.path}" gave ${found} bytes where ${wanted} were expected. Nothing was written; it is tried again in the next run.`,
    {
      data: { path: source.entry.path },
      retryable: true,
    },
  );
}
