import type { SessionListener } from './event.js';
import type { SessionOptions } from './options.js';
import type { SessionPorts } from './ports.js';

/** Everything one cycle works with. */
export interface CycleContext {
  readonly ports: SessionPorts;
  readonly options: SessionOptions;
  /** Aborted: what runs is cancelled. */
  readonly signal?: AbortSignal;
  /** Aborted: nothing new is begun, what runs is finished and recorded. */
  readonly softSignal?: AbortSignal;
  /** The mark by which the folder is recognised is missing in it. */
  readonly folderLostStamp?: boolean;
  readonly onEvent?: SessionListener;
  /** How many entries each list of the result has at most. Default: all. */
  readonly listed?: number;
}
