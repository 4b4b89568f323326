import { statfs } from 'node:fs/promises';

/**
 * File systems of Linux that are of this machine alone, by the number that the kernel calls each (`statfs(2)`, `linux/magic.h`):
 * nothing is written to them but through this kernel, which tells whoever watches.
 */
const LOCAL: ReadonlyMap<number, string> = new Map([
  [0xef53, 'ext2, ext3, ext4'],
  [0x58465342, 'xfs'],
  [0x9123683e, 'btrfs'],
  [0xca451a4e, 'bcachefs'],
  [0x2fc12fc1, 'zfs'],
  [0xf2f52010, 'f2fs'],
  [0x3153464a, 'jfs'],
  [0x52654973, 'reiserfs'],
  [0x3434, 'nilfs2'],
  [0x01021994, 'tmpfs'],
  [0x858458f6, 'ramfs'],
  [0x794c7630, 'overlayfs'],
  [0x4d44, 'vfat'],
  [0x2011bab0, 'exfat'],
  [0x7366746e, 'ntfs3'],
]);

/**
 * Tells whether whatever changes on the file system of a directory is told to those who watch it.
 *
 * Not so on network disks and on those of programs (NFS, SMB, 9p, FUSE, folders shared with a virtual machine): what others write
 * there is heard by nobody here. Of a kind that is not known, and on systems that do not say the kind, it is not believed.
 */
export async function tellsAllChanges(directory: string): Promise<boolean> {
  if (process.platform !== 'linux') return false;
  try {
    return isLocalKind((await statfs(directory)).type);
  } catch {
    return false;
  }
}

/** Whether a kind of file system, as Linux numbers them, is of one machine alone. */
export function isLocalKind(magic: number): boolean {
  return LOCAL.has(magic);
}
