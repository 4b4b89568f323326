import { EventLoopTurns } from './event-loop-turns.js';
import { StatQueue } from './stat-queue.js';

/** What the directories of one file system share. */
export class DiskTurns {
  readonly loop = new EventLoopTurns();
  readonly queue = new StatQueue(this.loop);
}
