import type { SessionListener } from './event.js';
import type { PollCourse } from './last-poll.js';
import type { TouchedPath } from './look-at-touched.js';
import type { SessionOptions } from './options.js';
import type { SessionPorts } from './ports.js';

/** Everything one cycle works with; of a poll, how it goes. */
export interface CycleContext extends PollCourse {
  readonly ports: SessionPorts;
  readonly options: SessionOptions;
  /** Aborted: what runs is cancelled. */
  readonly signal?: AbortSignal;
  /** Aborted: nothing new is begun, what runs is finished and recorded. */
  readonly softSignal?: AbortSignal;
  /** Only these paths are looked at, of which the folder's side is known already. */
  readonly touched?: readonly TouchedPath[];
  /** Only the remote side is looked at: the folder is believed to be as it was agreed, but for where something is to be carried. */
  readonly poll?: true;
  /** Deletions that were carried to the remote side since everything was last looked at. Default 0. */
  readonly deletedBefore?: number;
  /** The folder that the memory is of, as it said before the cycle wrote anything; `undefined` when it said nothing. */
  readonly notedRoot: string | undefined;
  /** The mark by which the folder is recognised is missing in it. */
  readonly folderLostStamp?: boolean;
  readonly onEvent?: SessionListener;
  /** How many entries each list of the result has at most. Default: all. */
  readonly listed?: number;
}
