import type { Runtime } from '../../core/runtime.js';
import type { SyncDirectory } from './directory-syncs.js';
import type { Folder } from './folder.js';
import type { SharedPlaces } from './shared-places.js';
import type { SharedDirectory } from './shared-directory.js';

/** What the parts of a local replica share. */
export interface LocalContext {
  readonly folder: Folder;
  /** Directories of files that are being read or brought in. */
  readonly places: SharedPlaces;
  /** `.filecloudsync/tmp`, open while anything is staged. */
  readonly staging: SharedDirectory;
  /** Makes new names in a directory durable, together with those that others put there. */
  readonly syncDirectory: SyncDirectory;
  readonly runtime: Runtime;
  /** Begins the names of this run's staged files. */
  readonly runId: string;
  /** Time on the disk's clock, which may be another machine's, in milliseconds since 1970. */
  readonly diskNowMs: () => number;
  /** How many ranges of one file are fetched at once. */
  readonly rangeConcurrency: number;
  /** Large stages outlive a run that is cut off. */
  readonly keepsStages: boolean;
  /** How files are divided while they are fetched, where their digest does not say it. */
  readonly stageRangeBytes: number;
  /** Names of the lasting stages that were worked on since `cleanUp` was told that a cycle ended. */
  readonly stages: Set<string>;
  /** Tells the pairs of one folder apart. */
  readonly pairId: string;
  /** Called just before the old version of a file is moved out of the way; what it notes has to be durable when it resolves. */
  readonly beforeReplace: (path: string) => Promise<void>;
}
