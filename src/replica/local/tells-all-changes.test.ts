import { statfs } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { isLocalKind, tellsAllChanges } from './tells-all-changes.js';

describe('isLocalKind', () => {
  it.each<[string, number, boolean]>([
    ['ext4', 0xef53, true],
    ['xfs', 0x58465342, true],
    ['btrfs', 0x9123683e, true],
    ['zfs', 0x2fc12fc1, true],
    ['tmpfs', 0x01021994, true],
    ['overlayfs', 0x794c7630, true],
    ['nfs', 0x6969, false],
    ['smb', 0x517b, false],
    ['cifs', 0xff534d42, false],
    ['smb2', 0xfe534d42, false],
    ['9p', 0x01021997, false],
    ['fuse', 0x65735546, false],
    ['vboxsf', 0x786f4256, false],
    ['ceph', 0x00c36400, false],
    ['ocfs2', 0x7461636f, false],
    ['gfs2', 0x01161970, false],
    ['one that nobody knows', 0x12345678, false],
  ])('knows %s', (_name, magic, isLocal) => {
    expect(isLocalKind(magic)).toBe(isLocal);
  });
});

describe('tellsAllChanges', () => {
  it.runIf(process.platform === 'linux')('goes by the kind of file system of a directory', async () => {
    for (const place of ['/', '/dev/shm', '/proc'])
      expect(await tellsAllChanges(place), place).toBe(isLocalKind((await statfs(place)).type));
    expect(await tellsAllChanges('/proc')).toBe(false);
  });

  it('is not so of a place that is not there', async () => {
    expect(await tellsAllChanges('/no/such/place')).toBe(false);
  });

  it.runIf(process.platform !== 'linux')('is not believed where the system does not say the kind', async () => {
    expect(await tellsAllChanges('.')).toBe(false);
  });
});
