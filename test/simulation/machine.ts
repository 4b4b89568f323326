import type { PathFilter } from '../../src/replica/replica.js';
import type { LocalReplica } from '../../src/replica/local/local-replica.js';
import { createLocalReplica } from '../../src/replica/local/local-replica.js';
import { createS3Replica, type S3ReplicaOptions } from '../../src/replica/s3/index.js';
import type { Replica } from '../../src/replica/replica.js';
import type { FactMemory, UploadMemory } from '../../src/replica/s3/upload-memory.js';
import type { S3Request, S3Transport } from '../../src/replica/s3/transport.js';
import { Session, type SessionCall } from '../../src/session/session.js';
import type { SessionOptions } from '../../src/session/options.js';
import type { CycleResult } from '../../src/session/result.js';
import { openStateStore } from '../../src/store/open-state-store.js';
import type { StateStore } from '../../src/store/state-store.js';
import type { Runtime } from '../../src/core/runtime.js';
import { SimulatedDatabaseHome } from '../../src/testing/database/simulated-database.js';
import { SimulatedFileSystem } from '../../src/testing/fs/simulated-file-system.js';
import { SimulatedProcess, type Scheduler } from '../../src/testing/simulation/scheduler.js';
import type { SeededRandom } from '../../src/testing/simulation/seeded-random.js';
import { turnedTransport } from './network.js';
import type { Crash, DiskFault, MachinePlan } from './scenario.js';

/** How often others get a turn before an operation: each operation is one at which a crash may come, not each one a step. */
const TURN_BEFORE_CHANGE = 0.5;
const TURN_BEFORE_LOOK = 0.12;
const LOOKS =
  /^(?:openRoot|statRoot|openDirectory|openFile|reopenFile|stat|lstat|list|read|database\.(?:get|page|open|read-mark|close)) ?/;

/** What all machines share. */
export interface MachineWorld {
  readonly scheduler: Scheduler;
  readonly random: SeededRandom;
  /** The network of this machine; outlives its processes. */
  readonly transport: S3Transport;
  /** What is known of the store beforehand. */
  readonly knownFacts: ReadonlyMap<string, unknown>;
  readonly remote: Pick<S3ReplicaOptions, 'bucket' | 'endpoint' | 'probe' | 'partSizeBytes'>;
  readonly onViolation: (text: string) => void;
  /** Told of each request just before it is sent. */
  readonly onRequest: (request: S3Request) => void;
}

/** What a cycle is asked to look at, when it is not everything. */
export type Look = Pick<SessionCall, 'touched' | 'poll'>;

interface Opened {
  readonly local: LocalReplica;
  readonly remote: Replica;
  readonly session: Session;
}

/** One simulated computer: a disk and a state directory that survive its processes. */
export class Machine {
  readonly name: string;
  readonly plan: MachinePlan;
  readonly disk: SimulatedFileSystem;
  /** Whether the folder is where it belongs. */
  mounted = true;
  /** Whether it ever was not: what was synchronised meanwhile belongs to another folder. */
  wasUnmounted = false;
  /** Paths below this one take no part. */
  excluded: string | null = null;
  /** What the last cycle answered. */
  last: CycleResult | undefined;
  crashes = 0;
  /** What people did here since the last cycle that looked at everything. */
  readonly heard = new Set<string>();
  /** Cycles that looked at some paths only, and were enough. */
  touchedCycles = 0;
  /** Cycles that looked at the bucket only, and were enough. */
  polls = 0;
  /** Polls that found by the mark of the last one that nothing was to be done. */
  knownPolls = 0;
  /** Paths whose file a run said to have replaced or removed here, as `run path`: each has to be in the trash. */
  readonly takenAway = new Set<string>();
  /** Paths at which a run is about to take away what was deleted in the bucket. */
  readonly beingDeleted = new Set<string>();
  readonly #world: MachineWorld;
  readonly #home: SimulatedDatabaseHome;
  readonly #crashes: Crash[];
  #diskFaults: readonly DiskFault[];
  #process: SimulatedProcess;
  #operations = 0;
  #crashSoon: number | undefined;
  #skewMs: number;
  #runs = 0;
  #deletedBefore = 0;
  #opened: Opened | undefined;
  #stop: { readonly soft: AbortController; readonly hard: AbortController } | undefined;
  #whenCrashed: () => void = () => undefined;
  #backup: ReadonlyMap<string, string> | undefined;
  #filter: { readonly excluded: string | null; readonly filter: PathFilter } = {
    excluded: null,
    filter: filterOf(null),
  };

  constructor(
    name: string,
    plan: MachinePlan,
    world: MachineWorld,
    crashes: readonly Crash[],
    diskFaults: readonly DiskFault[],
  ) {
    this.name = name;
    this.plan = plan;
    this.#world = world;
    this.#crashes = crashes.toSorted((a, b) => a.operation - b.operation);
    this.#diskFaults = diskFaults;
    this.#skewMs = plan.skewMs;
    this.#process = new SimulatedProcess(name);
    const { granularityMs, noHardLinks, makesMany } = plan;
    this.disk = new SimulatedFileSystem({
      clock: { nowMs: () => world.scheduler.nowMs + this.#skewMs },
      step: (operation) => this.#pass(operation),
      ...(granularityMs === 0 ? {} : { timeGranularityMs: granularityMs }),
      noHardLinks,
      makesMany,
    });
    this.disk.fault = () =>
      this.#diskFaults.find(
        ({ operation, count }) => this.#operations >= operation && this.#operations < operation + count,
      )?.errno;
    this.#home = new SimulatedDatabaseHome({ step: (operation) => this.#pass(operation) });
  }

  get nowMs(): number {
    return this.#world.scheduler.nowMs + this.#skewMs;
  }

  /** Sets the clock forward or back. */
  shiftClock(byMs: number): void {
    this.#skewMs += byMs;
  }

  /** From now on nothing goes wrong on this machine by itself; what runs there begins anew. */
  async calm(): Promise<void> {
    this.#crashes.length = 0;
    this.#diskFaults = [];
    if (this.#opened !== undefined) await this.#close(this.#opened);
  }

  /** Drops what is remembered about the pair. */
  forget(): void {
    this.#home.tamper((rows) => {
      rows.clear();
      return undefined;
    });
  }

  /** Ends what runs, as Ctrl-C does once or twice. */
  stop(how: 'soft' | 'hard'): void {
    this.#stop?.[how].abort();
  }

  /** One cycle, in a new process or in that of a monitor; `crashed` when it ended with the process. Throws what the cycle threw. */
  async sync(overrides: Partial<SessionOptions> = {}, look: Look = {}): Promise<CycleResult | 'crashed'> {
    const crashed = new Promise<'crashed'>((resolve) => {
      this.#whenCrashed = () => resolve('crashed');
    });
    const result = await Promise.race([this.#cycle(overrides, look), crashed]);
    if (result === 'crashed') return result;
    if (result.poll === true) this.polls++;
    else if (result.touchedPaths !== undefined) this.touchedCycles++;
    else {
      this.last = result;
      this.#deletedBefore = 0;
    }
    for (const { path, operation, origin, to } of result.changes) {
      // What was renamed in the bucket is renamed here, and stays current.
      if (origin === 'remote' && operation !== 'added' && to === undefined)
        this.takenAway.add(`${result.runId} ${path}`);
    }
    return result;
  }

  async #cycle(overrides: Partial<SessionOptions>, look: Look): Promise<CycleResult> {
    const soft = new AbortController();
    const hard = new AbortController();
    this.#stop = { soft, hard };
    const opened = this.#opened ?? (await this.#open());
    let failed = true;
    let hasScanned = false;
    if (this.#filter.excluded !== this.excluded)
      this.#filter = { excluded: this.excluded, filter: filterOf(this.excluded) };
    try {
      const result = await opened.session.cycle({
        options: { filter: this.#filter.filter, ...overrides },
        signal: hard.signal,
        softSignal: soft.signal,
        deletedBefore: this.#deletedBefore,
        onEvent: (event) => {
          if (event.type === 'scan') hasScanned = true;
          if (event.type === 'start' && event.action === 'delete-local') this.beingDeleted.add(event.path);
          if (event.type === 'done') this.beingDeleted.delete(event.path);
          const change = event.type === 'done' ? event.change : undefined;
          if (change?.operation === 'deleted' && change.origin === 'local' && change.to === undefined)
            this.#deletedBefore++;
        },
        ...look,
      });
      failed = false;
      if (result.poll === true && !hasScanned) this.knownPolls++;
      return result;
    } finally {
      this.#stop = undefined;
      this.beingDeleted.clear();
      if (failed || !this.plan.watch) await this.#close(opened);
    }
  }

  async #open(): Promise<Opened> {
    const { plan, name } = this;
    const process = this.#process;
    const { random, scheduler, remote: place } = this.#world;
    const runtime: Runtime = { clock: scheduler.clock(process, () => this.#skewMs), random };
    const runId = `${name}r${++this.#runs}`;
    const openStore = (): Promise<StateStore> => openStateStore(this.#home, { pairId: name });
    let store = await openStore();
    // The store may be opened anew when its state was damaged: always the one of this moment is meant.
    const uploads: UploadMemory = {
      get: (path) => store.uploads.get(path),
      put: (record) => store.uploads.put(record),
      delete: (path, id) => store.uploads.delete(path, id),
      list: () => store.uploads.list(),
    };
    const facts: FactMemory = {
      get: async <T>(fact: string) =>
        (this.#world.knownFacts.get(fact) as T | undefined) ?? (await store.facts.get<T>(fact)),
      put: (fact, value) => store.facts.put(fact, value),
    };
    const local = createLocalReplica({
      root: this.disk.root,
      fileSystem: this.disk,
      runtime,
      pathRules: 'linux',
      runId,
      keepsStages: true,
      stageRangeBytes: this.#world.remote.partSizeBytes ?? 8 * 1024 * 1024,
      beforeReplace: async (path) => {
        const row = await store.baseline.get(path);
        if (row !== undefined) await store.baseline.put([{ ...row, replacing: true }], { sync: true });
      },
    });
    const transport = turnedTransport(
      this.#world.transport,
      scheduler,
      process,
      (label) => this.#pass(label, 1),
      (request) => {
        this.#world.onRequest(request);
        if (plan.readonly && request.method !== 'GET' && request.method !== 'HEAD') {
          this.#world.onViolation(`${name} is readonly and sent ${request.method} ${request.key ?? ''}`);
        }
      },
    );
    const remote = createS3Replica({
      ...place,
      prefix: '',
      transport,
      uploads,
      facts,
      runtime,
      pathRules: 'linux',
      backoff: { attempts: 3 },
    });
    const session = new Session(
      {
        local,
        remote,
        store,
        reopenStore: async () => {
          await store.close();
          store = await openStore();
          return store;
        },
        runtime,
        nameRules: 'linux',
      },
      {
        filter: filterOf(null),
        readonly: plan.readonly,
        conflict: plan.conflict,
        maxDelete: 0.5,
        concurrency: plan.concurrency,
        trashDays: Infinity,
        machine: name,
      },
      () => runId,
    );
    const opened = { local, remote, session };
    try {
      await local.prepare({ readonly: false });
      await session.prepare(() => remote.prepare({ readonly: plan.readonly }));
      this.#opened = opened;
      return opened;
    } catch (error) {
      await this.#close(opened);
      throw error;
    }
  }

  async #close({ session, remote, local }: Opened): Promise<void> {
    this.#opened = undefined;
    await session.close();
    await remote.close();
    await local.close();
  }

  /** Every operation of this machine: a place to crash, to fail, and now and then to let others go first. */
  #pass(operation: string, turn = LOOKS.test(operation) ? TURN_BEFORE_LOOK : TURN_BEFORE_CHANGE): void | Promise<void> {
    this.#operations++;
    const process = this.#process;
    if (this.#crashesAt(operation)) return new Promise(() => undefined);
    if (this.#world.random.next() < turn) return this.#world.scheduler.step(process, operation);
    this.#world.scheduler.quiet(process, operation);
    return undefined;
  }

  #crashesAt(operation: string): boolean {
    const crash = this.#crashes[0];
    if (crash === undefined || crash.operation > this.#operations) return false;
    if (crash.after !== undefined) {
      // Names of our own in `tmp` and of the stamp are exchanged all the time, and little depends on them.
      if (operation.startsWith(crash.after.begins) && !operation.includes('/.filecloudsync/tmp'))
        this.#crashSoon ??= this.#operations + crash.after.by;
      if (this.#crashSoon === undefined || this.#crashSoon > this.#operations) return false;
    }
    this.#crashSoon = undefined;
    this.#crashes.shift();
    this.#crash(crash);
    return true;
  }

  #crash({ kind, damage }: Crash): void {
    const { random } = this.#world;
    this.crashes++;
    this.#process.kill();
    this.#process = new SimulatedProcess(this.name);
    this.#opened = undefined;
    this.#stop = undefined;
    this.disk.crash({ keep: kind === 'process' ? 'all' : () => random.next() });
    this.#home.crash(kind, kind === 'power' ? random.below(this.#home.unsyncedBatches + 1) : 0);
    this.#home.tamper((rows, mark) => this.#damage(rows, mark, damage));
    this.#whenCrashed();
  }

  #damage(rows: Map<string, string>, mark: string | undefined, damage: Crash['damage']): string | undefined {
    const { random } = this.#world;
    this.#backup ??= new Map(rows);
    if (damage === 'mark') return 'damaged';
    if (damage === 'gone') rows.clear();
    if (damage === 'old') {
      rows.clear();
      for (const [key, value] of this.#backup) rows.set(key, value);
    }
    if ((damage === 'flip' || damage === 'lose') && rows.size > 0) {
      const key = random.pick([...rows.keys()]);
      const value = rows.get(key) ?? '';
      const at = random.below(value.length);
      if (damage === 'lose') rows.delete(key);
      else rows.set(key, `${value.slice(0, at)}\u0001${value.slice(at + 1)}`);
    }
    return damage === 'gone' ? undefined : mark;
  }

  /** Every file of the folder, by path; the reserved folder left out. */
  files(): Map<string, string> {
    const files = new Map<string, string>();
    for (const [path, node] of Object.entries(this.disk.user.tree())) {
      if (typeof node === 'string' && !path.endsWith('/') && !path.startsWith('.filecloudsync/')) files.set(path, node);
    }
    return files;
  }

  /** What the trash of this machine keeps, as `run path`. */
  trashed(): Set<string> {
    const kept = new Set<string>();
    for (const [path, node] of Object.entries(this.disk.user.tree('.filecloudsync/trash'))) {
      if (typeof node !== 'string' || !path.endsWith('/item.json')) continue;
      const note = JSON.parse(node) as { readonly runId: string; readonly path: string };
      kept.add(`${note.runId} ${note.path}`);
    }
    return kept;
  }

  /** Staged files that no run will ever need again. */
  leftovers(): string[] {
    return Object.keys(this.disk.user.tree('.filecloudsync/tmp'));
  }

  /** Whether a path takes part on this machine. */
  includes(path: string): boolean {
    return filterOf(this.excluded).includesFile(path);
  }
}

function filterOf(excluded: string | null): PathFilter {
  const isOut = (path: string): boolean => excluded !== null && (path === excluded || path.startsWith(`${excluded}/`));
  return { includesFile: (path) => !isOut(path), mayContain: (path) => !isOut(path) };
}
