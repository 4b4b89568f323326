import type { ConflictPolicyName } from '../../src/core/conflict.js';
import { createS3Replica } from '../../src/replica/s3/index.js';
import type { PathFilter } from '../../src/replica/replica.js';
import type { SessionOptions } from '../../src/session/options.js';
import type { CycleResult } from '../../src/session/result.js';
import { SimulatedS3 } from '../../src/testing/s3/simulated-s3.js';
import { Oracle } from '../../src/testing/simulation/oracle.js';
import { Scheduler, SimulatedProcess } from '../../src/testing/simulation/scheduler.js';
import { SeededRandom } from '../../src/testing/simulation/seeded-random.js';
import { CALM, flakyTransport, type NetworkFaults } from './flaky-transport.js';
import { Machine } from './machine.js';
import { actInBucket, actInFolder, ContentMaker } from './users.js';

const BUCKET = 'bucket';
const START_MS = Date.UTC(2026, 0, 1);
const DAY_MS = 86_400_000;
/** How often all machines may sync in turn until nothing changes any more. */
const SETTLE_PASSES = 12;

/** What went wrong in a run, in words; empty when nothing did. */
export interface SimulationResult {
  readonly seed: number;
  readonly violations: readonly string[];
  readonly traceHash: number;
  readonly steps: number;
  readonly crashes: number;
  readonly cycles: number;
  readonly versions: number;
  readonly recent: readonly string[];
}

/** A whole run from a seed: machines that sync, users who write meanwhile, a bad network, crashes; then peace, and the oracle. */
export async function simulate(seed: number): Promise<SimulationResult> {
  const random = new SeededRandom(seed);
  const scheduler = new Scheduler(random.fork(), START_MS);
  const outside = new SimulatedProcess('world');
  const oracle = new Oracle();
  const contents = new ContentMaker(random.fork());
  const service = new SimulatedS3({ runtime: { clock: scheduler.clock(outside), random: random.fork() } });
  service.createBucket(BUCKET);
  let faults: NetworkFaults = { lostRequest: 0.02, lostAnswer: 0.02, slowDown: 0.02 };
  const policy = random.pick<ConflictPolicyName>(['newest', 'newest', 'keep-both', 'local', 'bucket']);
  const machines = Array.from({ length: 2 + random.below(2) }, (_, i) => {
    const skewMs = random.chance(0.2) ? (random.next() - 0.5) * 20 * DAY_MS : 0;
    const network = random.fork();
    return new Machine(
      `m${i + 1}`,
      {
        scheduler,
        random: random.fork(),
        makeRemote: ({ process, runtime, store }) =>
          createS3Replica({
            transport: flakyTransport(service.transport(), { scheduler, process, random: network }, () => faults),
            bucket: BUCKET,
            prefix: '',
            uploads: store.uploads,
            facts: store.facts,
            runtime,
            endpoint: 'https://s3.us-east-1.amazonaws.com',
            pathRules: 'linux',
          }),
      },
      sessionOptions(`m${i + 1}`, policy),
      skewMs,
    );
  });

  const violations: string[] = [];
  let crashes = 0;
  let cycles = 0;
  let busy = true;
  const clock = scheduler.clock(outside);

  const syncing = machines.map(async (machine) => {
    while (busy) {
      const crashed = new Promise<'crashed'>((resolve) => crashHooks.set(machine, () => resolve('crashed')));
      const outcome = await Promise.race([runOnce(machine, violations), crashed]);
      if (outcome !== 'crashed') cycles++;
      await clock.sleep(random.below(200));
    }
  });
  const acting = (async () => {
    const acts = 5 + random.below(40);
    for (let i = 0; i < acts; i++) {
      await clock.sleep(random.below(300));
      if (random.chance(0.15)) await actInBucket(service, BUCKET, oracle, contents, random);
      else actInFolder(random.pick(machines), oracle, contents, random, scheduler.nowMs);
      if (crashes === 0 || random.chance(0.08)) {
        const victim = random.pick(machines);
        crashes++;
        victim.crash(random.chance(0.5) ? 'process' : 'power');
        crashHooks.get(victim)?.();
      }
    }
    busy = false;
  })();
  await scheduler.runUntil(Promise.all([acting, ...syncing]));

  faults = CALM;
  const settled = settle(machines, clock);
  const quiet = await scheduler.runUntil(settled);
  if (!quiet) violations.push(`still changing after ${SETTLE_PASSES} passes`);
  violations.push(...(await judge(machines, service, oracle)));
  return { seed, violations, traceHash: scheduler.traceHash, steps: scheduler.steps, crashes, cycles, versions: oracle.size, recent: scheduler.recent };
}

const crashHooks = new WeakMap<Machine, () => void>();

async function runOnce(machine: Machine, violations: string[]): Promise<CycleResult | undefined> {
  try {
    return await machine.sync();
  } catch (error) {
    // A cycle may fail as a whole while the world is at war; what it must not do is fail in a way that nobody foresaw.
    if (!isForeseen(error)) violations.push(`${machine.name}: ${describe(error)}`);
    return undefined;
  }
}

function isForeseen(error: unknown): boolean {
  if (!(error instanceof Error) || !('code' in error)) return false;
  return ['ERR_SIDE_EMPTY', 'ERR_S3_UNREACHABLE', 'ERR_LOCKED'].includes(String(error.code)) || ('retryable' in error && error.retryable === true);
}

/** All machines sync in turn, until a whole pass changes nothing. A folder that was emptied on purpose is let through. */
async function settle(machines: readonly Machine[], clock: { sleep(ms: number): Promise<void> }): Promise<boolean> {
  for (let pass = 0; pass < SETTLE_PASSES; pass++) {
    let changes = 0;
    for (const machine of machines) {
      await clock.sleep(5000);
      const result = await machine.sync({ maxDelete: 1 });
      changes += result.changes.length;
    }
    if (changes === 0) return true;
  }
  return false;
}

async function judge(machines: readonly Machine[], service: SimulatedS3, oracle: Oracle): Promise<string[]> {
  const violations: string[] = [];
  const bucket = new Map<string, string>();
  for (const key of service.keys(BUCKET)) {
    const object = await service.peek(BUCKET, key);
    if (object !== undefined) bucket.set(key, new TextDecoder().decode(object.bytes));
  }
  const found = new Set(bucket.values());
  const held = new Set<string>();
  for (const key of bucket.keys()) for (const other of bucket.keys()) if (other.startsWith(`${key}/`)) held.add(key).add(other);
  for (const machine of machines) {
    const files = machine.files();
    for (const content of files.values()) found.add(content);
    for (const content of machine.trashed()) found.add(content);
    for (const path of new Set([...bucket.keys(), ...files.keys()])) {
      // A key and one below it cannot both be on a disk: they are held, and reported.
      if (held.has(path) || isBelow(path, held)) continue;
      if (bucket.get(path) !== files.get(path)) {
        violations.push(`${machine.name} diverges at ${path}: folder ${files.get(path) ?? 'nothing'}, bucket ${bucket.get(path) ?? 'nothing'}`);
      }
    }
    const leftovers = machine.leftovers();
    if (leftovers.length > 0) violations.push(`${machine.name} left ${leftovers.join(', ')}`);
    for (const content of oracle.invented(files.values())) violations.push(`${machine.name} has what nobody wrote: ${content}`);
  }
  for (const content of oracle.invented(bucket.values())) violations.push(`the bucket has what nobody wrote: ${content}`);
  for (const key of bucket.keys()) if (key.startsWith('.filecloudsync/')) violations.push(`left in the bucket: ${key}`);
  const uploads = service.uploadIds(BUCKET);
  if (uploads.length > 0) violations.push(`${uploads.length} unfinished uploads were left`);
  for (const { content, origin } of oracle.lost(found)) violations.push(`lost: ${content}, written by ${origin}`);
  return violations;
}

function isBelow(path: string, above: ReadonlySet<string>): boolean {
  for (const each of above) if (path.startsWith(`${each}/`)) return true;
  return false;
}

function sessionOptions(machine: string, conflict: ConflictPolicyName): SessionOptions {
  const filter: PathFilter = { includesFile: () => true, mayContain: () => true };
  return { filter, readonly: false, conflict, maxDelete: 0.5, concurrency: 4, trashDays: 30, machine };
}

function describe(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
