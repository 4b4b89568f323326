import { randomBytes } from 'node:crypto';
import { mkdir, readdir, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import type { Clock } from '../core/runtime.js';
import { StateDamagedError } from '../errors.js';
import { hasCode, syncDirectory } from './atomic-file.js';
import type { Database, DatabaseHome } from './database.js';
import { openLevelDatabase } from './level-database.js';
import { findTableDamage } from './table-check.js';

/** Damaged databases kept for somebody who wants to know what happened. */
const KEPT_DAMAGED = 3;
const DAMAGED_INFIX = '.damaged-';

/** A LevelDB database in a directory; damaged ones stand beside it as `<directory>.damaged-<time>`, the newest three. */
export class LevelDatabaseHome implements DatabaseHome {
  readonly #directory: string;
  readonly #clock: Pick<Clock, 'nowMs'>;

  constructor(directory: string, clock: Pick<Clock, 'nowMs'>) {
    this.#directory = directory;
    this.#clock = clock;
  }

  /** Call it under the pair's lock: what another process is just writing looks damaged. */
  async open(): Promise<Database> {
    const damage = await findTableDamage(this.#directory, this.#clock.nowMs());
    if (damage !== undefined) {
      throw new StateDamagedError(
        `The state in ${this.#directory} is damaged: ${damage}. It is put aside and rebuilt when it is opened again.`,
        {
          data: { directory: this.#directory },
        },
      );
    }
    return openLevelDatabase(this.#directory);
  }

  async putAside(): Promise<void> {
    const parent = path.dirname(this.#directory);
    const prefix = path.basename(this.#directory) + DAMAGED_INFIX;
    await mkdir(parent, { recursive: true, mode: 0o700 });
    // Sorts by time, holds no character that a disk refuses; the ending keeps two of one millisecond apart.
    const time = new Date(this.#clock.nowMs()).toISOString().replace(/[-:.]/g, '');
    const aside = path.join(parent, `${prefix}${time}-${randomBytes(3).toString('hex')}`);
    try {
      await rename(this.#directory, aside);
    } catch (error) {
      if (!hasCode(error, 'ENOENT')) throw error;
    }
    await syncDirectory(parent);
    const kept = (await readdir(parent)).filter((name) => name.startsWith(prefix)).sort();
    for (const name of kept.slice(0, -KEPT_DAMAGED))
      await rm(path.join(parent, name), { recursive: true, force: true });
  }
}
