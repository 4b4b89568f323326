import { EventLoopTurns } from './event-loop-turns.js';
import { NewFiles } from './new-files.js';
import { StatQueue } from './stat-queue.js';

/** What the directories of one file system share. */
export class DiskTurns {
  readonly loop = new EventLoopTurns();
  readonly queue = new StatQueue(this.loop);
  readonly newFiles: NewFiles;

  constructor(newFiles = new NewFiles()) {
    this.newFiles = newFiles;
  }
}
