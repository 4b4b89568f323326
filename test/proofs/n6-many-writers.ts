import type { ConflictPolicyName } from '../../src/core/conflict.js';
import type { Clock, Runtime } from '../../src/core/runtime.js';
import { MemoryReplica } from '../../src/replica/memory/memory-replica.js';
import { createS3Replica } from '../../src/replica/s3/index.js';
import type { S3Transport } from '../../src/replica/s3/transport.js';
import type { SessionOptions } from '../../src/session/options.js';
import { Session } from '../../src/session/session.js';
import { openStateStore } from '../../src/store/open-state-store.js';
import { SimulatedDatabaseHome } from '../../src/testing/database/simulated-database.js';
import type { Dialect } from '../../src/testing/s3/dialects.js';
import { SimulatedS3 } from '../../src/testing/s3/simulated-s3.js';
import { Oracle } from '../../src/testing/simulation/oracle.js';
import { Scheduler, SimulatedProcess } from '../../src/testing/simulation/scheduler.js';
import { SeededRandom } from '../../src/testing/simulation/seeded-random.js';

const BUCKET = 'bucket';
const START_MS = Date.UTC(2026, 0, 1);
/** Larger contents go in parts. */
const PART_BYTES = 64;
const SETTLE_PASSES = 10;
const CROWDED_KEYS = 8;
/** How many of the syncs look at everything. */
const WHOLE_SHARE = 0.004;

/** How many of what. */
export interface WritersScale {
  readonly writers: number;
  readonly keys: number;
  readonly operations: number;
}

/** What a run showed. */
export interface WritersResult {
  readonly seed: number;
  readonly dialect: string;
  /** Edits and deletions by users, each followed by a sync. */
  readonly operations: number;
  readonly requests: number;
  /** Objects that were replaced or deleted by a machine that had never seen them. */
  readonly unseenOverwritten: number;
  /** Those of them that are nowhere at rest. */
  readonly unseenLost: readonly string[];
  /** Versions that nobody who had seen them did away with, and that are nowhere at rest. */
  readonly lost: readonly string[];
  /** Machines and bucket that differ at rest. */
  readonly diverging: readonly string[];
  /** What each machine was told about the store. */
  readonly remarks: readonly (readonly string[])[];
}

/** A folder in memory that knows every content that was ever in it or in its trash. */
class MemoryFolder extends MemoryReplica {
  readonly seen = new Set<string>();

  constructor(clock: Clock) {
    super({ side: 'local', clock });
    const { trash } = this;
    const put = trash.put.bind(trash);
    trash.put = (...args) => {
      this.seen.add(new TextDecoder().decode(args[1]));
      return put(...args);
    };
  }

  override put(path: string, content: string, modifiedMs?: number): void {
    this.seen.add(content);
    super.put(path, content, modifiedMs);
  }

  override async write(...args: Parameters<MemoryReplica['write']>): ReturnType<MemoryReplica['write']> {
    const result = await super.write(...args);
    const content = this.content(args[0]);
    if (content !== undefined) this.seen.add(new TextDecoder().decode(content));
    return result;
  }

  async rootIdentity(): Promise<string> {
    return 'folder';
  }
}

/** One machine: a folder in memory, a session that stays open as in a monitor, and all that it has ever seen. */
class Writer {
  readonly name: string;
  readonly local: MemoryFolder;
  readonly remarks: string[] = [];
  readonly session: Session;
  readonly #prepare: () => Promise<readonly string[]>;

  private constructor(name: string, local: MemoryFolder, session: Session, prepare: () => Promise<readonly string[]>) {
    this.name = name;
    this.local = local;
    this.session = session;
    this.#prepare = prepare;
  }

  static async open(name: string, runtime: Runtime, transport: S3Transport): Promise<Writer> {
    const local = new MemoryFolder(runtime.clock);
    const store = await openStateStore(new SimulatedDatabaseHome(), { pairId: name });
    const remote = createS3Replica({
      transport,
      bucket: BUCKET,
      uploads: store.uploads,
      facts: store.facts,
      runtime,
      endpoint: 'https://store.test',
      pathRules: 'linux',
      partSizeBytes: PART_BYTES,
      trustWholeReads: true,
    });
    let runs = 0;
    const session = new Session(
      {
        local,
        remote,
        store,
        reopenStore: () => Promise.reject(new Error('the memory is damaged')),
        runtime,
        nameRules: 'linux',
      },
      options(name, policyOf(name)),
      () => `${name}r${++runs}`,
    );
    return new Writer(name, local, session, async () => (await remote.prepare({ readonly: false })).remarks);
  }

  async prepare(): Promise<void> {
    this.remarks.push(...(await this.#prepare()));
  }

  text(path: string): string | undefined {
    const content = this.local.content(path);
    return content === undefined ? undefined : new TextDecoder().decode(content);
  }

  async trashed(): Promise<string[]> {
    const contents: string[] = [];
    for (const { id, sizeBytes } of await this.local.trash.list()) {
      const source = await this.local.trash.open(id);
      const chunks: Uint8Array[] = [];
      for await (const chunk of source.read(0, sizeBytes)) chunks.push(Buffer.from(chunk));
      await source.close();
      contents.push(Buffer.concat(chunks).toString());
    }
    return contents;
  }
}

/**
 * Many writers on one bucket, from a seed: each looks at a file, changes or deletes it, and syncs, while all others do the same.
 * Then all sync until nothing changes, and every version has to be somewhere.
 */
export async function runManyWriters(seed: number, dialect: Dialect, scale: WritersScale): Promise<WritersResult> {
  const random = new SeededRandom(seed);
  const scheduler = new Scheduler(random.fork(), START_MS);
  const outside = new SimulatedProcess('world');
  const oracle = new Oracle();
  const writers: Writer[] = [];
  let requests = 0;
  const unseen: { readonly content: string; readonly by: string }[] = [];
  /** Whose request the service carries out. Requests take effect in one turn, so that there is only one. */
  let acting: Writer | undefined;
  const standing = new Map<string, string>();
  const service = new SimulatedS3({ dialect, runtime: { clock: scheduler.clock(outside), random: random.fork() } });
  service.createBucket(BUCKET);
  const paths = Array.from({ length: scale.keys }, (_, i) => `k${String(i).padStart(3, '0')}`);

  const afterRequest = async (key: string): Promise<void> => {
    if (key === '' || key.startsWith('.filecloudsync/')) return;
    const object = await service.peek(BUCKET, key);
    const now = object === undefined ? undefined : new TextDecoder().decode(object.bytes);
    const before = standing.get(key);
    if (before === now) return;
    if (before !== undefined && acting !== undefined && !acting.local.seen.has(before))
      unseen.push({ content: before, by: acting.name });
    if (now === undefined) standing.delete(key);
    else standing.set(key, now);
  };

  for (let i = 0; i < scale.writers; i++) {
    const process = new SimulatedProcess(`w${i}`);
    const inner = service.transport();
    const transport: S3Transport = {
      async send(request) {
        requests++;
        await scheduler.step(process, request.method);
        const before = acting;
        acting = writers[i];
        try {
          const response = await inner.send(request);
          if (request.method !== 'GET' && request.method !== 'HEAD') await afterRequest(request.key ?? '');
          return response;
        } finally {
          acting = before;
          await scheduler.step(process, 'answer');
        }
      },
      close: () => inner.close(),
    };
    writers.push(await Writer.open(`w${i}`, { clock: scheduler.clock(process), random: random.fork() }, transport));
  }

  let operations = 0;
  let stamp = 0;
  const clock = scheduler.clock(outside);
  // Everywhere alike, or some keys are busy, as in life: there everybody meets.
  const crowding = random.pick([0, 0.25, 0.5]);
  const edit = (writer: Writer): string => {
    const path = random.pick(random.chance(crowding) ? paths.slice(0, CROWDED_KEYS) : paths);
    const old = writer.text(path);
    operations++;
    if (old !== undefined) oracle.discarded(old);
    if (old !== undefined && random.chance(0.15)) {
      writer.local.delete(path);
      return path;
    }
    const text = `<${++stamp} ${writer.name}>`;
    const content = random.chance(0.1) ? text.padEnd(2 * PART_BYTES + 7, '.') : text;
    writer.local.put(path, content, scheduler.nowMs);
    oracle.wrote(content, writer.name);
    return path;
  };

  const work = async (writer: Writer): Promise<void> => {
    await writer.prepare();
    while (operations < scale.operations) {
      const edited = Array.from({ length: 1 + random.below(3) }, () => edit(writer));
      // Most look at what they touch, some at everything: then they fetch what all the others have done meanwhile.
      const scope = random.chance(WHOLE_SHARE) ? {} : { files: edited };
      await writer.session.cycle({ options: { ...scope, maxDelete: 1 } });
      await clock.sleep(random.below(400));
    }
  };
  await scheduler.runUntil(Promise.all(writers.map(work)), Infinity);

  const settle = async (): Promise<void> => {
    for (let pass = 0; pass < SETTLE_PASSES; pass++) {
      let changes = 0;
      for (const writer of writers)
        changes += (await writer.session.cycle({ options: { maxDelete: 1 } })).changes.length;
      if (changes === 0) return;
    }
  };
  await scheduler.runUntil(settle(), Infinity);

  const objects = new Map<string, string>();
  for (const key of service.keys(BUCKET)) {
    const object = await service.peek(BUCKET, key);
    if (object !== undefined) objects.set(key, new TextDecoder().decode(object.bytes));
  }
  const found = new Set(objects.values());
  const diverging: string[] = [];
  for (const writer of writers) {
    const all = new Set([...writer.local.paths(), ...objects.keys()]);
    for (const path of all) {
      const text = writer.text(path);
      if (text !== undefined) found.add(text);
      if (text !== objects.get(path)) diverging.push(`${writer.name} at ${path}`);
    }
    for (const text of await writer.trashed()) found.add(text);
  }
  const lost = oracle.lost(found);
  const lostContents = new Set(lost.map(({ content }) => content));
  for (const writer of writers) await writer.session.close();
  return {
    seed,
    dialect: dialect.name,
    operations,
    requests,
    unseenOverwritten: unseen.length,
    unseenLost: unseen
      .filter(({ content }) => lostContents.has(content))
      .map(({ content, by }) => `${content} overwritten by ${by}`),
    lost: lost.map(({ content, origin }) => `${content} of ${origin}`),
    diverging,
    remarks: writers.map(({ remarks }) => remarks),
  };
}

/**
 * In a crowd that writes within one second `newest` keeps both of nearly everything; where others let one side win, the trash
 * has to have the loser.
 */
function policyOf(machine: string): ConflictPolicyName {
  const policies = ['newest', 'bucket', 'local', 'bucket', 'local', 'bucket', 'local'] as const;
  return policies[Number(machine.slice(1)) % policies.length] ?? 'newest';
}

function options(machine: string, conflict: ConflictPolicyName): SessionOptions {
  const filter = { includesFile: (): boolean => true, mayContain: (): boolean => true };
  return { filter, readonly: false, conflict, maxDelete: 1, concurrency: 4, trashDays: Infinity, machine };
}
