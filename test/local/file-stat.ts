import type { FileStat } from '../../src/replica/local/file-system.js';

/** What the disk says about some file, each number another one. */
export const fileStat: FileStat = {
  type: 'file',
  sizeBytes: 3,
  mtimeNs: 1n,
  ctimeNs: 2n,
  inode: 3n,
  device: 4n,
  mode: 0o644,
  links: 1,
};
