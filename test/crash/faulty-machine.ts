import type { Runtime } from '../../src/core/runtime.js';
import { createPathFilter } from '../../src/replica/local/filter.js';
import { createLocalReplica } from '../../src/replica/local/local-replica.js';
import { createS3Replica } from '../../src/replica/s3/index.js';
import type { S3Transport } from '../../src/replica/s3/transport.js';
import { withDefaults } from '../../src/s3/default-options.js';
import { Session } from '../../src/session/session.js';
import type { CycleResult } from '../../src/session/result.js';
import { openStateStore } from '../../src/store/open-state-store.js';
import type { StateStore } from '../../src/store/state-store.js';
import { SimulatedDatabaseHome } from '../../src/testing/database/simulated-database.js';
import type { CrashKeep, DiskTraits } from '../../src/testing/fs/simulated-disk.js';
import { SimulatedFileSystem } from '../../src/testing/fs/simulated-file-system.js';
import { DIALECTS } from '../../src/testing/s3/dialects.js';
import { SimulatedS3 } from '../../src/testing/s3/simulated-s3.js';
import { SeededRandom } from '../../src/testing/simulation/seeded-random.js';
import { plainPath } from './failpoints.js';
import { putInParts } from './put-in-parts.js';
import { OLD_MS, type Scenario, type ScenarioWorld } from './scenarios.js';
import { short, type Picture } from './world.js';

const BUCKET = 'bucket';
const SMALL_PARTS = { ...DIALECTS.aws, leastPartBytes: 1 };
const MIB = 1024 * 1024;

/**
 * Of large contents every so many-th character is taken, and parts are as much smaller: runs take as many steps, and a tenth of
 * the time. No divisor of the length of what the contents repeat, so that two of them stay two.
 */
const SCALE = 63;
/** As the default of a folder on a real disk. */
const STAGE_RANGE_BYTES = Math.floor((8 * MIB) / SCALE);

/** The content as a machine in memory has it. */
export function scaled(content: string): string {
  if (content.length < MIB) return content;
  return Array.from({ length: Math.floor(content.length / SCALE) }, (_, i) => content[i * SCALE]).join('');
}

/** A loss of power that is about to come. */
interface Crashing {
  readonly at: number;
  readonly keep: CrashKeep;
  /** Batches of the database that had reached its disk, at the most. */
  readonly keptBatches: number;
  readonly onCrash: () => void;
  steps: number;
}

/** A machine in memory whose disk fails, or whose power fails, when it is told to. */
export class FaultyMachine implements ScenarioWorld {
  readonly disk: SimulatedFileSystem;
  readonly #scenario: Scenario;
  readonly #service: SimulatedS3;
  readonly #home: SimulatedDatabaseHome;
  readonly #runtime: Runtime;
  #runs = 0;
  #crashing: Crashing | undefined;

  constructor(scenario: Scenario, traits: DiskTraits = {}) {
    this.#scenario = scenario;
    let nowMs = Date.UTC(2026, 0, 1);
    const random = new SeededRandom(1);
    this.#runtime = {
      clock: {
        nowMs: () => (nowMs += 0.25),
        sleep: async (durationMs) => void (nowMs += durationMs),
      },
      random,
    };
    this.disk = new SimulatedFileSystem({ ...traits, clock: this.#runtime.clock, step: () => this.#pass() });
    this.#home = new SimulatedDatabaseHome({ step: () => this.#pass() });
    this.#service = new SimulatedS3({ runtime: this.#runtime, dialect: SMALL_PARTS });
    this.#service.createBucket(BUCKET);
  }

  /** A machine on which the scenario is about to begin. */
  static async set(scenario: Scenario, traits?: DiskTraits): Promise<FaultyMachine> {
    const machine = new FaultyMachine(scenario, traits);
    if (scenario.agreed !== undefined) {
      await scenario.agreed(machine);
      await machine.sync();
    }
    await scenario.change?.(machine);
    return machine;
  }

  write(path: string, content: string, modifiedMs = OLD_MS): void {
    this.disk.user.writeFile(path, scaled(content), { modifiedMs });
  }

  remove(path: string): void {
    this.disk.user.remove(path);
  }

  rename(path: string, to: string): void {
    this.disk.user.rename(path, to);
  }

  makeDirectory(path: string): void {
    this.disk.user.makeDirectory(path);
  }

  readonly bucket = {
    put: async (key: string, content: string, modifiedMs?: number): Promise<void> => {
      const headers: Record<string, string> = {};
      if (modifiedMs !== undefined) headers['x-amz-meta-mtime'] = String(modifiedMs / 1000);
      await this.#service.put(BUCKET, key, scaled(content), headers);
    },
    putInParts: (key: string, content: string, partBytes: number): Promise<void> =>
      putInParts(this.#service.transport(), BUCKET, key, content, { partBytes, modifiedMs: OLD_MS }),
    remove: (key: string): Promise<void> => this.#service.remove(BUCKET, key),
    rename: async (key: string, to: string): Promise<void> => {
      const object = await this.#service.peek(BUCKET, key);
      if (object === undefined) throw new Error(`there is no object ${key}`);
      await this.#service.put(BUCKET, to, object.bytes, object.headers);
      await this.#service.remove(BUCKET, key);
    },
  };

  /**
   * Syncs until the power fails at one of the steps: operations of the disk and the database, requests and their answers.
   * Nothing that ran then does anything afterwards. Answers whether it came to that, and how many steps were taken.
   */
  async syncUntilPowerFails(
    at: number,
    keep: CrashKeep,
    keptBatches: number,
  ): Promise<{ readonly failed: boolean; readonly steps: number }> {
    let onCrash = (): void => undefined;
    const crashed = new Promise<void>((resolve) => (onCrash = resolve));
    const crashing: Crashing = { at, keep, keptBatches, onCrash, steps: 0 };
    this.#crashing = crashing;
    await Promise.race([this.sync(), crashed]);
    // What was still under way runs into a step, at which it stays for ever.
    await new Promise((resolve) => setImmediate(resolve));
    this.#crashing = undefined;
    return { failed: crashing.steps >= at, steps: crashing.steps };
  }

  /** Loses power while nothing runs. */
  losePower(keep: CrashKeep, keptBatches: number): void {
    this.disk.crash({ keep });
    this.#home.crash('power', Math.min(keptBatches, this.#home.unsyncedBatches));
  }

  #pass(): void | Promise<void> {
    const crashing = this.#crashing;
    if (crashing === undefined || ++crashing.steps < crashing.at) return undefined;
    if (crashing.steps === crashing.at) {
      this.losePower(crashing.keep, crashing.keptBatches);
      crashing.onCrash();
    }
    return new Promise(() => undefined);
  }

  #transport(): S3Transport {
    const inner = this.#service.transport();
    return {
      send: async (request) => {
        await this.#pass();
        const answer = await inner.send(request);
        await this.#pass();
        return answer;
      },
      close: () => inner.close(),
    };
  }

  /** Opens everything, runs one cycle, closes everything. */
  async sync(): Promise<CycleResult> {
    const options = withDefaults({ partSizeMiB: 5, concurrency: 1, ...this.#scenario.options });
    const openStore = (): Promise<StateStore> => openStateStore(this.#home, { pairId: 'pair' });
    const runtime = this.#runtime;
    const runId = `run${++this.#runs}`;
    let store = await openStore();
    const local = createLocalReplica({
      root: this.disk.root,
      fileSystem: this.disk,
      runtime,
      pathRules: 'linux',
      runId,
      keepsStages: true,
      stageRangeBytes: this.#scenario.pieceBytes ?? STAGE_RANGE_BYTES,
      beforeReplace: async (path) => {
        const row = await store.baseline.get(path);
        if (row !== undefined) await store.baseline.put([{ ...row, replacing: true }], { sync: true });
      },
    });
    const remote = createS3Replica({
      transport: this.#transport(),
      endpoint: 'https://s3.us-east-1.amazonaws.com',
      bucket: BUCKET,
      uploads: store.uploads,
      facts: store.facts,
      runtime,
      pathRules: 'linux',
      partSizeBytes: this.#scenario.pieceBytes ?? Math.floor((options.partSizeMiB * MIB) / SCALE),
      trustWholeReads: true,
    });
    const reopenStore = async (): Promise<StateStore> => {
      await store.close();
      store = await openStore();
      return store;
    };
    const session = new Session(
      { local, remote, store, reopenStore, runtime, nameRules: 'linux' },
      {
        filter: createPathFilter(),
        readonly: options.readonly,
        conflict: options.conflict,
        maxDelete: options.maxDelete,
        concurrency: options.concurrency,
        trashDays: options.trashDays,
        machine: 'machine',
      },
      () => runId,
    );
    try {
      await local.prepare({ readonly: false });
      await remote.prepare({ readonly: options.readonly });
      const ignoreFile = await local.readIgnoreFile();
      return await session.cycle({
        options: { filter: createPathFilter(ignoreFile === undefined ? {} : { ignoreFile }) },
      });
    } finally {
      await session.close();
      await remote.close();
    }
  }

  async picture(): Promise<Picture> {
    const shown = (entries: Iterable<readonly [string, string]>): string[] =>
      Array.from(entries, ([name, content]) => `${plainPath(name)} = ${short(content)}`).toSorted();
    return {
      folder: shown(this.#files().filter(([path]) => !path.startsWith('.filecloudsync/'))),
      bucket: shown(await this.#objects()),
      trash: this.#trashed().map(short).toSorted(),
    };
  }

  async contents(): Promise<Set<string>> {
    const files = this.#files().filter(([path]) => !path.startsWith('.filecloudsync/'));
    return new Set([
      ...files.map(([, content]) => content),
      ...this.#trashed(),
      ...(await this.#objects()).map(([, content]) => content),
    ]);
  }

  leftovers(): string[] {
    const own = this.#files().map(([path]) => path);
    const items = new Map<string, string[]>();
    for (const path of own) {
      const [, id, name] = /^\.filecloudsync\/trash\/([^/]+)\/(.+)$/.exec(path) ?? [];
      if (id !== undefined && name !== undefined) items.set(id, [...(items.get(id) ?? []), name]);
    }
    return [
      ...own.filter((path) => path.startsWith('.filecloudsync/tmp/')),
      ...Array.from(items, ([id, names]) => `${id}: ${names.toSorted().join()}`).filter(
        (text) => !text.endsWith(': content,item.json'),
      ),
      ...this.#service.keys(BUCKET).filter((key) => key.startsWith('.filecloudsync/')),
      ...this.#service.uploadIds(BUCKET),
    ];
  }

  #files(): [string, string][] {
    return Object.entries(this.disk.user.tree()).flatMap(([path, node]): [string, string][] =>
      typeof node === 'string' && !path.endsWith('/') ? [[path, node]] : [],
    );
  }

  #trashed(): string[] {
    return this.#files()
      .filter(([path]) => /^\.filecloudsync\/trash\/[^/]+\/content$/.test(path))
      .map(([, content]) => content);
  }

  async #objects(): Promise<[string, string][]> {
    const objects: [string, string][] = [];
    for (const key of this.#service.keys(BUCKET)) {
      const object = await this.#service.peek(BUCKET, key);
      if (object !== undefined) objects.push([key, Buffer.from(object.bytes).toString()]);
    }
    return objects;
  }
}
