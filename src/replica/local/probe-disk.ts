import type { Clock } from '../../core/runtime.js';
import type { DirectoryHandle } from './file-system.js';
import { errnoOf } from './file-system.js';

/** What was found out about a disk by trying. */
export interface DiskTraitsFound {
  readonly caseSensitive: boolean;
  readonly normalizationSensitive: boolean;
  /** How much the disk's clock is ahead of this machine's. */
  readonly clockOffsetMs: number;
  readonly hardLinks: boolean;
}

/** Tries names, times and links with a file in `.filecloudsync/tmp`, and removes it. */
export async function probeDisk(tmp: DirectoryHandle, prefix: string, clock: Clock): Promise<DiskTraitsFound> {
  const composed = `${prefix}-probe-A\u00e9`;
  const lowerCase = composed.toLowerCase();
  const decomposed = composed.normalize('NFD');
  const linked = `${prefix}-probe-link`;
  const file = await tmp.createFile(composed);
  try {
    const nowMs = clock.nowMs();
    const stat = await file.stat();
    const isSame = async (name: string): Promise<boolean> => (await tmp.lstat(name))?.inode === stat.inode;
    return {
      caseSensitive: lowerCase === composed || !(await isSame(lowerCase)),
      normalizationSensitive: !(await isSame(decomposed)),
      clockOffsetMs: offset(Number(stat.mtimeNs) / 1e6 - nowMs),
      hardLinks: await triesLink(tmp, composed, linked),
    };
  } finally {
    await file.close();
    await tmp.unlink(composed);
  }
}

async function triesLink(tmp: DirectoryHandle, name: string, linked: string): Promise<boolean> {
  try {
    await tmp.link(name, tmp, linked);
  } catch (error) {
    if (errnoOf(error) === undefined) throw error;
    return false;
  }
  await tmp.unlink(linked);
  return true;
}

/** Small differences are the tick of the disk's clock, not another clock. */
function offset(differenceMs: number): number {
  return Math.abs(differenceMs) < 50 ? 0 : differenceMs;
}
