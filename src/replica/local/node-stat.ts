import type { BigIntStats } from 'node:fs';
import type { FileStat, FileType } from './file-system.js';

const S_IFMT = 0o170000;
const S_IFREG = 0o100000;
const S_IFDIR = 0o040000;
const S_IFLNK = 0o120000;

/** Turns the answer of `node:fs` into a {@link FileStat}. */
export function fromNodeStat(
  stat: Pick<BigIntStats, 'mode' | 'size' | 'mtimeNs' | 'ctimeNs' | 'ino' | 'dev' | 'nlink'>,
): FileStat {
  const mode = Number(stat.mode);
  return {
    type: typeOfMode(mode),
    sizeBytes: Number(stat.size),
    mtimeNs: stat.mtimeNs,
    ctimeNs: stat.ctimeNs,
    inode: stat.ino,
    device: stat.dev,
    mode: mode & 0o7777,
    links: Number(stat.nlink),
  };
}

/** The type in the mode of a file. */
export function typeOfMode(mode: number): FileType {
  switch (mode & S_IFMT) {
    case S_IFREG:
      return 'file';
    case S_IFDIR:
      return 'directory';
    case S_IFLNK:
      return 'symlink';
    default:
      return 'other';
  }
}
