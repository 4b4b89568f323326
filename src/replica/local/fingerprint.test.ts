import { describe, expect, it } from 'vitest';
import type { FileStat } from './file-system.js';
import { fileEntryOf } from './fingerprint.js';

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
