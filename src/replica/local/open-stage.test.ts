import { beforeEach, describe, expect, it } from 'vitest';
import { simulatedWorld, testRuntime } from '../../../test/local/local-world.js';
import type { DirectoryHandle } from './file-system.js';
import type { LocalContext } from './local-context.js';
import { lastingStageOf, openLastingStage, openPassingStage, ownStages, recordNameOf } from './open-stage.js';
import type { StageIdentity } from './stage-record.js';

const IDENTITY: StageIdentity = { path: 'a/f', fingerprint: 'etag:25', sizeBytes: 25, rangeBytes: 10 };

let world: ReturnType<typeof simulatedWorld>;
let directory: DirectoryHandle;
let context: LocalContext;
/** What was asked of the disk. */
let trace: string[];

beforeEach(async () => {
  world = simulatedWorld();
  directory = await world.fileSystem.openRoot(world.root);
  // What a stage needs of it.
  context = {
    runId: 'run1',
    runtime: testRuntime({ nowMs: () => 0 }),
    stages: new Set(),
    pairId: 'pair',
  } as unknown as LocalContext;
  trace = [];
  world.disk.step = (operation) => void trace.push(operation.replace('/folder/', '').replace('/folder', ''));
});

const names = (): string[] => Object.keys(world.tree()).toSorted();
const open = (change: Partial<StageIdentity> = {}) => openLastingStage(context, directory, { ...IDENTITY, ...change });
/** The directory is held open by the test. */
const isAllClosed = (): boolean => world.openHandles() === 1;

describe('openPassingStage', () => {
  it('is an empty file of this run, under a name that no other has', async () => {
    const stage = await openPassingStage(context, directory);
    const other = await openPassingStage(context, directory);
    expect(stage.name).toMatch(/^run1-\w{12}$/);
    expect(names()).toEqual([stage.name, other.name].toSorted());
    expect(world.read(stage.name)).toBe('');
    expect(stage.record).toBeUndefined();
    expect(context.stages.size).toBe(0);
  });

  it.each(['discard', 'keep'] as const)('is taken away by %s: no later run knows of it', async (how) => {
    const stage = await openPassingStage(context, directory);
    await stage.settle();
    await stage[how]();
    expect([names(), isAllClosed()]).toEqual([[], true]);
  });

  it('leaves a name alone that was taken away', async () => {
    const stage = await openPassingStage(context, directory);
    stage.forgetName();
    await stage.discard();
    expect(isAllClosed()).toBe(true);
    expect(trace.filter((operation) => operation.startsWith('unlink '))).toEqual([]);
  });

  it('is discarded though its name cannot be taken away', async () => {
    const stage = await openPassingStage(context, directory);
    world.disk.fault = () => 'EIO';
    await stage.discard();
    expect(isAllClosed()).toBe(true);
  });
});

describe('openLastingStage', () => {
  it('begins with an empty file, and a record beside it', async () => {
    const stage = await open();
    expect(names()).toEqual([stage.name, `${stage.name}.ranges`]);
    expect(world.read(stage.name)).toBe('');
    expect(stage.record?.held.size).toBe(0);
    expect([...context.stages]).toEqual([stage.name]);
  });

  it('has one name for each version of a path in a pair, which each run finds again', async () => {
    const nameOf = async (change: Partial<StageIdentity>, pairId = 'pair') => {
      context = { ...context, pairId };
      const stage = await open(change);
      await stage.discard();
      return stage.name;
    };
    const name = await nameOf({});
    expect(name).toMatch(/^lasting-[0-9a-f]{8}-[0-9a-f]{32}$/);
    expect(await nameOf({ rangeBytes: 11 })).toBe(name);
    const others = [
      await nameOf({ path: 'b/f' }),
      await nameOf({ fingerprint: 'other' }),
      await nameOf({ sizeBytes: 26 }),
      await nameOf({}, 'other'),
    ];
    expect(new Set([name, ...others]).size).toBe(5);
  });

  it('goes on with what was kept', async () => {
    const stage = await open();
    await stage.file.write(Buffer.from('aaaaaaaaaa'), 0);
    await stage.record?.note(0, 10, 7);
    await stage.keep();
    expect(isAllClosed()).toBe(true);
    const again = await open();
    expect(again.name).toBe(stage.name);
    expect(world.read(again.name)).toBe('aaaaaaaaaa');
    expect([...(again.record?.held ?? [])]).toEqual([[0, { length: 10, checksum: 7 }]]);
    await again.discard();
    expect([names(), isAllClosed()]).toEqual([[], true]);
  });

  it('is not taken away any more once it is kept', async () => {
    const stage = await open();
    await stage.keep();
    await stage.discard();
    expect(names()).toHaveLength(2);
  });

  it('ends its record durably, and then is a file that can have another name', async () => {
    const stage = await open();
    trace.length = 0;
    await stage.settle();
    expect(trace).toEqual([`unlink ${stage.name}.ranges`, 'sync ']);
    expect(names()).toEqual([stage.name]);
    trace.length = 0;
    await stage.discard();
    expect(trace).toEqual([`unlink ${stage.name}`]);
    expect([names(), isAllClosed()]).toEqual([[], true]);
  });

  it('leaves a name alone that was taken away', async () => {
    const stage = await open();
    await stage.settle();
    stage.forgetName();
    trace.length = 0;
    await stage.discard();
    expect([trace, isAllClosed()]).toEqual([[], true]);
  });

  describe('begins anew', () => {
    /** A stage that was kept with ten bytes. */
    async function kept(): Promise<string> {
      const stage = await open();
      await stage.file.write(Buffer.from('aaaaaaaaaa'), 0);
      await stage.record?.note(0, 10, 7);
      await stage.keep();
      trace.length = 0;
      return stage.name;
    }

    /** Opens it again, which has to be empty, with nothing else left open. */
    async function expectAnew(): Promise<void> {
      const stage = await open();
      expect(world.read(stage.name)).toBe('');
      expect(stage.record?.held.size).toBe(0);
      await stage.record?.note(0, 1, 1);
      await stage.discard();
      expect(isAllClosed()).toBe(true);
    }

    it('where the record is gone', async () => {
      world.remove(recordNameOf(await kept()));
      await expectAnew();
    });

    it('where the file is gone', async () => {
      world.remove(await kept());
      await expectAnew();
    });

    it('where the record is of other ranges', async () => {
      await kept();
      const stage = await open({ rangeBytes: 5 });
      expect(stage.record?.held.size).toBe(0);
      expect(world.read(stage.name)).toBe('');
    });

    it('where the file is longer than the version, not where it is as long', async () => {
      const name = await kept();
      world.write(name, 'x'.repeat(25));
      const whole = await open();
      expect(world.read(name)).toBe('x'.repeat(25));
      await whole.keep();
      world.write(name, 'x'.repeat(26));
      await expectAnew();
    });

    it('where the file has another name as well, and does not write to that one', async () => {
      await directory.link(await kept(), directory, 'mine');
      await expectAnew();
      expect(world.read('mine')).toBe('aaaaaaaaaa');
    });

    it('where a link took the place of the file, and does not follow it', async () => {
      const name = await kept();
      world.remove(name);
      world.write('mine', 'mine');
      world.symlink('mine', name);
      await expectAnew();
      expect(world.read('mine')).toBe('mine');
    });

    it('where a device took the place of the file', async () => {
      const name = await kept();
      world.remove(name);
      world.disk.user.makeSpecial(name);
      await expectAnew();
    });

    it.each(['reopenFile', 'stat'])('where the disk fails at the %s of the file', async (operation) => {
      const name = await kept();
      world.disk.fault = (each) => (each === `${operation} /folder/${name}` ? 'EIO' : undefined);
      await expectAnew();
    });
  });

  it('throws what is no failure of the disk', async () => {
    const stage = await open();
    await stage.keep();
    world.disk.step = (operation) => {
      if (operation === `reopenFile /folder/${stage.name}`) throw new Error('stopped');
    };
    await expect(open()).rejects.toThrow('stopped');
  });

  it('leaves nothing behind, and nothing open, when the record cannot be begun', async () => {
    world.disk.fault = (operation) => (operation.startsWith('write ') ? 'ENOSPC' : undefined);
    await expect(open()).rejects.toMatchObject({ code: 'ENOSPC' });
    expect([names(), isAllClosed()]).toEqual([[], true]);
  });
});

describe('lastingStageOf', () => {
  const stage = `lasting-${'0'.repeat(8)}-${'f'.repeat(32)}`;

  it('knows a stage and its record by their names', () => {
    expect(lastingStageOf(stage)).toBe(stage);
    expect(lastingStageOf(recordNameOf(stage))).toBe(stage);
  });

  it.each([
    `x${stage}`,
    `${stage}0`,
    `${stage}.ranges.ranges`,
    `${stage}.rangesx`,
    stage.slice(0, -1),
    stage.replace('00000000', '0000000'),
    stage.replaceAll('f', 'g'),
    stage.toUpperCase(),
    'run1-000000000000',
  ])('knows no other name: %s', (name) => {
    expect(lastingStageOf(name)).toBeUndefined();
  });
});

describe('ownStages', () => {
  it('begins the names of the stages of one pair, and of no other', async () => {
    const { name } = await open();
    expect(name.startsWith(ownStages(context))).toBe(true);
    expect(name.startsWith(ownStages({ ...context, pairId: 'other' }))).toBe(false);
    expect(ownStages(context)).toMatch(/^lasting-[0-9a-f]{8}-$/);
  });
});
