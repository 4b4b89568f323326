import type { Runtime } from '../../core/runtime.js';
import type { Folder } from './folder.js';

/** What the parts of a local replica share. */
export interface LocalContext {
  readonly folder: Folder;
  readonly runtime: Runtime;
  /** Begins the names of this run's staged files. */
  readonly runId: string;
  /** Time on the disk's clock, which may be another machine's, in milliseconds since 1970. */
  readonly diskNowMs: () => number;
  /** How many ranges of one file are fetched at once. */
  readonly rangeConcurrency: number;
  /** Called just before the old version of a file is moved out of the way; what it notes has to be durable when it resolves. */
  readonly beforeReplace: (path: string) => Promise<void>;
}
