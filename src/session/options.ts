import type { ConflictPolicy } from '../core/conflict.js';
import type { PathFilter } from '../replica/replica.js';

/** What one session does with a pair of replicas. All values are checked by the caller. */
export interface SessionOptions {
  /** Which paths take part. */
  readonly filter: PathFilter;
  /** Only these exact paths are looked at; all others stay as they are, in the baseline too. `undefined`: all. */
  readonly files?: readonly string[];
  /** Nothing is ever written to the remote replica. */
  readonly readonly: boolean;
  readonly conflict: ConflictPolicy;
  /** Share of the known files of one side that may be deleted in one run, 0 to 1. */
  readonly maxDelete: number;
  /** How many paths are carried at once. */
  readonly concurrency: number;
  /** After how many days versions leave the trash; `Infinity`: never. */
  readonly trashDays: number;
  /** Names this machine in conflict copies and in the trash. */
  readonly machine: string;
}
