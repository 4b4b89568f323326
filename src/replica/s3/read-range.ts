import { PathError } from '../../errors.js';
import type { Source } from '../replica.js';

/**
 * Reads a part of a source into memory, without a copy where the source gives it in one piece. Must not be written to.
 *
 * @throws PathError `ERR_SOURCE_LENGTH` when the source gives more or fewer bytes than were asked for.
 */
export async function readRange(
  source: Source,
  start: number,
  end: number,
  signal: AbortSignal | undefined,
): Promise<Uint8Array> {
  const wanted = end - start;
  let bytes: Uint8Array | undefined;
  let filled = 0;
  for await (const chunk of source.read(start, end, signal)) {
    if (filled + chunk.length > wanted) throw wrongLength(source, wanted, 'more');
    if (chunk.length === wanted) bytes = chunk;
    else (bytes ??= Buffer.allocUnsafeSlow(wanted)).set(chunk, filled);
    filled += chunk.length;
  }
  if (filled < wanted) throw wrongLength(source, wanted, `${filled}`);
  return bytes ?? new Uint8Array(0);
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
