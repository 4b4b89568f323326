import type { Clock, Runtime } from '../../src/core/runtime.js';
import { createLocalReplica } from '../../src/replica/local/local-replica.js';
import { createS3Replica } from '../../src/replica/s3/index.js';
import type { S3Transport } from '../../src/replica/s3/transport.js';
import type { SessionEvent } from '../../src/session/event.js';
import type { SessionOptions } from '../../src/session/options.js';
import type { CycleResult, Plan } from '../../src/session/result.js';
import { Session } from '../../src/session/session.js';
import { openStateStore } from '../../src/store/open-state-store.js';
import type { StateStore } from '../../src/store/state-store.js';
import { SimulatedDatabaseHome } from '../../src/testing/database/simulated-database.js';
import { SimulatedFileSystem, type SimulatedFileSystemOptions } from '../../src/testing/fs/simulated-file-system.js';
import { SimulatedS3, type SimulatedS3Options } from '../../src/testing/s3/simulated-s3.js';
import { SeededRandom } from '../../src/testing/simulation/seeded-random.js';

/** The bucket of all machines. */
export const BUCKET = 'bucket';
const START_MS = Date.UTC(2026, 0, 1);

/** Time that goes on by itself, a little with each look, and at once when somebody sleeps. */
export class ProofClock implements Clock {
  #nowMs = START_MS;

  nowMs(): number {
    return (this.#nowMs += 0.25);
  }

  async sleep(durationMs: number): Promise<void> {
    this.#nowMs += durationMs;
  }

  pass(durationMs: number): void {
    this.#nowMs += durationMs;
  }
}

/** A service in memory with one bucket. */
export class ProofService {
  readonly clock = new ProofClock();
  readonly random: SeededRandom;
  readonly s3: SimulatedS3;

  constructor(options: Pick<SimulatedS3Options, 'dialect' | 'onChange'> & { readonly seed?: number } = {}) {
    const { seed = 1, ...rest } = options;
    this.random = new SeededRandom(seed);
    this.s3 = new SimulatedS3({ ...rest, runtime: { clock: this.clock, random: this.random.fork() } });
    this.s3.createBucket(BUCKET);
  }

  put(key: string, content: string): Promise<string> {
    return this.s3.put(BUCKET, key, content);
  }

  remove(key: string): Promise<void> {
    return this.s3.remove(BUCKET, key);
  }

  /** Every object by key. */
  async objects(): Promise<Map<string, string>> {
    const objects = new Map<string, string>();
    for (const key of this.s3.keys(BUCKET)) {
      const object = await this.s3.peek(BUCKET, key);
      if (object !== undefined) objects.set(key, new TextDecoder().decode(object.bytes));
    }
    return objects;
  }
}

/** What a database held at some moment. */
export interface DatabaseBackup {
  readonly rows: ReadonlyMap<string, string>;
  readonly mark: string | undefined;
}

/** One computer with a simulated disk and a simulated database; each `sync` is a process of its own. */
export class ProofMachine {
  readonly disk: SimulatedFileSystem;
  readonly home = new SimulatedDatabaseHome();
  readonly events: SessionEvent[] = [];
  /** Stands between this machine and the service. */
  between: (inner: S3Transport) => S3Transport = (inner) => inner;
  /** How far its clock is from the true time. */
  skewMs = 0;
  readonly #service: ProofService;
  readonly #options: Partial<SessionOptions>;
  readonly #runtime: Runtime;
  readonly #name: string;
  #runs = 0;

  constructor(
    name: string,
    service: ProofService,
    options: Partial<SessionOptions> = {},
    disk: Omit<SimulatedFileSystemOptions, 'clock' | 'step'> = {},
  ) {
    this.#name = name;
    this.#service = service;
    this.#options = options;
    const clock: Clock = {
      nowMs: () => service.clock.nowMs() + this.skewMs,
      sleep: (durationMs) => service.clock.sleep(durationMs),
    };
    this.#runtime = { clock, random: service.random.fork() };
    this.disk = new SimulatedFileSystem({ ...disk, clock });
  }

  /** One cycle. */
  sync(overrides: Partial<SessionOptions> = {}, signal?: AbortSignal): Promise<CycleResult> {
    return this.#with(false, (session) =>
      session.cycle({ options: overrides, onEvent: (event) => this.events.push(event), ...(signal && { signal }) }),
    );
  }

  /** What a cycle would do. */
  plan(overrides: Partial<SessionOptions> = {}): Promise<Plan> {
    return this.#with(true, (session) =>
      session.plan({ options: overrides, onEvent: (event) => this.events.push(event) }),
    );
  }

  backupDatabase(): DatabaseBackup {
    let backup: DatabaseBackup = { rows: new Map(), mark: undefined };
    this.home.tamper((rows, mark) => {
      backup = { rows: new Map(rows), mark };
      return mark;
    });
    return backup;
  }

  restoreDatabase(backup: DatabaseBackup): void {
    this.home.tamper((rows) => {
      rows.clear();
      for (const [key, value] of backup.rows) rows.set(key, value);
      return backup.mark;
    });
  }

  /** Every file of the folder by path; the reserved folder left out. */
  files(): Map<string, string> {
    const files = new Map<string, string>();
    for (const [path, node] of Object.entries(this.disk.user.tree())) {
      if (typeof node === 'string' && !path.endsWith('/') && !path.startsWith('.filecloudsync/')) files.set(path, node);
    }
    return files;
  }

  /** Every content in the trash. */
  trashed(): string[] {
    return Object.entries(this.disk.user.tree('.filecloudsync/trash')).flatMap(([path, node]) =>
      typeof node === 'string' && path.endsWith('/content') ? [node] : [],
    );
  }

  /** What was told in words since the machine was made: remarks, problems. */
  words(): string[] {
    return this.events.flatMap((event) => {
      if (event.type === 'remark') return [event.message];
      return event.type === 'problem' ? [event.problem.message] : [];
    });
  }

  async #with<T>(reads: boolean, work: (session: Session) => Promise<T>): Promise<T> {
    const openStore = (): Promise<StateStore> => openStateStore(this.home, { pairId: 'pair' });
    let store = await openStore();
    const runId = `${this.#name}r${++this.#runs}`;
    const reopenStore = async (): Promise<StateStore> => {
      await store.close();
      store = await openStore();
      return store;
    };
    const local = createLocalReplica({
      root: this.disk.root,
      fileSystem: this.disk,
      runtime: this.#runtime,
      pathRules: 'linux',
      runId,
      beforeReplace: async (path) => {
        const row = await session.store.baseline.get(path);
        if (row !== undefined) await session.store.baseline.put([{ ...row, replacing: true }], { sync: true });
      },
    });
    const remote = createS3Replica({
      transport: this.between(this.#service.s3.transport()),
      bucket: BUCKET,
      uploads: {
        get: (path) => session.store.uploads.get(path),
        put: (record) => session.store.uploads.put(record),
        delete: (path, uploadId) => session.store.uploads.delete(path, uploadId),
        list: () => session.store.uploads.list(),
      },
      facts: {
        get: (name) => session.store.facts.get(name),
        put: (name, value) => session.store.facts.put(name, value),
      },
      runtime: this.#runtime,
      endpoint: this.#service.s3.dialect.name === 'aws' ? 'https://s3.us-east-1.amazonaws.com' : 'https://store.test',
      pathRules: 'linux',
    });
    const session = new Session(
      { local, remote, store, reopenStore, runtime: this.#runtime, nameRules: 'linux' },
      {
        filter: { includesFile: () => true, mayContain: () => true },
        readonly: false,
        conflict: 'newest',
        maxDelete: 0.5,
        concurrency: 4,
        trashDays: 30,
        machine: this.#name,
        ...this.#options,
      },
      () => runId,
    );
    try {
      const told = [await local.prepare({ readonly: reads }), await remote.prepare({ readonly: reads })];
      for (const { remarks } of told) for (const message of remarks) this.events.push({ type: 'remark', message });
      return await work(session);
    } finally {
      await session.close();
      await remote.close();
      await local.close();
    }
  }
}
