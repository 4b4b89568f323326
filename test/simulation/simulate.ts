import { FileCloudSyncError, HaltError, isAbort } from '../../src/errors.js';
import type { S3Request } from '../../src/replica/s3/transport.js';
import type { CycleResult } from '../../src/session/result.js';
import { DIALECTS } from '../../src/testing/s3/dialects.js';
import { SimulatedS3 } from '../../src/testing/s3/simulated-s3.js';
import { Oracle } from '../../src/testing/simulation/oracle.js';
import { Scheduler, SimulatedProcess } from '../../src/testing/simulation/scheduler.js';
import { SeededRandom } from '../../src/testing/simulation/seeded-random.js';
import { DIRECTORIES, PATHS } from './generate-scenario.js';
import { knownFacts, STORE_ENDPOINT } from './known-facts.js';
import { contentsOf, divergencesOf, judge } from './judge.js';
import { Machine, type Look } from './machine.js';
import { mount, OUTSIDE, perform, type Stage } from './perform.js';
import type { Scenario } from './scenario.js';

const BUCKET = 'bucket';
const AMAZON = 'https://s3.us-east-1.amazonaws.com';
const START_MS = Date.UTC(2026, 0, 1);
/** How often all machines may sync in turn until nothing changes any more. */
const SETTLE_ROUNDS = 8;

/** What a run was like. */
export interface SimulationResult {
  /** What went wrong, in words; empty when nothing did. */
  readonly violations: readonly string[];
  readonly traceHash: number;
  readonly steps: number;
  readonly crashes: number;
  readonly cycles: number;
  /** Those that looked only at what was heard of. */
  readonly touchedCycles: number;
  /** Those that looked only at the bucket. */
  readonly polls: number;
  /** Those of them that compared nothing, because nothing was other than at the last one. */
  readonly knownPolls: number;
  readonly requests: number;
  readonly versions: number;
  /** The last steps. */
  readonly recent: readonly string[];
}

/** Runs a scenario: machines that sync, people who work meanwhile, failures; then peace, and the oracle. */
export async function simulate(scenario: Scenario): Promise<SimulationResult> {
  const random = new SeededRandom(scenario.seed);
  const hearing = new SeededRandom(scenario.seed + 2_000_003);
  const polling = new SeededRandom(scenario.seed + 4_000_037);
  const scheduler = new Scheduler(random.fork(), START_MS);
  const outside = new SimulatedProcess('world');
  const clock = scheduler.clock(outside);
  const oracle = new Oracle();
  const violations: string[] = [];
  const plain = DIALECTS[scenario.dialect];
  const dialect = { ...plain, leastPartBytes: 1, listing: { ...plain.listing, pageSize: scenario.pageKeys } };
  const service = new SimulatedS3({ runtime: { clock, random: random.fork() }, dialect });
  service.createBucket(BUCKET);
  const facts =
    scenario.probe === 'before' && scenario.dialect !== 'aws' ? await knownFacts(scenario.dialect, BUCKET) : new Map();
  const machines = scenario.machines.map((plan, index) => {
    const isHere = ({ at }: { readonly at: number }): boolean => at === index;
    const faults = scenario.networkFaults.filter(isHere).map(({ rule }) => rule);
    const network = { calm: false };
    const faulty = service.transport({ faults: { rules: faults } });
    const sound = service.transport();
    const transport = {
      send: (request: Parameters<typeof sound.send>[0]) => (network.calm ? sound : faulty).send(request),
      close: () => sound.close(),
    };
    const endpoint = scenario.dialect === 'aws' ? AMAZON : STORE_ENDPOINT;
    const remote = {
      bucket: BUCKET,
      endpoint,
      probe: scenario.probe !== 'never',
      partSizeBytes: scenario.partSizeBytes,
    };
    const world = {
      scheduler,
      random: random.fork(),
      transport,
      knownFacts: facts,
      remote,
      onViolation: (text: string) => violations.push(text),
      onRequest: (request: S3Request) => {
        const { method, key, query } = request;
        if (
          method === 'DELETE' &&
          key !== undefined &&
          query['uploadId'] === undefined &&
          oracle.standing().includes(key)
        ) {
          violations.push(`deleted in the bucket, though nobody removed it: ${key}`);
        }
      },
    };
    const machine = new Machine(
      `m${index + 1}`,
      plan,
      world,
      scenario.crashes.filter(isHere),
      scenario.diskFaults.filter(isHere),
    );
    machine.disk.user.writeFile(`${OUTSIDE}/secret`, 'a secret');
    return { machine, network };
  });
  const stage: Stage = { machines: machines.map(({ machine }) => machine), service, bucket: BUCKET, oracle };
  let cycles = 0;
  let busy = true;

  const syncing = stage.machines.map(async (machine) => {
    while (busy) {
      const look = hearing.chance(machine.plan.touched)
        ? { touched: whatWasHeard(machine, hearing) }
        : { poll: polling.chance(machine.plan.polls) };
      if ((await syncInTrouble(machine, look, violations)) !== 'crashed') cycles++;
      await clock.sleep(random.below(150));
    }
  });
  const acting = (async () => {
    const startedMs = scheduler.nowMs;
    for (const [index, act] of scenario.acts.entries()) {
      const waitMs = startedMs + act.ms - scheduler.nowMs;
      if (waitMs > 0) await clock.sleep(waitMs);
      await perform(stage, act, index);
    }
    busy = false;
  })();

  const whole = (async () => {
    await Promise.all([acting, ...syncing]);
    for (const { machine, network } of machines) {
      await machine.calm();
      network.calm = true;
      mount(machine);
      unlock(machine);
    }
    if (violations.length > 0) return;
    violations.push(...(await settle(stage, clock, scenario.provesRest)));
    const { crashes, networkFaults, acts } = scenario;
    const forgetful = crashes.some(({ damage }) => damage !== 'none');
    // Whoever loses what was not synced forgets all uploads that were begun at once.
    const begun = crashes.map(({ at, kind }) => (kind === 'power' ? (scenario.machines[at]?.concurrency ?? 1) : 1));
    const troubles =
      begun.reduce((sum, count) => sum + count, 0) +
      networkFaults.length +
      acts.filter(({ act }) => act === 'stop').length;
    const keepsPaths = !acts.some(({ act }) => ['exclude', 'unmount', 'symlink', 'mkdir'].includes(act));
    violations.push(...(await judge({ ...stage, careful: isCareful(scenario), forgetful, keepsPaths, troubles })));
  })();
  try {
    await scheduler.runUntil(whole);
  } catch (error) {
    violations.push(`the run broke: ${describe(error)}`);
  }
  return {
    violations,
    traceHash: scheduler.traceHash,
    steps: scheduler.steps,
    crashes: stage.machines.reduce((sum, { crashes }) => sum + crashes, 0),
    cycles,
    touchedCycles: stage.machines.reduce((sum, { touchedCycles }) => sum + touchedCycles, 0),
    polls: stage.machines.reduce((sum, { polls }) => sum + polls, 0),
    knownPolls: stage.machines.reduce((sum, { knownPolls }) => sum + knownPolls, 0),
    requests: service.counter.requests,
    versions: oracle.size,
    recent: scheduler.recent,
  };
}

/** A watcher hears of some of what was done, late or never of the rest, and of names at which nothing was. */
function whatWasHeard(machine: Machine, random: SeededRandom): readonly string[] {
  const heard = Array.from(machine.heard).filter(() => random.chance(0.8));
  for (const path of heard) machine.heard.delete(path);
  while (random.chance(0.4)) heard.push(random.pick([...PATHS, ...DIRECTORIES]));
  return heard;
}

/** A cycle may fail as a whole while the world is in trouble; what it must not do is fail in a way that nobody foresaw. */
async function syncInTrouble(machine: Machine, look: Look, violations: string[]): Promise<unknown> {
  try {
    return await machine.sync({}, look);
  } catch (error) {
    if (!(error instanceof FileCloudSyncError) && !isAbort(error))
      violations.push(`${machine.name} threw: ${describe(error)}`);
    return undefined;
  }
}

/**
 * Machines sync in turn, until folders and bucket agree, each at least once; to prove rest, until a whole round changes nothing.
 * A folder that was emptied on purpose is let through.
 */
async function settle(
  stage: Stage,
  clock: { sleep(ms: number): Promise<void> },
  provesRest: boolean,
): Promise<string[]> {
  for (let round = 1; round <= SETTLE_ROUNDS; round++) {
    let isRest = true;
    for (const machine of stage.machines) {
      if (
        round > 1 &&
        !provesRest &&
        divergencesOf(machine, await contentsOf(stage.service, stage.bucket)).length === 0
      )
        continue;
      await clock.sleep(5000);
      try {
        const result = await syncInPeace(machine);
        if (result === 'crashed' || result.changes.length > 0 || (round === 1 && !provesRest)) isRest = false;
      } catch (error) {
        return [`${machine.name} cannot sync in peace: ${describe(error)}`];
      }
    }
    if (isRest) return [];
  }
  return [`still changing after ${SETTLE_ROUNDS} rounds`];
}

/** What a person does who reads the messages: runs again where the folder was exchanged during a run, and forgets where the pair was begun in another folder. */
async function syncInPeace(machine: Machine): Promise<CycleResult | 'crashed'> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await machine.sync({ maxDelete: 1 });
    } catch (error) {
      const code = error instanceof HaltError ? error.code : undefined;
      if (attempt > 2 || !machine.wasUnmounted || (code !== 'ERR_FOLDER_REPLACED' && code !== 'ERR_ROOT_REPLACED'))
        throw error;
      if (code === 'ERR_ROOT_REPLACED') machine.forget();
    }
  }
}

/** Gives back every right that was taken away. */
function unlock({ disk }: Machine): void {
  for (const path of Object.keys(disk.user.tree())) disk.user.setAccess(path, { readable: true });
}

/** Whether somebody who writes to the bucket by other means may lose what they wrote in the moment of our write. */
function isCareful({ dialect, probe }: Scenario): boolean {
  const { conditions, conditionWindowMs } = DIALECTS[dialect];
  if ((probe === 'never' && dialect !== 'aws') || conditionWindowMs > 0) return true;
  // One that creates what If-Match says must stand there is not trusted with replacing, either.
  const creates = [conditions.put, conditions.complete].some(({ missingStatus }) => missingStatus === 200);
  return (
    creates ||
    [conditions.put, conditions.complete, conditions.delete].some(
      ({ ifMatch, ifNoneMatch }) => ifMatch !== 'honoured' || ifNoneMatch !== 'honoured',
    )
  );
}

function describe(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
