import { describe, expect, it } from 'vitest';
import { generateScenario } from './generate-scenario.js';
import { proveSimulation } from './prove-simulation.js';
import type { Scenario } from './scenario.js';
import { simulate } from './simulate.js';

/** `FCS_N2`: how many seeds; `FCS_SEED`: the first one. The long form is `npm run prove -- n2`. */
const COUNT = Number(process.env['FCS_N2'] ?? 1000);
const FIRST_SEED = Number(process.env['FCS_SEED'] ?? 1);

/** A machine on which nothing is out of the ordinary. */
const MACHINE = {
  conflict: 'newest',
  readonly: false,
  skewMs: 0,
  granularityMs: 0,
  watch: false,
  concurrency: 1,
  noHardLinks: false,
  makesMany: false,
  touched: 0,
  polls: 0,
} as const;
/** What the scenarios below have in common, unless they say otherwise. */
const SCENARIO = {
  dialect: 'aws',
  probe: 'before',
  partSizeBytes: 24,
  pageKeys: 1000,
  provesRest: true,
  crashes: [],
  diskFaults: [],
  networkFaults: [],
} as const;

describe('simulate', () => {
  it(
    `keeps every version through ${COUNT} runs with crashes, faults and concurrent writers`,
    { timeout: 600_000 },
    async () => {
      const { versions, crashes, requests, touchedCycles, polls, knownPolls } = await proveSimulation(
        FIRST_SEED,
        COUNT,
      );
      if (COUNT < 100) return;
      // Runs in which nobody wrote or nothing crashed would prove nothing.
      expect(versions).toBeGreaterThan(COUNT * 5);
      expect(crashes).toBeGreaterThan(COUNT);
      expect(touchedCycles).toBeGreaterThan(COUNT);
      // A machine polls in vain before its first look at everything, and wherever something unheard was done.
      expect(polls).toBeGreaterThan(COUNT / 3);
      expect(knownPolls).toBeGreaterThan(COUNT / 20);
      expect(requests).toBeGreaterThan(COUNT * 30);
    },
  );

  it('does not believe of a disk that is back what was recorded in its mount point, whose stamp could not be written', async () => {
    const { violations } = await simulate({
      ...SCENARIO,
      seed: 50_014_085,
      partSizeBytes: 8_388_608,
      provesRest: false,
      machines: [
        { ...MACHINE, skewMs: -282_574_302.747_845_65, granularityMs: 1000, concurrency: 4 },
        { ...MACHINE, watch: true, concurrency: 16 },
      ],
      acts: [
        { ms: 0, act: 'write', at: 1, path: 'a!', how: 'replace', size: 'same', time: 'now' },
        { ms: 116, act: 'remove', at: 0, path: 'b' },
        { ms: 138, act: 'write', at: 0, path: 'b', how: 'in-place', size: 'short', time: 'now' },
        { ms: 158, act: 'remove', at: 0, path: 'empty' },
        { ms: 181, act: 'unmount', at: 0 },
        { ms: 282, act: 'write', at: 0, path: 'd/f', how: 'in-place', size: 'parts', time: 'back' },
        { ms: 325, act: 'mount', at: 0 },
      ],
      crashes: [{ at: 0, operation: 39, kind: 'power', damage: 'none' }],
      diskFaults: [{ at: 0, operation: 259, count: 1, errno: 'ENOSPC' }],
    });
    expect(violations).toEqual([]);
  });

  it('comes to rest with a time of the future, where the store says nothing of the content of large objects', async () => {
    const { violations } = await simulate({
      ...SCENARIO,
      seed: 20_261_128,
      dialect: 'seaweedfs-3.97',
      machines: [{ ...MACHINE, skewMs: 118_947_661_703.601_49, granularityMs: 1000 }, MACHINE],
      acts: [{ ms: 274, act: 'write', at: 0, path: 'ż', how: 'replace', size: 'parts', time: 'now' }],
    });
    expect(violations).toEqual([]);
  });

  it('takes no version for its own copy that somebody puts there while it renames', async () => {
    const { violations } = await simulate({
      ...SCENARIO,
      seed: 124_022_442,
      machines: Array.from({ length: 2 }, () => ({ ...MACHINE, conflict: 'bucket' as const })),
      acts: [
        { ms: 0, act: 'mkdir', at: 0, path: 'b' },
        { ms: 21, act: 'write', at: 0, path: 'd/f', how: 'in-place', size: 'parts', time: 'now' },
        { ms: 105, act: 'rename', at: 0, path: 'd/f', to: 'd/e' },
        { ms: 193, act: 'put', path: 'd/e', size: 'same' },
      ],
      crashes: [{ at: 0, operation: 126, kind: 'power', damage: 'old' }],
    });
    expect(violations).toEqual([]);
  });

  it('keeps the copy of a version that it has deleted, perhaps, before another one came there', async () => {
    const { violations } = await simulate({
      ...SCENARIO,
      seed: 120_052_124,
      partSizeBytes: 8_388_608,
      provesRest: false,
      machines: [0, 0.95, 0].map((touched) => ({ ...MACHINE, conflict: 'local' as const, touched })),
      acts: [
        { ms: 0, act: 'write', at: 0, path: 'a/c/d', how: 'replace', size: 'same', time: 'now' },
        { ms: 0, act: 'write', at: 2, path: 'a/b', how: 'in-place', size: 'parts', time: 'kept' },
        { ms: 66, act: 'put', path: 'a', size: 'short' },
        { ms: 113, act: 'write', at: 1, path: 'a', how: 'in-place', size: 'empty', time: 'now' },
        { ms: 149, act: 'delete', path: 'a!' },
      ],
      networkFaults: [
        {
          at: 0,
          rule: {
            fault: 'reset-after',
            operation: ['PutObject', 'DeleteObject', 'CompleteMultipartUpload', 'UploadPart', 'CreateMultipartUpload'],
            nth: 1,
          },
        },
      ],
    });
    expect(violations).toEqual([]);
  });

  it('lets a file make way for one whose folder it would be, though the latter was moved there while a run took it away', async () => {
    const { violations } = await simulate({
      ...SCENARIO,
      seed: 175_014_230,
      partSizeBytes: 8_388_608,
      provesRest: false,
      machines: [
        { ...MACHINE, watch: true, concurrency: 4 },
        { ...MACHINE, granularityMs: 2000, concurrency: 16, touched: 0.3 },
      ],
      acts: [
        { ms: 94, act: 'write', at: 1, path: '😀', how: 'replace', size: 'same', time: 'now' },
        { ms: 388, act: 'rename', at: 1, path: '😀', to: 'a' },
        { ms: 441, act: 'rename', at: 0, path: '😀', to: 'a/b' },
        { ms: 1100, act: 'write', at: 1, path: '😀', how: 'in-place', size: 'parts', time: 'now' },
      ],
      crashes: [
        { at: 1, operation: 28, kind: 'process', damage: 'none' },
        { at: 1, operation: 38, kind: 'process', damage: 'gone' },
      ],
    });
    expect(violations).toEqual([]);
  });

  const TRIAL_CUT_OFF = {
    ...SCENARIO,
    seed: 177_083_746,
    dialect: 'gcs-xml',
    probe: 'now',
    partSizeBytes: 8_388_608,
    provesRest: false,
    machines: [MACHINE, { ...MACHINE, conflict: 'keep-both' }, MACHINE],
    networkFaults: [{ at: 2, rule: { fault: 'error-after', nth: Array.from({ length: 12 }, (_, i) => 29 + i) } }],
    acts: [],
  } satisfies Omit<Scenario, 'crashes'>;

  it.each(['process', 'power'] as const)(
    'removes all uploads of a trial that a crash of the %s cut off',
    async (kind) => {
      const { violations } = await simulate({
        ...TRIAL_CUT_OFF,
        crashes: [{ at: 2, operation: 98, kind, damage: 'none' }],
      });
      expect(violations).toEqual([]);
    },
  );

  it('may leave uploads of a trial that was cut off whose note was lost from the memory, and nothing else', async () => {
    const { violations } = await simulate({
      ...TRIAL_CUT_OFF,
      crashes: [{ at: 2, operation: 98, kind: 'process', damage: 'lose' }],
    });
    expect(violations).toEqual([]);
  });

  it('records no digest with a copy that the store may have made of another version', async () => {
    const { violations } = await simulate({
      ...SCENARIO,
      seed: 180_089_585,
      dialect: 'match-only',
      probe: 'never',
      partSizeBytes: 8_388_608,
      provesRest: false,
      machines: [
        { ...MACHINE, concurrency: 16, touched: 0.95 },
        { ...MACHINE, touched: 0.95 },
      ],
      acts: [
        { ms: 0, act: 'write', at: 0, path: 'a/b', how: 'replace', size: 'before', time: 'now' },
        { ms: 0, act: 'put', path: 'd/e', size: 'same' },
        { ms: 1, act: 'write', at: 1, path: 'd/e', how: 'in-place', size: 'short', time: 'back' },
        { ms: 34, act: 'write', at: 1, path: 'a/b', how: 'replace', size: 'same', time: 'now' },
        { ms: 83, act: 'write', at: 1, path: 'a/b', how: 'in-place', size: 'parts', time: 'now' },
        { ms: 104, act: 'remove', at: 1, path: 'b' },
        { ms: 112, act: 'rename', at: 0, path: 'a/b', to: 'b.txt' },
        { ms: 137, act: 'rename', at: 0, path: 'a/b', to: 'a/c/d' },
        { ms: 215, act: 'put', path: 'a/b', size: 'same' },
      ],
      crashes: [{ at: 1, operation: 92, kind: 'power', damage: 'none' }],
    });
    expect(violations).toEqual([]);
  });

  it('says what it did before its memory was found to be damaged, so that nobody takes the run for one that did nothing', async () => {
    const { violations } = await simulate({
      ...SCENARIO,
      seed: 140_054_109,
      dialect: 'bare',
      probe: 'never',
      machines: [
        { ...MACHINE, conflict: 'local', concurrency: 4 },
        { ...MACHINE, conflict: 'local', watch: true, concurrency: 4 },
      ],
      acts: [
        { ms: 41, act: 'write', at: 0, path: 'd/f', how: 'replace', size: 'short', time: 'now' },
        { ms: 58, act: 'rename', at: 1, path: 'b', to: 'ż' },
        { ms: 76, act: 'write', at: 1, path: 'b', how: 'in-place', size: 'parts', time: 'now' },
        { ms: 163, act: 'write', at: 1, path: 'b', how: 'in-place', size: 'short', time: 'now' },
      ],
      crashes: [{ at: 1, operation: 143, kind: 'power', damage: 'flip' }],
    });
    expect(violations).toEqual([]);
  });

  it('takes no version of somebody else for the upload whose last answer has no ETag', async () => {
    const { violations } = await simulate({
      ...SCENARIO,
      seed: 161_032_970,
      dialect: 'ceph-16',
      provesRest: false,
      machines: [MACHINE, { ...MACHINE, conflict: 'local', watch: true, concurrency: 4 }, MACHINE],
      acts: [
        { ms: 0, act: 'write', at: 1, path: 'a!', how: 'replace', size: 'same', time: 'now' },
        { ms: 79, act: 'write', at: 1, path: 'a!', how: 'in-place', size: 'parts', time: 'now' },
        { ms: 98, act: 'write', at: 0, path: 'a!', how: 'replace', size: 'same', time: 'now' },
        { ms: 254, act: 'put', path: 'a!', size: 'same' },
      ],
      crashes: [{ at: 0, operation: 18, kind: 'process', damage: 'none' }],
    });
    expect(violations).toEqual([]);
  });

  it('keeps what is being moved to the trash while its directory is removed, and the power fails', async () => {
    const { violations } = await simulate({
      ...SCENARIO,
      seed: 266,
      partSizeBytes: 8_388_608,
      provesRest: false,
      machines: [{ ...MACHINE, conflict: 'bucket' }],
      acts: [
        { ms: 0, act: 'write', at: 0, path: 'a/b', how: 'in-place', size: 'short', time: 'now' },
        { ms: 0, act: 'put', path: 'a/b', size: 'parts' },
        { ms: 57, act: 'remove', at: 0, path: 'a' },
        { ms: 257, act: 'delete', path: 'b' },
      ],
      crashes: [{ at: 0, operation: 1, after: { begins: 'rename', by: 4 }, kind: 'power', damage: 'none' }],
    });
    expect(violations).toEqual([]);
  });

  it('takes away what was deleted in the bucket, also in a folder that is renamed in that instant', async () => {
    const { violations } = await simulate({
      ...SCENARIO,
      seed: 171578057,
      partSizeBytes: 8_388_608,
      machines: [
        { ...MACHINE, conflict: 'manual', watch: true, concurrency: 4 },
        { ...MACHINE, conflict: 'manual', watch: true, concurrency: 4, polls: 1 },
      ],
      acts: [
        { ms: 3, act: 'write', at: 1, path: 'a/c/d', how: 'replace', size: 'same', time: 'now' },
        { ms: 247, act: 'put', path: 'a', size: 'parts' },
        { ms: 444, act: 'delete', path: 'a/c/d' },
        { ms: 505, act: 'rename', at: 0, path: 'a', to: 'd' },
      ],
    });
    expect(violations).toEqual([]);
  });

  it('need not keep a conflict copy that somebody removes, of a file whose folder is renamed while the copy is made', async () => {
    const { violations } = await simulate({
      ...SCENARIO,
      seed: 190_000_311,
      dialect: 'oss',
      partSizeBytes: 8_388_608,
      machines: [
        { ...MACHINE, skewMs: -129_236_592, concurrency: 4, touched: 0.7 },
        { ...MACHINE, watch: true, concurrency: 16, polls: 1 },
        MACHINE,
      ],
      acts: [
        { ms: 0, act: 'write', at: 2, path: 'a/c/d', how: 'replace', size: 'short', time: 'now' },
        { ms: 35, act: 'rename', at: 2, path: 'a/c/d', to: 'a/c/d' },
        { ms: 37, act: 'write', at: 0, path: 'a/c/d', how: 'in-place', size: 'same', time: 'now' },
        { ms: 59, act: 'write', at: 1, path: 'a/c/d', how: 'in-place', size: 'short', time: 'now' },
        { ms: 215, act: 'rename', at: 2, path: 'empty', to: 'new' },
        { ms: 225, act: 'write', at: 2, path: 'a/c/d', how: 'in-place', size: 'same', time: 'now' },
        { ms: 240, act: 'remove', at: 0, path: 'a/c/d' },
        { ms: 244, act: 'write', at: 1, path: 'a/c/d', how: 'replace', size: 'same', time: 'now' },
        { ms: 262, act: 'rename', at: 1, path: 'a/c/d', to: '😀' },
        { ms: 351, act: 'rename', at: 2, path: 'a', to: 'empty' },
        { ms: 647, act: 'remove', at: 2, path: 'a/c' },
      ],
      crashes: [{ at: 2, operation: 120, kind: 'process', damage: 'none' }],
      networkFaults: [
        {
          at: 1,
          rule: {
            fault: 'internal-error',
            operation: ['PutObject', 'DeleteObject', 'CompleteMultipartUpload', 'UploadPart', 'CreateMultipartUpload'],
            nth: 2,
          },
        },
      ],
    });
    expect(violations).toEqual([]);
  });

  it('sends an edit of the tick in which the file was read, though the clock has moved on when that is recorded', async () => {
    const { violations } = await simulate({
      ...SCENARIO,
      seed: 170519227,
      partSizeBytes: 8_388_608,
      machines: [{ ...MACHINE, granularityMs: 1000 }, MACHINE, MACHINE],
      acts: [
        { ms: 36, act: 'write', at: 0, path: 'a/c/d', how: 'replace', size: 'short', time: 'now' },
        { ms: 74, act: 'write', at: 0, path: 'a/c/d', how: 'in-place', size: 'short', time: 'now' },
        { ms: 86, act: 'clock', at: 0, byMs: 645_913_759.857_416_2 },
      ],
      crashes: [{ at: 1, operation: 1, kind: 'process', damage: 'gone' }],
      networkFaults: [{ at: 0, rule: { fault: 'reset-before', operation: ['PutObject'], nth: 1 } }],
    });
    expect(violations).toEqual([]);
  });

  it('deletes nothing for a folder that was not mounted, when the note of which folder it is was lost', async () => {
    const { violations } = await simulate({
      ...SCENARIO,
      seed: 170743929,
      partSizeBytes: 8_388_608,
      provesRest: false,
      machines: [
        { ...MACHINE, polls: 1 },
        { ...MACHINE, conflict: 'bucket' },
      ],
      acts: [
        { ms: 0, act: 'unmount', at: 0 },
        { ms: 0, act: 'write', at: 1, path: 'b', how: 'replace', size: 'same', time: 'back' },
      ],
      crashes: [{ at: 0, operation: 141, kind: 'process', damage: 'lose' }],
    });
    expect(violations).toEqual([]);
  });

  it('keeps what is written into a directory that a run has just made, and the power fails', async () => {
    const { violations } = await simulate({
      ...SCENARIO,
      seed: 170704750,
      partSizeBytes: 8_388_608,
      provesRest: false,
      machines: [
        { ...MACHINE, conflict: 'local' },
        { ...MACHINE, conflict: 'local', polls: 0.5 },
      ],
      acts: [
        { ms: 38, act: 'put', path: 'a/c/d', size: 'same' },
        { ms: 211, act: 'write', at: 1, path: 'a/c/d', how: 'replace', size: 'same', time: 'now' },
        { ms: 249, act: 'write', at: 1, path: 'a/c/d', how: 'replace', size: 'same', time: 'now' },
      ],
      crashes: [{ at: 1, operation: 121, kind: 'power', damage: 'none' }],
      diskFaults: [{ at: 1, operation: 103, count: 1, errno: 'ENOSPC' }],
    });
    expect(violations).toEqual([]);
  });

  it('replays a seed to the same trace', async () => {
    for (const seed of [3, 7, 11, 12]) {
      const [first, second] = [await simulate(generateScenario(seed)), await simulate(generateScenario(seed))];
      expect(second, `seed ${seed}`).toEqual(first);
    }
    const other = await simulate(generateScenario(4));
    expect(other.traceHash).not.toBe((await simulate(generateScenario(3))).traceHash);
  });
});
