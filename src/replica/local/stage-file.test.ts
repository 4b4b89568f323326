import { createHash } from 'node:crypto';
import { linkSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  preparedReplica,
  realWorld,
  simulatedWorld,
  sourceOf,
  WORLDS,
  type World,
} from '../../../test/local/local-world.js';
import { PathError, S3ConnectionError, StaleError } from '../../errors.js';
import type { Source } from '../replica.js';
import type { LocalReplica, LocalReplicaOptions } from './local-replica.js';
import { createNodeFileSystem } from './node-file-system.js';

const RANGE = 10;
/** Six ranges, the last one short. */
const TEXT = 'aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeefff';
const md5 = (text: string): string => `md5:${createHash('md5').update(text).digest('hex')}`;

/** A source that tells which ranges it was asked for, and fails from the `failAt`-th on. */
function watchedSource(text: string, failAt = Infinity, failure: () => Error = lostLine): Source & { asked: number[] } {
  const inner = sourceOf(text, { fingerprint: `etag of ${text}`, digest: md5(text) });
  const asked: number[] = [];
  return {
    ...inner,
    asked,
    async *read(start, end) {
      if (asked.length >= failAt) throw failure();
      asked.push(start / RANGE);
      yield* inner.read(start, end);
    },
  };
}

function lostLine(): Error {
  return new S3ConnectionError('ERR_S3_UNREACHABLE', 'The line broke.', { retryable: true });
}

const OPTIONS: Partial<LocalReplicaOptions> = { keepsStages: true, stageRangeBytes: RANGE, rangeConcurrency: 1 };

/** The next run of the program. */
function nextRun(world: World, options: Partial<LocalReplicaOptions> = {}): Promise<LocalReplica> {
  return preparedReplica(world, { ...OPTIONS, runId: 'run2', ...options });
}

describe.each(WORLDS)('stageFile on %s', (_name, make) => {
  let world: World;
  beforeEach(() => {
    world = make();
  });
  afterEach(() => world.dispose());

  /** A download that broke off after three ranges. */
  async function brokenOff(failure?: () => Error): Promise<void> {
    const replica = await preparedReplica(world, OPTIONS);
    await expect(replica.write('f', watchedSource(TEXT, 3, failure), null)).rejects.toThrow();
  }

  it('goes on where a run broke off, and leaves nothing behind', async () => {
    await brokenOff();
    const replica = await nextRun(world);
    await replica.cleanUp();
    const source = watchedSource(TEXT);
    const told: number[] = [];
    expect(await replica.write('f', source, null, { onBytes: (count) => told.push(count) })).toMatchObject({
      outcome: 'done',
      digest: md5(TEXT),
    });
    expect(source.asked).toEqual([3, 4, 5]);
    expect(told.reduce((sum, count) => sum + count, 0)).toBe(TEXT.length);
    expect(world.read('f')).toBe(TEXT);
    expect(world.staged()).toEqual([]);
  });

  it('goes on within a large range, from the last whole MiB that arrived', async () => {
    const mib = 1024 * 1024;
    const text = 'The quick brown fox. '.repeat(300_000).slice(0, 5 * mib);
    const options = { ...OPTIONS, stageRangeBytes: 4 * mib };
    const asked: [number, number][] = [];
    const source = (failAt: number): Source => {
      const inner = sourceOf(text, { fingerprint: 'large', digest: md5(text), chunk: 100_000 });
      return {
        ...inner,
        async *read(start, end) {
          asked.push([start, end]);
          let position = start;
          for await (const chunk of inner.read(start, end)) {
            if (position >= failAt) throw lostLine();
            yield chunk;
            position += chunk.length;
          }
        },
      };
    };
    await expect((await preparedReplica(world, options)).write('f', source(2.5 * mib), null)).rejects.toThrow();
    asked.length = 0;
    const told: number[] = [];
    const replica = await nextRun(world, options);
    await replica.write('f', source(Infinity), null, { onBytes: (count) => told.push(count) });
    expect(asked).toEqual([
      [2 * mib, 4 * mib],
      [4 * mib, 5 * mib],
    ]);
    expect(told.reduce((sum, count) => sum + count, 0)).toBe(text.length);
    expect(world.read('f') === text).toBe(true);
  });

  it('goes on after the caller has aborted', async () => {
    const replica = await preparedReplica(world, OPTIONS);
    const stop = new AbortController();
    const source = watchedSource(TEXT, 2, () => {
      stop.abort();
      return new Error('aborted');
    });
    await expect(replica.write('f', source, null, { signal: stop.signal })).rejects.toThrow();
    const again = watchedSource(TEXT);
    await replica.write('f', again, null);
    expect(again.asked).toEqual([2, 3, 4, 5]);
    expect(world.read('f')).toBe(TEXT);
  });

  it('fetches again what is not on the disk as it arrived', async () => {
    await brokenOff();
    const [stage = ''] = world.staged().filter((name) => !name.endsWith('.ranges'));
    world.write(`.filecloudsync/tmp/${stage}`, 'aaaaaaaaaabbbbXbbbbbcccccccccc');
    const source = watchedSource(TEXT);
    await (await nextRun(world)).write('f', source, null);
    expect(source.asked).toEqual([1, 3, 4, 5]);
    expect(world.read('f')).toBe(TEXT);
  });

  it('fetches all that it has not seen arrive when the whole is not what it should be', async () => {
    // Another content of the same name and size: what is noted of it is true of its bytes, and wrong for this digest.
    const other = sourceOf(`${TEXT.slice(0, 15)}Z${TEXT.slice(16)}`, { fingerprint: `etag of ${TEXT}` });
    const replica = await preparedReplica(world, OPTIONS);
    let reads = 0;
    const failing: Source = {
      ...other,
      async *read(start, end) {
        if (reads++ === 3) throw lostLine();
        yield* other.read(start, end);
      },
    };
    await expect(replica.write('f', failing, null)).rejects.toThrow();
    const source = watchedSource(TEXT);
    await (await nextRun(world)).write('f', source, null);
    expect(source.asked).toEqual([3, 4, 5, 0, 1, 2]);
    expect(world.read('f')).toBe(TEXT);
    expect(world.staged()).toEqual([]);
  });

  it('begins anew for another version', async () => {
    await brokenOff();
    const source = watchedSource(TEXT.toUpperCase());
    const replica = await nextRun(world);
    await replica.write('f', source, null);
    expect(source.asked).toEqual([0, 1, 2, 3, 4, 5]);
    expect(world.read('f')).toBe(TEXT.toUpperCase());
    await replica.cleanUp({ cycleEnded: true });
    expect(world.staged()).toEqual([]);
  });

  it('keeps nothing of a version that is gone, or that failed for good', async () => {
    await brokenOff(() => new StaleError('another one stands there'));
    expect(world.staged()).toEqual([]);
    await brokenOff(() => new PathError('ERR_S3_RANGE', 'another range came'));
    expect(world.staged()).toEqual([]);
  });

  it('keeps nothing unless it was asked to', async () => {
    const replica = await preparedReplica(world, { ...OPTIONS, keepsStages: false });
    await expect(replica.write('f', watchedSource(TEXT, 3), null)).rejects.toThrow();
    expect(world.staged()).toEqual([]);
  });

  it('reads a record as far as it was written', async () => {
    await brokenOff();
    const [record = ''] = world.staged().filter((name) => name.endsWith('.ranges'));
    const text = world.read(`.filecloudsync/tmp/${record}`) ?? '';
    world.write(`.filecloudsync/tmp/${record}`, text.slice(0, -3));
    const source = watchedSource(TEXT, 2);
    await expect((await nextRun(world)).write('f', source, null)).rejects.toThrow();
    // What is noted after the line that was cut off counts.
    const last = watchedSource(TEXT);
    await (await nextRun(world, { runId: 'run3' })).write('f', last, null);
    expect([...source.asked, ...last.asked]).toEqual([2, 3, 4, 5]);
  });

  it('does not begin a stage for a file of one range', async () => {
    const replica = await preparedReplica(world, OPTIONS);
    await expect(replica.write('f', watchedSource('short', 0), null)).rejects.toThrow();
    expect(world.staged()).toEqual([]);
  });
});

describe('a staged file that is kept', () => {
  it('is not gone on with after a failed fsync', async () => {
    const world = simulatedWorld();
    const replica = await preparedReplica(world, OPTIONS);
    world.disk.fault = (operation) =>
      operation.startsWith('sync /folder/.filecloudsync/tmp/lasting') ? 'EIO' : undefined;
    await expect(replica.write('f', watchedSource(TEXT), null)).rejects.toMatchObject({ code: 'ERR_DISK_IO' });
    expect(world.staged()).toEqual([]);
  });

  it('is not written to when it has a second name', async () => {
    const world = realWorld('descriptors', createNodeFileSystem);
    try {
      const replica = await preparedReplica(world, OPTIONS);
      await expect(replica.write('f', watchedSource(TEXT, 3), null)).rejects.toThrow();
      const [stage = ''] = world.staged().filter((name) => !name.endsWith('.ranges'));
      const other = join(world.root, 'mine');
      linkSync(join(world.root, '.filecloudsync/tmp', stage), other);
      await (await nextRun(world)).write('f', watchedSource(TEXT), null);
      expect(readFileSync(other, 'utf8')).toBe(TEXT.slice(0, 3 * RANGE));
      expect(world.read('f')).toBe(TEXT);
    } finally {
      world.dispose();
    }
  });
});

describe('cleanUp', () => {
  async function withStage(): Promise<World> {
    const world = simulatedWorld();
    const replica = await preparedReplica(world, OPTIONS);
    await expect(replica.write('f', watchedSource(TEXT, 3), null)).rejects.toThrow();
    return world;
  }

  it('removes a stage that a whole cycle did not go on with', async () => {
    const world = await withStage();
    const replica = await nextRun(world);
    await replica.cleanUp();
    expect(world.staged()).toHaveLength(2);
    await replica.cleanUp({ cycleEnded: true });
    expect(world.staged()).toEqual([]);
  });

  it('leaves the stages of the cycle that ends, and those of other pairs', async () => {
    const world = await withStage();
    const other = await nextRun(world, { pairId: 'other' });
    await other.cleanUp({ cycleEnded: true });
    expect(world.staged()).toHaveLength(2);
    const replica = await nextRun(world);
    await expect(replica.write('f', watchedSource(TEXT, 1), null)).rejects.toThrow();
    await replica.cleanUp({ cycleEnded: true });
    expect(world.staged()).toHaveLength(2);
    await replica.cleanUp({ cycleEnded: true });
    expect(world.staged()).toEqual([]);
  });

  it('removes a stage without its record, a record without its stage, and one that is some days old', async () => {
    for (const lost of ['.ranges', '']) {
      const world = await withStage();
      const [stage = ''] = world.staged().filter((name) => !name.endsWith('.ranges'));
      world.remove(`.filecloudsync/tmp/${stage}${lost}`);
      await (await nextRun(world)).cleanUp();
      expect(world.staged()).toEqual([]);
    }
    const world = await withStage();
    const [record = ''] = world.staged().filter((name) => name.endsWith('.ranges'));
    const text = world.read(`.filecloudsync/tmp/${record}`) ?? '';
    const dayMs = 86_400_000;
    for (const [days, left] of [
      [6, 2],
      [8, 0],
    ] as const) {
      world.write(`.filecloudsync/tmp/${record}`, text, world.runtime.clock.nowMs() - days * dayMs);
      await (await nextRun(world)).cleanUp();
      expect(world.staged()).toHaveLength(left);
    }
  });
});
