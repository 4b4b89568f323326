import { Session } from '../../src/session/session.js';
import type { SessionOptions } from '../../src/session/options.js';
import type { CycleResult } from '../../src/session/result.js';
import { openStateStore } from '../../src/store/open-state-store.js';
import { createLocalReplica } from '../../src/replica/local/local-replica.js';
import type { Replica } from '../../src/replica/replica.js';
import type { Runtime } from '../../src/core/runtime.js';
import type { StateStore } from '../../src/store/state-store.js';
import { SimulatedDatabaseHome } from '../../src/testing/database/simulated-database.js';
import { SimulatedFileSystem } from '../../src/testing/fs/simulated-file-system.js';
import { SimulatedProcess, type Scheduler } from '../../src/testing/simulation/scheduler.js';
import type { SeededRandom } from '../../src/testing/simulation/seeded-random.js';

/** What a machine needs to make its view of the bucket. */
export type RemoteFactory = (machine: {
  readonly process: SimulatedProcess;
  readonly runtime: Runtime;
  readonly store: StateStore;
}) => Replica;

/** One simulated computer: a disk and a state directory that survive its processes. */
export class Machine {
  readonly name: string;
  readonly disk: SimulatedFileSystem;
  readonly #home: SimulatedDatabaseHome;
  readonly #scheduler: Scheduler;
  readonly #random: SeededRandom;
  readonly #makeRemote: RemoteFactory;
  readonly #options: SessionOptions;
  readonly #skewMs: number;
  #process: SimulatedProcess;
  #runs = 0;

  constructor(
    name: string,
    world: { readonly scheduler: Scheduler; readonly random: SeededRandom; readonly makeRemote: RemoteFactory },
    options: SessionOptions,
    skewMs: number,
  ) {
    this.name = name;
    this.#scheduler = world.scheduler;
    this.#random = world.random;
    this.#makeRemote = world.makeRemote;
    this.#options = options;
    this.#skewMs = skewMs;
    this.#process = new SimulatedProcess(name);
    this.disk = new SimulatedFileSystem({ clock: { nowMs: () => this.#scheduler.nowMs + skewMs } });
    this.disk.step = (operation) => this.#scheduler.step(this.#process, operation);
    this.#home = new SimulatedDatabaseHome({ step: (operation) => this.#scheduler.step(this.#process, operation) });
  }

  /** Opens everything, runs one cycle, closes everything: what `sync` does. */
  async sync(overrides: Partial<SessionOptions> = {}): Promise<CycleResult> {
    const process = this.#process;
    const runtime: Runtime = { clock: this.#scheduler.clock(process, this.#skewMs), random: this.#random };
    const openStore = (): Promise<StateStore> => openStateStore(this.#home, { pairId: this.name });
    let store = await openStore();
    const reopenStore = async (): Promise<StateStore> => {
      await store.close();
      store = await openStore();
      return store;
    };
    const runId = `${this.name}r${++this.#runs}`;
    const local = createLocalReplica({
      root: this.disk.root,
      fileSystem: this.disk,
      runtime,
      pathRules: 'linux',
      runId,
      beforeReplace: async (path) => {
        const row = await store.baseline.get(path);
        if (row !== undefined) await store.baseline.put([{ ...row, replacing: true }], { sync: true });
      },
    });
    const remote = this.#makeRemote({ process, runtime, store });
    const session = new Session(
      { local, remote, store, reopenStore, runtime, nameRules: 'linux' },
      this.#options,
      () => runId,
    );
    try {
      await local.prepare({ readonly: false });
      await remote.prepare({ readonly: this.#options.readonly });
      return await session.cycle({ options: overrides });
    } finally {
      await session.close();
      await remote.close();
      await local.close();
    }
  }

  /** The process dies at this instant, or power goes; the machine can sync again at once. */
  crash(kind: 'process' | 'power'): void {
    this.#process.kill();
    this.#process = new SimulatedProcess(this.name);
    this.disk.crash({ keep: kind === 'process' ? 'all' : () => this.#random.next() });
    this.#home.crash(kind, kind === 'power' ? this.#random.below(this.#home.unsyncedBatches + 1) : 0);
  }

  /** Every file of the folder, by path; the reserved folder left out. */
  files(): Map<string, string> {
    const files = new Map<string, string>();
    for (const [path, node] of Object.entries(this.disk.user.tree())) {
      if (typeof node === 'string' && node !== 'directory' && !path.startsWith('.filecloudsync/')) files.set(path, node);
    }
    return files;
  }

  /** Every content that the trash of this machine keeps. */
  trashed(): string[] {
    const kept: string[] = [];
    for (const [path, node] of Object.entries(this.disk.user.tree('.filecloudsync/trash'))) {
      if (typeof node === 'string' && !path.endsWith('/')) kept.push(node);
    }
    return kept;
  }

  /** Staged files that no run will ever need again. */
  leftovers(): string[] {
    return Object.keys(this.disk.user.tree('.filecloudsync/tmp'));
  }
}
