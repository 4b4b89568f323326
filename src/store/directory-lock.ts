import { rm } from 'node:fs/promises';
import { StateDamagedError } from '../errors.js';
import type { Database } from './database.js';
import { openLevelDatabase } from './level-database.js';

/**
 * Takes the lock of a directory that serves for nothing else: an empty LevelDB database, whose lock the operating system
 * frees when its holder dies, however it dies. Throws `LockedError` at once when any holder has it. `close` frees it.
 */
export async function openDirectoryLock(directory: string): Promise<Pick<Database, 'close'>> {
  try {
    return await openLevelDatabase(directory);
  } catch (error) {
    if (!(error instanceof StateDamagedError)) throw error;
    // RACE: two processes that find a damaged lock at one instant may both take it. What a lock guards stays whole all the
    // same: the state has LevelDB's own lock, and the register is replaced atomically.
    await rm(directory, { recursive: true, force: true });
    return openLevelDatabase(directory);
  }
}
