import type { FileEntry, Fingerprint } from '../../core/entry.js';
import type { FileLook, FileStat } from './file-system.js';

/** Coarsest tick of a kernel's file clock (Linux with HZ=100: 10 ms), doubled. */
const TICK_MS = 20;
/** FAT keeps times to two seconds. */
const WHOLE_SECONDS_MS = 2000;

/** Evidence that a file is unchanged: size, mtime, inode, ctime. The device is left out: its number changes with a reboot. */
export function fingerprintOf(stat: FileLook): Fingerprint {
  if (stat.worked !== undefined) return `${stat.sizeBytes}-${stat.worked.exact}`;
  return `${stat.sizeBytes}-${stat.mtimeNs}-${stat.inode}-${stat.ctimeNs}`;
}

/** Whether two looks have the same {@link fingerprintOf}, told without making it. */
export function hasSameFingerprint(a: FileStat, b: FileStat): boolean {
  return a.sizeBytes === b.sizeBytes && a.mtimeNs === b.mtimeNs && a.inode === b.inode && a.ctimeNs === b.ctimeNs;
}

/** What a rename leaves as it is: size, mtime and inode. */
export function identityOf(fingerprint: Fingerprint): string {
  return fingerprint.slice(0, fingerprint.lastIndexOf('-'));
}

/** Whether `stat` is the file of this fingerprint after nothing but its names changed, which touches ctime alone. */
export function isSameFileMoved(stat: FileStat, fingerprint: Fingerprint): boolean {
  return stat.type === 'file' && fingerprint.startsWith(`${stat.sizeBytes}-${stat.mtimeNs}-${stat.inode}-`);
}

/**
 * Describes a regular file.
 *
 * @param observedAtMs - the time on the disk's clock just before `stat` was made: a file changed in the same tick is racy.
 */
export function fileEntryOf(path: string, stat: FileLook, observedAtMs: number): FileEntry {
  const modifiedMs = stat.worked?.mtimeMs ?? Number(stat.mtimeNs) / 1e6;
  const entry = {
    kind: 'file',
    path,
    sizeBytes: stat.sizeBytes,
    fingerprint: fingerprintOf(stat),
    modifiedMs,
    modifiedSource: 'mtime',
  } as const;
  if (modifiedMs <= observedAtMs - WHOLE_SECONDS_MS) {
    // A time that was set back says nothing; where the disk counts in seconds, another edit may have the ctime of this one.
    const changedMs = stat.worked?.ctimeMs ?? Number(stat.ctimeNs) / 1e6;
    const isRecent = changedMs > observedAtMs - WHOLE_SECONDS_MS;
    return isRecent && isWholeSecond(stat.ctimeNs) ? { ...entry, racy: true } : entry;
  }
  const margin = isWholeSecond(stat.ctimeNs) || isWholeSecond(stat.mtimeNs) ? WHOLE_SECONDS_MS : TICK_MS;
  return modifiedMs > observedAtMs - margin ? { ...entry, racy: true } : entry;
}

function isWholeSecond(timeNs: bigint): boolean {
  return timeNs % 1_000_000_000n === 0n;
}
