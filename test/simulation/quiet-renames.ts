import { DIALECTS, type DialectName } from '../../src/testing/s3/dialects.js';
import { SimulatedS3 } from '../../src/testing/s3/simulated-s3.js';
import { Scheduler, SimulatedProcess } from '../../src/testing/simulation/scheduler.js';
import { SeededRandom } from '../../src/testing/simulation/seeded-random.js';
import type { CycleResult } from '../../src/session/result.js';
import { contentsOf } from './judge.js';
import { knownFacts, STORE_ENDPOINT } from './known-facts.js';
import { Machine } from './machine.js';

const BUCKET = 'bucket';
const AMAZON = 'https://s3.us-east-1.amazonaws.com';
const START_MS = Date.UTC(2026, 0, 1);
const OLD_MS = START_MS - 86_400_000;
/** Stores that honour every condition, ignore some, and refuse them; the ETag of an object is the MD5 of its content in all. */
const DIALECT_NAMES: readonly DialectName[] = ['aws', 'ceph-16', 'oss'];
/** Objects above it are sent in parts, where a world has such. */
const SMALL_PART_BYTES = 24;

/** What a quiet world came to. */
export interface QuietRun {
  /** What went wrong, in words; empty when nothing did. */
  readonly violations: readonly string[];
  /** Files that got another path. */
  readonly renamed: number;
}

/**
 * Two machines that agree, and nothing goes wrong: on one of them files and folders get names that nobody had. Says what is not
 * as it is promised: no content travels, nothing is trashed, no guard halts, and all three places are the same.
 */
export async function quietRenames(seed: number): Promise<QuietRun> {
  const random = new SeededRandom(seed);
  const dialectName = random.pick(DIALECT_NAMES);
  const inParts = random.chance(0.4);
  const scheduler = new Scheduler(random.fork(), START_MS);
  const clock = scheduler.clock(new SimulatedProcess('world'));
  const service = new SimulatedS3({
    runtime: { clock, random: random.fork() },
    dialect: { ...DIALECTS[dialectName], leastPartBytes: 1 },
  });
  service.createBucket(BUCKET);
  const facts = dialectName === 'aws' ? new Map<string, unknown>() : await knownFacts(dialectName, BUCKET);
  const violations: string[] = [];
  const machines = ['m1', 'm2'].map((name) => {
    const plan = { conflict: 'newest', readonly: false, skewMs: 0, granularityMs: 0, watch: true } as const;
    const remote = {
      bucket: BUCKET,
      endpoint: dialectName === 'aws' ? AMAZON : STORE_ENDPOINT,
      probe: true,
      partSizeBytes: inParts ? SMALL_PART_BYTES : 8 * 1024 * 1024,
    };
    const world = {
      scheduler,
      random: random.fork(),
      transport: service.transport(),
      knownFacts: facts,
      remote,
      onViolation: (text: string) => violations.push(text),
      onRequest: () => undefined,
    };
    return new Machine(
      name,
      {
        ...plan,
        touched: 0,
        polls: 0,
        concurrency: random.pick([1, 4, 16]),
        noHardLinks: random.chance(0.1),
        makesMany: random.chance(0.5),
      },
      world,
      [],
      [],
    );
  });
  const [first, second] = machines;
  if (first === undefined || second === undefined) throw new Error('there are two machines');
  let renamed = 0;
  const whole = (async () => {
    writeTree(first, random);
    // What was saved a moment ago is racy: its row names no file, and a rename is found by name and content alone.
    await clock.sleep(60_000);
    for (const machine of machines) await syncOf(machine);
    for (let round = 1; round <= 3; round++) {
      const [acting, other] = random.chance(0.5) ? [first, second] : [second, first];
      renamed += renameSome(acting, random, round, inParts);
      await clock.sleep(60_000);
      const up = await syncOf(acting);
      const down = await syncOf(other);
      if (up.uploadedBytes > 0) violations.push(`round ${round}: ${acting.name} sent ${up.uploadedBytes} bytes`);
      if (down.downloadedBytes > 0)
        violations.push(`round ${round}: ${other.name} fetched ${down.downloadedBytes} bytes`);
      violations.push(...(await differences(machines, service)).map((each) => `round ${round}: ${each}`));
    }
    for (const machine of machines) {
      if (machine.trashed().size > 0) violations.push(`${machine.name} trashed ${[...machine.trashed()].join(', ')}`);
      if ((await syncOf(machine)).changes.length > 0) violations.push(`${machine.name} is not at rest`);
      await machine.calm();
    }
  })();
  try {
    await scheduler.runUntil(whole);
  } catch (error) {
    violations.push(`the run broke: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
  }
  return { violations, renamed };
}

/** Some files, a few of them copies of each other, and one that never moves. */
function writeTree(machine: Machine, random: SeededRandom): void {
  const count = 3 + random.below(20);
  machine.disk.user.writeFile('beside', 'a file that stays', { modifiedMs: OLD_MS });
  for (let i = 0; i < count; i++) {
    const folder = random.pick(['a/', 'a/b/', 'c/', '']);
    const stamp = `<${random.chance(0.2) ? 'copy' : i}>`;
    const content = random.chance(0.1) ? '' : stamp.padEnd(random.pick([0, 20, 60]), '.');
    // All at one time: of copies with other times, one that gets the name of another is fetched, with its time.
    machine.disk.user.writeFile(`${folder}f${i}.txt`, content, { modifiedMs: OLD_MS });
  }
}

/** Gives files, or a whole folder, names that nobody ever had. Where objects of parts get another ETag, a file keeps its last name. */
function renameSome(machine: Machine, random: SeededRandom, round: number, keepsNames: boolean): number {
  const { user } = machine.disk;
  const before = new Set(machine.files().keys());
  const folders = [
    ...new Set([...before].filter((path) => path.includes('/')).map((path) => path.split('/')[0] ?? '')),
  ];
  if (folders.length > 0 && random.chance(0.6)) user.rename(random.pick(folders), `r${round}`);
  for (const [index, path] of [...machine.files().keys()].entries()) {
    if (path === 'beside' || !random.chance(0.4)) continue;
    const name = keepsNames ? path.slice(path.lastIndexOf('/') + 1) : `g${index}`;
    user.rename(path, `s${round}/${random.pick(['', 'x/', 'y/'])}${name}`);
  }
  return [...machine.files().keys()].filter((path) => !before.has(path)).length;
}

async function syncOf(machine: Machine): Promise<CycleResult> {
  const result = await machine.sync();
  if (result === 'crashed') throw new Error('a machine crashed in a quiet world');
  return result;
}

async function differences(machines: readonly Machine[], service: SimulatedS3): Promise<string[]> {
  const bucket = await contentsOf(service, BUCKET);
  return machines.flatMap((machine) => {
    const files = machine.files();
    return [...new Set([...bucket.keys(), ...files.keys()])]
      .filter((path) => bucket.get(path) !== files.get(path))
      .map((path) => `${machine.name} differs from the bucket at ${path}`);
  });
}
