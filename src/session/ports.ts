import type { NameRules } from '../core/path.js';
import type { Runtime } from '../core/runtime.js';
import type { Replica, ScanOptions, ScanPage } from '../replica/replica.js';
import type { StateStore } from '../store/state-store.js';
import type { LocalSide } from '../transfer/context.js';
import type { StampedFolder } from './stamped-store.js';

/** A local replica that can tell whether the folder is still the one it was. */
export type SessionLocal = LocalSide &
  StampedFolder & {
    /** Walks what lies below one directory, like `scan`; gives nothing when it is not there. Throws `PathError` when it cannot be walked. */
    scanBelow(directoryPath: string, options: ScanOptions): AsyncIterable<ScanPage>;
  };

/** The world of a session: both replicas, its memory, time and randomness. All come from outside. */
export interface SessionPorts {
  readonly local: SessionLocal;
  readonly remote: Replica;
  readonly store: StateStore;
  /** Closes a damaged store, puts it aside and opens an empty one, with `rebuilt` set. */
  readonly reopenStore: () => Promise<StateStore>;
  readonly runtime: Runtime;
  readonly nameRules: NameRules;
  /** Names this run in the trash and in events. */
  readonly runId: string;
}
