import type { ConflictPolicyName } from '../../src/core/conflict.js';
import { DIALECTS, type DialectName } from '../../src/testing/s3/dialects.js';
import type { Fault } from '../../src/testing/s3/faults.js';
import { SeededRandom } from '../../src/testing/simulation/seeded-random.js';
import type { Act, Crash, DiskFault, MachinePlan, NetworkFault, Scenario, SizeChoice } from './scenario.js';

const DAY_MS = 86_400_000;
/** Few paths, so that everybody meets: siblings around `/` in byte order, a file that is also a directory, a deep one. */
export const PATHS = ['a', 'a!', 'a/b', 'a/c/d', 'b', 'b.txt', 'd/e', 'd/f', 'ż', '😀'];
export const DIRECTORIES = ['a', 'a/c', 'd', 'empty', 'new'];
/** Keys that no disk may be given. */
const HOSTILE_KEYS = [
  '../x',
  'a/../../x',
  '/abs',
  'a//b',
  './x',
  'dir/',
  '.filecloudsync/tmp/x',
  'n'.repeat(256),
  'nul\0',
  'a/.',
  '..',
];
/** Stores whose listings can be used. Those of AWS most often: nothing has to be tried out there. */
const DIALECT_NAMES = (Object.keys(DIALECTS) as DialectName[]).filter((name) => !name.startsWith('list-'));
const POLICIES: readonly ConflictPolicyName[] = [
  'newest',
  'newest',
  'newest',
  'keep-both',
  'local',
  'bucket',
  'manual',
];
const CHANGES = [
  'PutObject',
  'DeleteObject',
  'CompleteMultipartUpload',
  'UploadPart',
  'CreateMultipartUpload',
] as const;
const ERRNOS: readonly DiskFault['errno'][] = ['EIO', 'ENOSPC', 'EMFILE', 'EACCES', 'EROFS'];

/** Makes the whole run that a seed stands for. */
export function generateScenario(seed: number): Scenario {
  const random = new SeededRandom(seed);
  const dialect = random.chance(0.6) ? 'aws' : random.pick(DIALECT_NAMES);
  const probe =
    dialect === 'aws' ? 'before' : random.pick(['now', 'before', 'before', 'before', 'before', 'never'] as const);
  const machineCount = 2 + (random.chance(0.22) ? 1 : 0) + (random.chance(0.06) ? 1 + random.below(2) : 0);
  const conflict = random.pick(POLICIES);
  // Of its own, so that a seed means the same with and without it.
  const hearing = new SeededRandom(seed + 1_000_003);
  const polling = new SeededRandom(seed + 3_000_017);
  const machines = Array.from({ length: machineCount }, (_, i): MachinePlan => ({
    ...machinePlan(random, i, conflict),
    touched: hearing.chance(0.6) ? hearing.pick([0.3, 0.7, 0.95]) : 0,
    polls: polling.chance(0.8) ? polling.pick([0.5, 0.95, 1]) : 0,
  }));
  const acts = makeActs(random, machineCount);
  const operations = 60 + acts.length * 40;
  const crashes = makeCrashes(random, machineCount, operations);
  const diskFaults = Array.from({ length: random.chance(0.25) ? 1 + random.below(3) : 0 }, (): DiskFault => ({
    at: random.below(machineCount),
    operation: 1 + random.below(operations),
    count: random.chance(0.7) ? 1 : 1 + random.below(20),
    errno: random.pick(ERRNOS),
  }));
  const partSizeBytes = random.chance(0.35) ? 24 : 8 * 1024 * 1024;
  // A changed bit shows only where the ETag is known to be a digest: not in objects of parts, and on a store that was not tried.
  const isTried = dialect === 'aws' || (probe !== 'never' && machines.every((machine) => !machine.readonly));
  const showsDamage = isTried && DIALECTS[dialect].putEtag === 'md5' && partSizeBytes > 24;
  const networkFaults = Array.from({ length: random.chance(0.7) ? 1 + random.below(6) : 0 }, (): NetworkFault =>
    networkFault(random, machineCount, acts.length, showsDamage),
  );
  return {
    seed,
    dialect,
    probe,
    partSizeBytes,
    pageKeys: random.chance(0.2) ? 3 : 1000,
    machines,
    acts,
    crashes,
    diskFaults,
    networkFaults,
    provesRest: random.chance(0.2),
  };
}

function machinePlan(
  random: SeededRandom,
  index: number,
  conflict: ConflictPolicyName,
): Omit<MachinePlan, 'touched' | 'polls'> {
  const skew = random.next();
  return {
    conflict: random.chance(0.85) ? conflict : random.pick(POLICIES),
    // Never the first: somebody has to be able to upload.
    readonly: index > 0 && random.chance(0.1),
    skewMs: skew < 0.75 ? 0 : (random.next() - 0.5) * (skew < 0.92 ? 20 * DAY_MS : 7300 * DAY_MS),
    granularityMs: random.chance(0.75) ? 0 : random.pick([4, 10, 1000, 2000]),
    watch: random.chance(0.6),
    concurrency: random.pick([1, 4, 4, 16]),
    noHardLinks: random.chance(0.04),
    makesMany: random.chance(0.5),
  };
}

/** The first comes early enough to happen; of the others half meet the recovery from the one before. */
function makeCrashes(random: SeededRandom, machineCount: number, operations: number): Crash[] {
  const crashes: Crash[] = [];
  const count = 1 + (random.chance(0.6) ? 1 + random.below(3) : 0);
  for (let i = 0; i < count; i++) {
    const before = crashes.at(-1);
    const again = before !== undefined && random.chance(0.5);
    crashes.push({
      at: again ? before.at : random.below(machineCount),
      operation: again ? before.operation + 1 + random.below(60) : 1 + random.below(i === 0 ? 150 : operations),
      // The first always comes; of the others most wait for a moment at which a crash hurts.
      ...(i > 0 && random.chance(0.7)
        ? {
            after: {
              begins: random.pick(['rename', 'rename', 'link', 'unlink', 'PUT', 'DELETE', 'sync'] as const),
              by: 1 + random.below(6),
            },
          }
        : {}),
      kind: random.chance(0.5) ? 'process' : 'power',
      damage: random.chance(0.85) ? 'none' : random.pick(['flip', 'lose', 'gone', 'mark', 'old'] as const),
    });
  }
  return crashes;
}

function makeActs(random: SeededRandom, machineCount: number): Act[] {
  const acts: Act[] = [];
  // The fewer places, the more people meet at one; and who was just somewhere often comes again, as do the others.
  const places = Array.from({ length: random.pick([1, 2, 3, 4, 10]) }, () => random.pick(PATHS));
  let place = random.pick(places);
  const count = 4 + random.below(random.chance(0.15) ? 40 : 14);
  const pace = random.pick([10, 25, 25, 80]);
  let ms = 0;
  for (let i = 0; i < count; i++) {
    if (i > 0 && !random.chance(0.2)) ms += random.below(2 * pace);
    const at = random.below(machineCount);
    const roll = random.next();
    if (!random.chance(0.35)) place = random.pick(places);
    if (roll < 0.46) {
      const path = place;
      const write = {
        ms,
        act: 'write',
        at,
        path,
        how: random.chance(0.5) ? 'in-place' : 'replace',
        size: sizeChoice(random),
        time: timeChoice(random),
      } as const;
      acts.push(write);
      // Written twice within one tick: the second time shows nowhere but in the content.
      if (random.chance(0.15)) acts.push({ ...write, ms: ms + random.below(12), size: 'same', time: 'now' });
    } else if (roll < 0.58) acts.push({ ms, act: 'remove', at, path: place });
    else if (roll < 0.66) acts.push({ ms, act: 'rename', at, path: place, to: random.pick(PATHS) });
    else if (roll < 0.69)
      acts.push({ ms, act: 'rename', at, path: random.pick(DIRECTORIES), to: random.pick(DIRECTORIES) });
    else if (roll < 0.71) acts.push({ ms, act: 'remove', at, path: random.pick(DIRECTORIES) });
    else if (roll < 0.73) acts.push({ ms, act: 'mkdir', at, path: random.pick([...DIRECTORIES, ...PATHS]) });
    else if (roll < 0.75) acts.push({ ms, act: 'symlink', at, path: random.pick([...DIRECTORIES, ...PATHS]) });
    else if (roll < 0.77) acts.push({ ms, act: 'lock', at, path: random.pick([...DIRECTORIES, ...PATHS]) });
    else if (roll < 0.785) acts.push({ ms, act: 'unmount', at }, { ms: ms + random.below(150), act: 'mount', at });
    else if (roll < 0.8)
      acts.push({ ms, act: 'clock', at, byMs: (random.next() - 0.5) * random.pick([100, 10_000, 20 * DAY_MS]) });
    else if (roll < 0.825)
      acts.push({ ms, act: 'exclude', at, prefix: random.chance(0.3) ? null : random.pick(['a', 'b', 'd']) });
    else if (roll < 0.845) acts.push({ ms, act: 'stop', at, how: random.chance(0.5) ? 'soft' : 'hard' });
    else if (roll < 0.93) acts.push({ ms, act: 'put', path: place, size: sizeChoice(random) });
    else if (roll < 0.98) acts.push({ ms, act: 'delete', path: place });
    else acts.push({ ms, act: 'hostile', path: random.pick(HOSTILE_KEYS) });
  }
  return acts.sort((a, b) => a.ms - b.ms);
}

function sizeChoice(random: SeededRandom): SizeChoice {
  const roll = random.next();
  if (roll < 0.5) return 'same';
  if (roll < 0.78) return 'short';
  if (roll < 0.9) return 'parts';
  return roll < 0.98 ? 'before' : 'empty';
}

function timeChoice(random: SeededRandom): 'now' | 'kept' | 'back' {
  const roll = random.next();
  return roll < 0.8 ? 'now' : roll < 0.9 ? 'kept' : 'back';
}

/** A damaged listing cannot be told from a true one: bits are flipped in contents alone. */
function networkFault(random: SeededRandom, machineCount: number, acts: number, showsDamage: boolean): NetworkFault {
  const at = random.below(machineCount);
  // Among so many requests a machine sends most of its own; half of the faults meet what changes the bucket.
  const nth = 1 + random.below(12 + acts * 2);
  const run = random.chance(0.1) ? Array.from({ length: 2 + random.below(12) }, (_, i) => nth + i) : nth;
  const fault = random.pick<Fault>([
    'slow-down',
    'too-many-requests',
    'internal-error',
    'reset-before',
    'reset-after',
    'reset-after',
    'error-after',
    'short-body',
    'bit-flip',
    'stale-list',
  ]);
  if (fault === 'bit-flip')
    return {
      at,
      rule: { fault: showsDamage ? fault : 'short-body', operation: 'GetObject', nth: 1 + random.below(8) },
    };
  if (fault === 'stale-list') return { at, rule: { fault, operation: 'ListObjectsV2', nth: 1 + random.below(12) } };
  if (random.chance(0.5)) return { at, rule: { fault, operation: CHANGES, nth: 1 + random.below(5) } };
  return { at, rule: { fault, nth: run } };
}
