import type { Digest } from '../../core/digest.js';
import type { PartDigests } from '../../core/part-digests.js';
import type { DirectoryHandle, FileHandle, FileStat } from './file-system.js';
import type { Stage } from './open-stage.js';
import type { DirectoryLease } from './shared-directory.js';

/** A whole, verified, durable file under a name in `.filecloudsync/tmp`, on its way to its place. */
export interface StagedFile extends StagedContent {
  readonly directory: DirectoryHandle;
  readonly name: string;
  readonly file: FileHandle;
  /** Whether the staged name is there still. */
  readonly hasName: boolean;
  /** The staged name is gone: `discard` need not try. */
  forgetName(): void;
  /** Takes the staged name away and closes everything. Never throws; `cleanUp` finds what could not be removed. */
  discard(): Promise<void>;
}

/** What is known of a staged file. */
export interface StagedContent {
  /** The file as it was staged. */
  readonly stat: FileStat;
  readonly digest: Digest | undefined;
  /** MD5s of the parts of the content, when the source's digest of parts proves them. */
  readonly parts: PartDigests | undefined;
}

/** A stage whose file is whole. */
export function stagedFile(lease: DirectoryLease, stage: Stage, { stat, digest, parts }: StagedContent): StagedFile {
  let hasName = true;
  return {
    stat,
    digest,
    parts,
    directory: lease.value,
    name: stage.name,
    file: stage.file,
    get hasName() {
      return hasName;
    },
    forgetName() {
      hasName = false;
      stage.forgetName();
    },
    async discard() {
      await stage.discard();
      await lease.release();
    },
  };
}

/** A time as a disk can hold it. Times come from object metadata, which anybody can have written; what no disk holds is left out. */
export function timeForDisk(modifiedMs: number | undefined): number | undefined {
  return modifiedMs !== undefined && Math.abs(modifiedMs) <= MAX_TIME_MS ? modifiedMs : undefined;
}

/** The year 2446, where the times of ext4 end. */
const MAX_TIME_MS = 15_032_385_535_999;
