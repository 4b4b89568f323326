import { PathError } from '../../errors.js';
import type { Source } from '../replica.js';

/**
 * Reads a part of a source into memory.
 *
 * @throws PathError `ERR_SOURCE_LENGTH` when the source gives more or fewer bytes than were asked for.
 */
export async function readRange(
  source: Source,
  start: number,
  end: number,
  signal: AbortSignal | undefined,
): Promise<Uint8Array> {
  const bytes = new Uint8Array(end - start);
  let filled = 0;
  for await (const chunk of source.read(start, end, signal)) {
    if (filled + chunk.length > bytes.length) throw wrongLength(source, bytes.length, 'more');
    bytes.set(chunk, filled);
    filled += chunk.length;
  }
  if (filled < bytes.length) throw wrongLength(source, bytes.length, `${filled}`);
  return bytes;
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
