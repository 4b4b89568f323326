import type { Random } from '../../src/core/runtime.js';
import { MemoryReplica } from '../../src/replica/memory/memory-replica.js';
import type { SessionEvent } from '../../src/session/event.js';
import type { SessionOptions } from '../../src/session/options.js';
import { Session } from '../../src/session/session.js';
import { openStateStore } from '../../src/store/open-state-store.js';
import type { StateStore } from '../../src/store/state-store.js';
import { SimulatedDatabaseHome } from '../../src/testing/database/simulated-database.js';
import { SeededRandom } from '../../src/testing/simulation/seeded-random.js';

/** A local side in memory whose identity can be exchanged. */
export class MemoryFolder extends MemoryReplica {
  identity = 'disk-1';

  constructor(clock: { nowMs(): number }) {
    super({ side: 'local', clock });
  }

  async rootIdentity(): Promise<string> {
    return this.identity;
  }
}

/** Both sides, the memory and the time of a session, all in memory. */
export class MemoryWorld {
  nowMs = Date.UTC(2026, 0, 1);
  readonly clock = {
    nowMs: (): number => (this.nowMs += 1),
    sleep: async (durationMs: number): Promise<void> => {
      this.nowMs += durationMs;
    },
  };
  readonly random: Random = new SeededRandom(1);
  readonly local = new MemoryFolder(this.clock);
  readonly remote = new MemoryReplica({ side: 'remote', clock: this.clock });
  readonly home = new SimulatedDatabaseHome();
  readonly events: SessionEvent[] = [];
  #runs = 0;

  async open(options: Partial<SessionOptions> = {}): Promise<Session> {
    let store = await openStateStore(this.home, { pairId: 'pair' });
    const reopenStore = async (): Promise<StateStore> => {
      await store.close();
      store = await openStateStore(this.home, { pairId: 'pair' });
      return store;
    };
    return new Session(
      {
        local: this.local,
        remote: this.remote,
        store,
        reopenStore,
        runtime: { clock: this.clock, random: this.random },
        nameRules: 'linux',
      },
      {
        filter: { includesFile: () => true, mayContain: () => true },
        readonly: false,
        conflict: 'newest',
        maxDelete: 0.5,
        concurrency: 4,
        trashDays: 30,
        machine: 'test',
        ...options,
      },
      () => `run${++this.#runs}`,
    );
  }

  /** Opens a session, runs one cycle and closes it. */
  async sync(options: Partial<SessionOptions> = {}): ReturnType<Session['cycle']> {
    const session = await this.open(options);
    try {
      return await session.cycle({ onEvent: (event) => this.events.push(event) });
    } finally {
      await session.close();
    }
  }

  text(side: 'local' | 'remote', path: string): string | undefined {
    const content = this[side].content(path);
    return content === undefined ? undefined : new TextDecoder().decode(content);
  }
}
