import { describe, expect, it } from 'vitest';
import type { CrashKeep, DiskTraits } from '../../testing/fs/simulated-disk.js';
import {
  expecting,
  observeFile,
  preparedReplica,
  replicaOf,
  simulatedWorld,
  sourceOf,
} from '../../../test/local/local-world.js';
import type { LocalReplica } from './local-replica.js';

type SimulatedWorld = ReturnType<typeof simulatedWorld>;

/** mulberry32 */
function randomOf(seed: number): () => number {
  let a = seed;
  return () => {
    a = (a + 0x6d2b79f5) | 0;
    let t = Math.imul(a ^ (a >>> 15), 1 | a);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

/** Low and high numbers in turn. */
function alternating(first: number): () => number {
  let next = first;
  return () => {
    const now = next;
    next = 1 - now;
    return now;
  };
}

interface Scenario {
  readonly name: string;
  readonly traits?: DiskTraits;
  /** Makes some operations fail. */
  readonly fault?: (operation: string) => string | undefined;
  readonly set: (world: SimulatedWorld) => void;
  /** Runs the operation; answers when it says that it is done. */
  readonly run: (replica: LocalReplica) => Promise<unknown>;
  /** Contents of which each must still be somewhere. */
  readonly kept: readonly string[];
  /** Whole contents that may stand in the folder; nothing else may. */
  readonly whole: readonly string[];
  /** What the folder must be when the operation said that it is done. */
  readonly after: Record<string, string>;
}

/** The long form tries more of what may survive. */
const SEEDS = process.env['FILECLOUDSYNC_LONG'] === '1' ? 200 : 8;

const OLD = 'old version';
const NEW = 'new version, longer';

const SCENARIOS: readonly Scenario[] = [
  {
    name: 'write of a new file in new folders',
    set: () => {},
    run: (replica) => replica.write('a/b/f', sourceOf(NEW), null),
    kept: [],
    whole: [NEW],
    after: { 'a/': 'directory', 'a/b/': 'directory', 'a/b/f': NEW },
  },
  {
    name: 'write of a new file beside others, made by another thread',
    traits: { makesMany: true },
    set: (world) => world.write('a/b/g', OLD),
    run: (replica) => replica.write('a/b/f', sourceOf(NEW), null),
    kept: [OLD],
    whole: [OLD, NEW],
    after: { 'a/': 'directory', 'a/b/': 'directory', 'a/b/f': NEW, 'a/b/g': OLD },
  },
  {
    name: 'write in the place of an old version, made by another thread',
    traits: { makesMany: true },
    set: (world) => world.write('a/f', OLD),
    run: async (replica) => replica.write('a/f', sourceOf(NEW), expecting(await observeFile(replica, 'a/f'))),
    kept: [OLD],
    whole: [OLD, NEW],
    after: { 'a/': 'directory', 'a/f': NEW },
  },
  {
    name: 'write in the place of an old version',
    set: (world) => world.write('a/f', OLD),
    run: async (replica) => replica.write('a/f', sourceOf(NEW), expecting(await observeFile(replica, 'a/f'))),
    kept: [OLD],
    whole: [OLD, NEW],
    after: { 'a/': 'directory', 'a/f': NEW },
  },
  {
    name: 'write in the place of an old version on a disk without hard links',
    traits: { noHardLinks: true },
    set: (world) => world.write('a/f', OLD),
    run: async (replica) => replica.write('a/f', sourceOf(NEW), expecting(await observeFile(replica, 'a/f'))),
    kept: [OLD],
    whole: [OLD, NEW],
    after: { 'a/': 'directory', 'a/f': NEW },
  },
  {
    name: 'write whose new version cannot be put into place',
    fault: (operation) => (operation.startsWith('link /folder/.filecloudsync/tmp') ? 'EIO' : undefined),
    set: (world) => world.write('a/f', OLD),
    run: async (replica) => {
      const entry = await observeFile(replica, 'a/f');
      await expect(replica.write('a/f', sourceOf(NEW), expecting(entry))).rejects.toMatchObject({ name: 'PathError' });
    },
    kept: [OLD],
    whole: [OLD],
    after: { 'a/': 'directory', 'a/f': OLD },
  },
  {
    name: 'remove',
    set: (world) => world.write('a/b/f', OLD),
    run: async (replica) => replica.remove('a/b/f', expecting(await observeFile(replica, 'a/b/f'))),
    kept: [OLD],
    whole: [OLD],
    after: {},
  },
  {
    name: 'move',
    set: (world) => world.write('a/f', OLD),
    run: async (replica) => replica.move('a/f', 'b/g', expecting(await observeFile(replica, 'a/f'))),
    kept: [OLD],
    whole: [OLD],
    after: { 'a/': 'directory', 'b/': 'directory', 'b/g': OLD },
  },
  {
    name: 'keep in the trash',
    set: () => {},
    run: (replica) => replica.trash.keep('p', sourceOf(NEW), { reason: 'lost-conflict' }),
    kept: [],
    whole: [],
    after: {},
  },
];

const KEEPS: readonly (readonly [string, (seed: number) => CrashKeep])[] = [
  ['the process dies', () => 'all'],
  ['all that was not synced is lost', () => 'durable'],
  ['the first, third and so on of what was not synced is kept', () => alternating(0.1)],
  ['the second, fourth and so on of what was not synced is kept', () => alternating(0.9)],
  ['some of what was not synced is lost', randomOf],
];

async function trashed(replica: LocalReplica): Promise<string[]> {
  const contents: string[] = [];
  for (const item of await replica.trash.list()) {
    const source = await replica.trash.open(item.id);
    let text = '';
    for await (const chunk of source.read(0, item.sizeBytes)) text += new TextDecoder().decode(chunk);
    await source.close();
    contents.push(text);
  }
  return contents;
}

/** Checks what must hold after a crash, before and after the next run cleaned up. */
async function check(world: SimulatedWorld, scenario: Scenario): Promise<void> {
  const next = await preparedReplica(world, { runId: 'run2' });
  for (const round of ['before', 'after']) {
    if (round === 'after') await next.cleanUp();
    const files = Object.entries(world.tree())
      .filter(([path]) => !path.endsWith('/'))
      .map(([, text]) => text);
    for (const text of files) expect(scenario.whole).toContain(text);
    const inTrash = await trashed(next);
    for (const text of scenario.kept) expect([...files, ...inTrash]).toContain(text);
    for (const text of inTrash) expect([OLD, NEW]).toContain(text);
  }
  expect(world.staged()).toEqual([]);
  const left = Object.keys(world.disk.user.tree('.filecloudsync/trash')).filter((path) => !path.endsWith('/'));
  expect(left).toHaveLength((await next.trash.list()).length * 2);
}

/** Runs the scenario with a crash at one step; answers whether the step was reached. */
async function crashAt(scenario: Scenario, step: number, keep: CrashKeep): Promise<boolean> {
  const world = simulatedWorld(scenario.traits);
  scenario.set(world);
  const replica = await preparedReplica(world);
  world.disk.fault = scenario.fault;
  let count = 0;
  world.disk.step = () => {
    count += 1;
    if (count === step) world.disk.crash({ keep });
  };
  let done = false;
  try {
    await scenario.run(replica);
    done = true;
  } catch (error) {
    expect(String(error) + String((error as { cause?: unknown }).cause)).toContain('ECRASHED');
  }
  world.disk.step = undefined;
  world.disk.fault = undefined;
  if (count < step) {
    // The end was reached: what is done has to be durable.
    expect(done).toBe(true);
    world.disk.crash({ keep });
    const found = world.tree();
    for (const [path, text] of Object.entries(scenario.after)) if (!path.endsWith('/')) expect(found[path]).toBe(text);
  }
  await check(world, scenario);
  return count >= step;
}

describe.each(KEEPS)('when %s', (_, keepOf) => {
  it.each(SCENARIOS.map((scenario) => [scenario.name, scenario] as const))(
    '%s loses nothing at any step, and leaves nothing behind',
    async (_name, scenario) => {
      let steps = 0;
      for (let seed = 1; seed <= (keepOf === randomOf ? SEEDS : 1); seed++) {
        let step = 1;
        while (await crashAt(scenario, step, keepOf(seed * 7919 + step))) step += 1;
        steps = step;
      }
      expect(steps).toBeGreaterThan(15);
    },
  );
});

describe.each(['EIO', 'ENOSPC', 'EMFILE', 'EACCES', 'EROFS'])('when an operation fails with %s', (code) => {
  it.each(SCENARIOS.filter(({ fault }) => fault === undefined).map((scenario) => [scenario.name, scenario] as const))(
    '%s says so or is done, for every operation',
    async (_name, scenario) => {
      for (const sticky of [false, true]) {
        for (let n = 1; ; n++) {
          const world = simulatedWorld(scenario.traits);
          scenario.set(world);
          const replica = await preparedReplica(world);
          world.disk.failNth(n, code, { sticky });
          const before = world.disk.operations;
          const outcome = await scenario.run(replica).then(
            (value) => ({ value }),
            (error: unknown) => ({ error }),
          );
          const used = world.disk.operations - before;
          world.disk.fault = undefined;
          if ('error' in outcome) {
            const { code: named, name, message } = outcome.error as { code: string; name: string; message: string };
            // The scenario's own helper throws a plain error when `observe` finds the path problematic.
            if (!message.startsWith('no file at'))
              expect([name, named]).toEqual(['PathError', expect.stringMatching(/^ERR_/)]);
          } else if (
            !('outcome' in (outcome.value as object)) ||
            (outcome.value as { outcome: string }).outcome === 'done'
          ) {
            for (const [path, text] of Object.entries(scenario.after))
              if (!path.endsWith('/')) expect(world.tree()[path]).toBe(text);
          }
          world.disk.crash({ keep: 'all' });
          await check(world, scenario);
          if (used < n) break;
        }
      }
    },
  );
});

it('a disk that is full is named, and the staged file is gone', async () => {
  const world = simulatedWorld();
  const replica = await preparedReplica(world);
  world.disk.fault = (operation) => (operation.startsWith('write') ? 'ENOSPC' : undefined);
  await expect(replica.write('f', sourceOf(NEW), null)).rejects.toMatchObject({
    name: 'PathError',
    code: 'ERR_DISK_FULL',
    retryable: true,
  });
  expect(world.staged()).toEqual([]);
});

it('content whose sync failed is thrown away', async () => {
  const world = simulatedWorld();
  const replica = await preparedReplica(world);
  world.disk.fault = (operation) => (/^sync .*tmp\/run1/.test(operation) ? 'EIO' : undefined);
  await expect(replica.write('f', sourceOf(NEW), null)).rejects.toMatchObject({ code: 'ERR_DISK_IO' });
  expect(world.staged()).toEqual([]);
  expect(world.tree()).toEqual({});
});

it('replays to the same state from the same numbers', async () => {
  const run = async (): Promise<string> => {
    const world = simulatedWorld();
    world.write('a/f', OLD);
    const replica = await preparedReplica(world);
    const trace: string[] = [];
    world.disk.step = (operation) => {
      trace.push(operation);
      if (trace.length === 30) world.disk.crash({ keep: randomOf(5) });
    };
    await replica.write('a/f', sourceOf(NEW), expecting(await observeFile(replica, 'a/f'))).catch(() => {});
    return JSON.stringify([trace, world.disk.user.tree()]);
  };
  expect(await run()).toBe(await run());
});

it('replicaOf touches nothing before it is prepared', () => {
  const world = simulatedWorld();
  replicaOf(world);
  expect(world.disk.operations).toBe(0);
});
