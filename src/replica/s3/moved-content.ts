import type { PartDigests } from '../../core/part-digests.js';

/** Content that a file and its earlier version have in common, though at other places. */
export interface MovedContent {
  /** Where it begins in the file; it reaches to the end. */
  readonly start: number;
  /** So many bytes further on than in the earlier version; below 0: nearer to the beginning. */
  readonly by: number;
}

/** What {@link findMovedContent} compares. */
export interface Versions {
  readonly sizeBytes: number;
  /** What the parts of the file are, from its beginning on. */
  readonly now: PartDigests;
  readonly earlierSizeBytes: number;
  /** What the parts of the earlier version are, of the same size. */
  readonly earlier: PartDigests;
}

/**
 * Finds what was moved by bytes that were put in or taken out: parts of the earlier version that are in the file at the same
 * distance from its end. The first of them is searched for by halves, so that few places are read, and none when there is
 * nothing to be found.
 *
 * @param md5At the MD5 of the bytes of the file from `start` to `end`, in hex.
 */
export async function findMovedContent(
  { sizeBytes, now, earlierSizeBytes, earlier }: Versions,
  md5At: (start: number, end: number) => Promise<string>,
): Promise<MovedContent | undefined> {
  const { partSizeBytes, md5s } = earlier;
  const by = sizeBytes - earlierSizeBytes;
  const edited = md5s.findIndex((md5, i) => md5 !== now.md5s[i]);
  if (by === 0 || edited === -1) return undefined;
  const isMoved = async (part: number): Promise<boolean> => {
    const start = part * partSizeBytes;
    const end = Math.min(start + partSizeBytes, earlierSizeBytes);
    return (await md5At(start + by, end + by)) === md5s[part];
  };
  let first = md5s.length - 1;
  // What lay nearer to the beginning than what was taken out is long is not in the file.
  let unknown = Math.max(edited, Math.ceil(-by / partSizeBytes));
  if (unknown > first || !(await isMoved(first))) return undefined;
  while (unknown < first) {
    const middle = Math.floor((unknown + first) / 2);
    if (await isMoved(middle)) first = middle;
    else unknown = middle + 1;
  }
  return { start: first * partSizeBytes + by, by };
}
