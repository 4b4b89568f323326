import { describe, expect, it } from 'vitest';
import { fileStat } from '../../../test/local/file-stat.js';
import type { FileStat } from './file-system.js';
import { fileEntryOf, fingerprintOf, hasSameFingerprint } from './fingerprint.js';

const NOW_MS = 1_700_000_001_234;

function statOf(mtimeMs: number, ctimeMs: number): FileStat {
  const ns = (ms: number): bigint => BigInt(Math.floor(ms)) * 1_000_000n;
  return {
    type: 'file',
    sizeBytes: 1,
    mtimeNs: ns(mtimeMs),
    ctimeNs: ns(ctimeMs),
    inode: 1n,
    device: 1n,
    mode: 0o644,
    links: 1,
  };
}

describe('fileEntryOf', () => {
  it.each([
    ['changed in this tick', statOf(NOW_MS - 1, NOW_MS - 1), true],
    ['changed in this second, on a disk that counts seconds', statOf(NOW_MS - 234, NOW_MS - 234), true],
    [
      'changed in this second with its time set back, on a disk that counts seconds',
      statOf(NOW_MS - 9_000_000, NOW_MS - 234),
      true,
    ],
    [
      'put there just now with an older time, on a disk that counts nanoseconds',
      statOf(NOW_MS - 9_000_000, NOW_MS - 3),
      false,
    ],
    ['changed long ago', statOf(NOW_MS - 9_000_000, NOW_MS - 9_000_000), false],
    ['changed long ago, on a disk that counts seconds', statOf(NOW_MS - 9_000_234, NOW_MS - 9_000_234), false],
  ])('a file that was %s: racy', (_, stat, racy) => {
    expect(fileEntryOf('a', stat, NOW_MS).racy === true).toBe(racy);
  });
});

describe('hasSameFingerprint', () => {
  it.each<[string, Partial<FileStat>]>([
    ['nothing', {}],
    ['size', { sizeBytes: 4 }],
    ['mtime', { mtimeNs: 9n }],
    ['ctime', { ctimeNs: 9n }],
    ['inode', { inode: 9n }],
    ['device', { device: 9n }],
    ['mode and number of names', { mode: 0o600, links: 2 }],
  ])('says what the fingerprints say of two looks that differ in %s', (_, changes) => {
    const other = { ...fileStat, ...changes };
    expect(hasSameFingerprint(fileStat, other)).toBe(fingerprintOf(fileStat) === fingerprintOf(other));
  });
});
