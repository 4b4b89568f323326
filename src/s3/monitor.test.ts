import type { S3Client } from '@aws-sdk/client-s3';
import { afterEach, describe, expect, it } from 'vitest';
import type { PathChange } from '../core/change.js';
import type { Conflict } from '../core/conflict.js';
import type { Clock } from '../core/runtime.js';
import { FileCloudSyncError, HaltError, S3ConnectionError } from '../errors.js';
import type { SessionEvent } from '../session/event.js';
import type { CycleResult } from '../session/result.js';
import type { WatchListener } from '../session/watch.js';
import type { Change } from './change.js';
import { checkChanges } from './check-changes.js';
import { Monitor } from './monitor.js';
import type { MonitorOptions } from './monitor-options.js';
import type { MonitorPorts } from './monitor-ports.js';
import type { Pair, PairSyncOptions } from './pair.js';
import { sync } from './sync.js';

const client = {
  send: () => undefined,
  config: {},
  destroy: () => void world.log.push('destroy'),
} as unknown as S3Client;
const added: PathChange = { path: 'a.txt', operation: 'added', origin: 'local' };
const deleted: PathChange = { path: 'b.txt', operation: 'deleted', origin: 'remote' };
const problem = {
  path: 'p',
  side: 'local',
  code: 'ERR_FILE_UNREADABLE',
  message: 'cannot be read',
  severity: 'error',
} as const;

/** Time that moves only when the test says so. */
class TestClock implements Clock {
  #nowMs = 1_000_000;
  readonly #sleepers = new Set<{ atMs: number; readonly wake: () => void }>();

  nowMs(): number {
    return this.#nowMs;
  }

  sleep(durationMs: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const sleeper = { atMs: this.#nowMs + durationMs, wake: () => (this.#sleepers.delete(sleeper), resolve()) };
      this.#sleepers.add(sleeper);
      signal?.addEventListener('abort', () => (this.#sleepers.delete(sleeper), reject(signal.reason)), { once: true });
    });
  }

  /** Lets time pass, sleeper by sleeper, and everything settle after each. */
  async pass(durationMs: number): Promise<void> {
    const untilMs = this.#nowMs + durationMs;
    await settle();
    for (;;) {
      const next = [...this.#sleepers].toSorted((a, b) => a.atMs - b.atMs)[0];
      if (next === undefined || next.atMs > untilMs) break;
      this.#nowMs = Math.max(this.#nowMs, next.atMs);
      next.wake();
      await settle();
    }
    this.#nowMs = untilMs;
  }

  /** Sets the time back; who sleeps goes on as long. */
  setBack(durationMs: number): void {
    this.#nowMs -= durationMs;
    for (const sleeper of this.#sleepers) sleeper.atMs -= durationMs;
  }

  get sleeping(): number {
    return this.#sleepers.size;
  }
}

/** What the next cycles do: their changes, or what they throw. The last one stands for all that follow. */
type Script = Partial<CycleResult> | Error | ((signal: AbortSignal | undefined) => Promise<Partial<CycleResult>>);

class World {
  readonly clock = new TestClock();
  readonly log: string[] = [];
  readonly errors: Error[] = [];
  readonly warnings: string[] = [];
  readonly script: Script[] = [];
  openError: Error | undefined;
  /** The cycles fail before they begin: the bucket or the folder cannot be used at all. */
  failsBefore = false;
  removeError: Error | undefined;
  cycles = 0;
  opened = 0;
  /** Whether a pair is kept from others. */
  held = 0;
  /** What each cycle was asked to look at. */
  readonly looked: string[] = [];
  readonly deletedBefore: number[] = [];
  listener: WatchListener | undefined;
  hearsEverything = false;
  /** What is found in the bucket can be judged without a look at the folder. */
  pollsSuffice = true;
  check: () => void = () => undefined;

  readonly ports: MonitorPorts = {
    clock: this.clock,
    connect: async () => client,
    warn: (message) => void this.warnings.push(message),
    watchFolder: () => {
      const hears = (): boolean => this.hearsEverything;
      return {
        get hearsEverything() {
          return hears();
        },
        start: async (listener) => void (this.listener = listener),
        check: async () => this.check(),
        close: async () => void (this.listener = undefined),
      };
    },
    open: async () => {
      if (this.openError !== undefined) throw this.openError;
      this.opened++;
      return {
        rest: async () => void (this.held = 0),
        sync: async ({ signal, onEvent, touched, poll, deletedBefore = 0 }: PairSyncOptions) => {
          this.cycles++;
          this.held = 1;
          const whole = poll === true ? 'bucket' : 'everything';
          this.looked.push(touched === undefined ? whole : touched.toSorted().join(' '));
          this.deletedBefore.push(deletedBefore);
          if (!this.failsBefore) onEvent?.({ type: 'begin', runId: 'run' });
          const step = (this.script.length > 1 ? this.script.shift() : this.script[0]) ?? {};
          const found = typeof step === 'function' ? await step(signal) : step;
          if (found instanceof Error) throw found;
          const result = resultOf(poll === true && this.pollsSuffice ? { poll: true, ...found } : found);
          for (const event of eventsOf(result)) onEvent?.(event);
          return result;
        },
        removeFolder: async ({ unsynced }: { unsynced: boolean }) => {
          if (this.removeError !== undefined) throw this.removeError;
          this.log.push(`removed ${unsynced ? 'with' : 'without'} unsynced`);
        },
        plan: async () => ({ totals: {}, changes: [added], compares: ['c'], problems: [], held: [], halt: undefined }),
        close: async () => void this.opened--,
      } as unknown as Pair;
    },
  };

  monitor(options: MonitorOptions = {}): Monitor {
    const monitor = new Monitor('photos', 'folder', { client, watch: false, ...options }, this.ports);
    monitor.on('error', (error) => this.errors.push(error));
    return monitor;
  }
}

let world = new World();
afterEach(() => {
  expect(world.opened).toBe(0);
  world = new World();
});

describe('Monitor', () => {
  it('does nothing when it is made', async () => {
    world.monitor();
    await settle();
    expect(world.cycles).toBe(0);
  });

  it('throws all usage errors at once', () => {
    const bad = { delaySeconds: 0, readOnly: true } as MonitorOptions;
    expect(() => new Monitor('', '', bad, world.ports)).toThrow(
      expect.objectContaining({
        code: 'ERR_USAGE',
        data: { call: 'Monitor', errors: expect.objectContaining({ length: 4 }) },
      }),
    );
  });

  it('starts with a cycle, whose changes the handlers are told, runs one every delay, and a last one', async () => {
    world.script.push({ changes: [added] }, {}, { changes: [deleted] });
    const told: unknown[] = [];
    const monitor = world.monitor({ delaySeconds: 60 });
    monitor
      .addOnChangeHandle((...change) => told.push(change))
      .addOnFinishHandle((changes) => told.push(['finish', changes]));
    await monitor.start();
    expect(told).toEqual([['a.txt', 'added', 'local']]);
    await world.clock.pass(59_999);
    expect(world.cycles).toBe(1);
    await world.clock.pass(1);
    expect(world.cycles).toBe(2);
    const last: Change = { key: 'b.txt', operation: 'deleted', location: 'bucket' };
    expect(await monitor.stop()).toEqual([last]);
    await monitor.finished;
    expect(told.slice(1)).toEqual([
      ['b.txt', 'deleted', 'bucket'],
      ['finish', [last]],
    ]);
    expect(world.clock.sleeping).toBe(0);
    await world.clock.pass(1_000_000);
    expect(world.cycles).toBe(3);
    expect(world.log).toEqual([]);
  });

  it('gives the finish handlers an empty list when there was nothing', async () => {
    const finished: unknown[] = [];
    const monitor = world.monitor();
    monitor.addOnFinishHandle((changes) => finished.push(changes));
    await monitor.start();
    await Promise.all([monitor.stop(), monitor.stop()]);
    expect(finished).toEqual([[]]);
    expect(world.cycles).toBe(2);
  });

  it('runs once: start again answers the same, start after stop is refused, stop before start ends it', async () => {
    const monitor = world.monitor();
    expect(monitor.start()).toBe(monitor.start());
    await monitor.stop();
    const unused = world.monitor();
    expect(await unused.stop()).toEqual([]);
    await unused.finished;
    await expect(unused.start()).rejects.toMatchObject({ code: 'ERR_MONITOR_ENDED' });
    expect(world.cycles).toBe(2);
  });

  it('stops after the first cycle when it is stopped while it starts', async () => {
    const monitor = world.monitor();
    const starting = monitor.start();
    await monitor.stop();
    await starting;
    expect(world.cycles).toBe(2);
    expect(world.clock.sleeping).toBe(0);
  });

  it('goes on after an error, with longer waits', async () => {
    world.script.push(new HaltError('ERR_SIDE_EMPTY', 'empty'));
    const monitor = world.monitor({ delaySeconds: 60 });
    await monitor.start();
    expect(world.errors).toHaveLength(1);
    for (const [passMs, cycles] of [
      [60_000, 2],
      [60_000, 2],
      [60_000, 3],
      [239_999, 3],
      [1, 4],
    ] as const) {
      await world.clock.pass(passMs);
      expect(world.cycles).toBe(cycles);
    }
    world.script.splice(0, 1, {});
    await world.clock.pass(480_000);
    await world.clock.pass(60_000);
    expect(world.cycles).toBe(6);
    await monitor.stop();
    expect(world.errors).toHaveLength(4);
  });

  it.each(['open', 'look'])('does not start when there is nothing to monitor: %s', async (step) => {
    const error = new S3ConnectionError('ERR_S3_BUCKET_NOT_FOUND', 'no bucket');
    if (step === 'open') world.openError = error;
    world.failsBefore = true;
    world.script.push(error);
    const monitor = world.monitor();
    await expect(monitor.start()).rejects.toBe(error);
    await monitor.finished;
    expect(await monitor.stop()).toEqual([]);
    expect(world.errors).toEqual([]);
  });

  it('starts when the connection is lost in the first cycle', async () => {
    world.script.push(new S3ConnectionError('ERR_S3_CONNECTION_LOST', 'lost'), {});
    const monitor = world.monitor();
    await monitor.start();
    expect(world.errors).toHaveLength(1);
    await monitor.stop();
    expect(world.errors).toHaveLength(1);
  });

  it('does not start without a connection', async () => {
    const error = new S3ConnectionError('ERR_NO_CREDENTIALS', 'none');
    const monitor = new Monitor('photos', 'folder', {}, { ...world.ports, connect: () => Promise.reject(error) });
    await expect(monitor.start()).rejects.toBe(error);
  });

  it('destroys the client that it made, and no other', async () => {
    const monitor = new Monitor('photos', 'folder', { watch: false }, world.ports);
    await monitor.start();
    await monitor.stop();
    expect(world.log).toEqual(['destroy']);
  });

  it('goes on when handlers throw or reject, and tells the others', async () => {
    world.script.push({ changes: [added] });
    const told: string[] = [];
    const monitor = world.monitor();
    monitor.addOnChangeHandle(() => {
      throw new Error('first');
    });
    monitor.addOnChangeHandle(async () => Promise.reject(new Error('second')));
    monitor.addOnChangeHandle((key) => told.push(key));
    monitor.on('finish', () => {
      throw new Error('third');
    });
    await monitor.start();
    await monitor.stop();
    await settle();
    expect(told).toEqual(['a.txt', 'a.txt']);
    expect(world.errors.map(({ message }) => message.replace(/.*threw: /, ''))).toEqual(
      expect.arrayContaining(['first', 'second', 'third']),
    );
    expect(world.errors).toHaveLength(5);
  });

  it('warns of an error for which nobody listens, and of listeners of errors that throw', async () => {
    world.script.push(new Error('broken'));
    const silent = new Monitor('photos', 'folder', { client, watch: false }, world.ports);
    await silent.start();
    expect(world.warnings).toEqual([expect.stringContaining('broken')]);
    silent.on('error', () => {
      throw new Error('worse');
    });
    await silent.stop();
    expect(world.warnings).toEqual([expect.stringContaining('broken'), expect.stringContaining('worse')]);
  });

  it('removes handles', async () => {
    world.script.push({ changes: [added] });
    const told: string[] = [];
    const handle = (): void => void told.push('told');
    const monitor = world.monitor();
    monitor.addOnChangeHandle(handle).addOnFinishHandle(handle);
    expect(monitor.removeHandle(handle)).toBe(true);
    expect(monitor.removeHandle(handle)).toBe(false);
    await monitor.start();
    await monitor.stop();
    expect(told).toEqual([]);
  });

  it('tells a problem and a waiting conflict once, until they come again', async () => {
    const conflict: Conflict = { path: 'c', type: 'content', resolution: 'manual' };
    const standing = { problems: [problem], conflicts: [conflict] };
    world.script.push(standing, standing, {}, standing, {});
    const told: string[] = [];
    const monitor = world.monitor({ delaySeconds: 1 });
    monitor.on('problem', ({ path }) => told.push(path)).on('conflict', ({ path }) => told.push(path));
    await monitor.start();
    await world.clock.pass(1000);
    expect(told.toSorted()).toEqual(['c', 'p']);
    await world.clock.pass(2000);
    expect(told.toSorted()).toEqual(['c', 'c', 'p', 'p']);
    await monitor.stop();
  });

  it('carries what changed soon after, once it is quiet there, and nothing else', async () => {
    const monitor = world.monitor({ watch: true, delaySeconds: 60 });
    await monitor.start();
    await world.clock.pass(1000);
    // What changed before the watch stood is looked for at once.
    expect(world.looked).toEqual(['everything', 'everything']);
    world.listener?.onChange('a', 'written');
    await world.clock.pass(5);
    world.listener?.onChange('a', 'written');
    world.listener?.onChange('b', 'appeared');
    await world.clock.pass(99);
    expect(world.looked).toHaveLength(2);
    await world.clock.pass(1);
    expect(world.looked.slice(2)).toEqual(['a b']);
    expect(world.opened).toBe(1);
    expect(world.held).toBe(0);
    await monitor.stop();
    expect(world.looked.slice(3)).toEqual(['everything']);
    expect(world.listener).toBeUndefined();
  });

  it('looks at everything after the delay, however much changes meanwhile', async () => {
    const monitor = world.monitor({ watch: true, delaySeconds: 2 });
    await monitor.start();
    await world.clock.pass(500);
    for (let i = 0; i < 30; i++) {
      world.listener?.onChange(`f${i}`, 'written');
      await world.clock.pass(150);
    }
    expect(world.looked.filter((each) => each === 'everything').length).toBeGreaterThanOrEqual(4);
    expect(world.looked.filter((each) => each !== 'everything').length).toBeGreaterThanOrEqual(20);
    await monitor.stop();
  });

  it('carries a file to which something is always written, and makes no other file wait for it', async () => {
    const monitor = world.monitor({ watch: true, delaySeconds: 60 });
    await monitor.start();
    await world.clock.pass(1000);
    world.looked.length = 0;
    for (let i = 0; i < 50; i++) {
      world.listener?.onChange('log', 'written');
      if (i === 5) world.listener?.onChange('saved', 'appeared');
      await world.clock.pass(50);
      if (i === 8) expect(world.looked).toEqual(['saved']);
    }
    expect(world.looked).toContain('log');
    await monitor.stop();
  });

  it('judges what is gone together, and what came with it, once no more goes', async () => {
    const monitor = world.monitor({ watch: true, delaySeconds: 60 });
    await monitor.start();
    await world.clock.pass(1000);
    world.looked.length = 0;
    for (const path of ['a', 'b', 'c', 'd']) {
      world.listener?.onChange(path, 'gone');
      world.listener?.onChange(`new-${path}`, 'appeared');
      await world.clock.pass(60);
    }
    expect(world.looked).toEqual([]);
    await world.clock.pass(40);
    expect(world.looked).toEqual(['a b c d new-a new-b new-c new-d']);
    await monitor.stop();
  });

  it('looks at everything when changes were lost, or are too many to name', async () => {
    const monitor = world.monitor({ watch: true, delaySeconds: 60 });
    await monitor.start();
    await world.clock.pass(1000);
    world.looked.length = 0;
    world.listener?.onLost();
    await world.clock.pass(100);
    for (let i = 0; i <= 1000; i++) world.listener?.onChange(`f${i}`, 'written');
    await world.clock.pass(100);
    expect(world.looked).toEqual(['everything', 'everything']);
    await monitor.stop();
  });

  it('counts what it deleted in the bucket until everything was looked at again', async () => {
    const gone: PathChange = { path: 'x', operation: 'deleted', origin: 'local' };
    world.script.push({}, {}, { touchedPaths: 1, changes: [gone] }, { touchedPaths: 1, changes: [gone] }, {});
    const monitor = world.monitor({ watch: true, delaySeconds: 60 });
    await monitor.start();
    await world.clock.pass(1000);
    for (const path of ['x', 'y', 'z']) {
      world.listener?.onChange(path, 'gone');
      await world.clock.pass(1000);
    }
    expect(world.deletedBefore).toEqual([0, 0, 0, 1, 2]);
    await world.clock.pass(60_000);
    expect(world.deletedBefore.at(-1)).toBe(0);
    await monitor.stop();
  });

  it('looks at everything, in a pair opened anew, after a cycle over some paths failed', async () => {
    world.script.push({}, {}, new Error('cut off'), {});
    const monitor = world.monitor({ watch: true, delaySeconds: 5 });
    await monitor.start();
    await world.clock.pass(1000);
    world.listener?.onChange('a', 'written');
    await world.clock.pass(100);
    expect(world.looked).toEqual(['everything', 'everything', 'a']);
    expect(world.opened).toBe(0);
    await world.clock.pass(5000);
    expect(world.looked.at(-1)).toBe('everything');
    expect(world.errors.map(({ message }) => message)).toEqual(['cut off']);
    await monitor.stop();
  });

  it('tells a problem that still stands once, whatever is carried meanwhile', async () => {
    world.script.push({ problems: [problem] }, { problems: [problem] }, { touchedPaths: 1 }, { problems: [problem] });
    const told: string[] = [];
    const monitor = world.monitor({ watch: true, delaySeconds: 60 });
    monitor.on('problem', ({ path }) => told.push(path));
    await monitor.start();
    await world.clock.pass(1000);
    world.listener?.onChange('a', 'written');
    await world.clock.pass(60_000);
    expect(world.looked).toHaveLength(4);
    expect(told).toEqual(['p']);
    await monitor.stop();
  });

  it('does not tell of a cycle that only heard of its own work', async () => {
    world.script.push({}, {}, { touchedPaths: 0 }, {});
    let cycles = 0;
    const monitor = world.monitor({ watch: true, delaySeconds: 60 });
    monitor.on('cycle', () => cycles++);
    await monitor.start();
    await world.clock.pass(1000);
    world.listener?.onChange('downloaded', 'appeared');
    await world.clock.pass(1000);
    expect([world.cycles, cycles]).toEqual([3, 2]);
    await monitor.stop();
  });

  describe('asks the bucket alone after the delay, while everything in the folder is heard', () => {
    const MINUTE_MS = 60_000;
    let monitor: Monitor;

    async function begin(options: MonitorOptions = {}): Promise<void> {
      world.hearsEverything = true;
      monitor = world.monitor({ watch: true, delaySeconds: 60, ...options });
      await monitor.start();
      await world.clock.pass(1000);
      world.looked.length = 0;
    }

    afterEach(() => monitor.stop());

    async function minutes(count: number): Promise<readonly string[]> {
      world.looked.length = 0;
      for (let i = 0; i < count; i++) await world.clock.pass(MINUTE_MS);
      return world.looked;
    }

    const bucket = (count: number): string[] => Array.from({ length: count }, () => 'bucket');

    it('and looks at everything every ten minutes, and in the last cycle', async () => {
      await begin();
      expect(await minutes(20)).toEqual([...bucket(9), 'everything', ...bucket(9), 'everything']);
      await monitor.stop();
      expect(world.looked.at(-1)).toBe('everything');
    });

    it('in the pair that rests, which is opened anew for everything', async () => {
      let opened = 0;
      const { open } = world.ports;
      Object.assign(world.ports, { open: (...args: Parameters<typeof open>) => (opened++, open(...args)) });
      await begin();
      opened = 0;
      await minutes(9);
      expect([opened, world.held]).toEqual([0, 0]);
      await minutes(1);
      expect(opened).toBe(1);
    });

    it('and not where the delay is as long as the folder is believed', async () => {
      await begin({ delaySeconds: 600 });
      expect(await minutes(20)).toEqual(['everything', 'everything']);
    });

    it('and no longer than ten minutes without everything, though polls take long', async () => {
      const slow = async (): Promise<object> => (await world.clock.sleep(4 * MINUTE_MS), {});
      world.script.push({}, {}, slow, slow, {});
      await begin();
      expect(await minutes(12)).toEqual(['bucket', 'bucket', 'everything', 'bucket']);
    });

    it('and not much longer when the clock is set back', async () => {
      await begin();
      await minutes(1);
      world.clock.setBack(60 * MINUTE_MS);
      expect(await minutes(12)).toContain('everything');
    });

    it.each<[string, () => void]>([
      ['changes were lost', () => world.listener?.onLost()],
      ['not everything is heard any more', () => void (world.hearsEverything = false)],
      ['another folder is found to stand there', () => void (world.check = () => world.listener?.onLost())],
    ])('but at everything once %s', async (_what, happens) => {
      await begin();
      await minutes(1);
      happens();
      expect(await minutes(1)).toContain('everything');
      expect(world.looked).not.toContain('bucket');
    });

    it.each<[string, Partial<CycleResult>]>([
      ['a file of the folder could not be handled', { problems: [problem] }],
      ['a path was left alone', { held: [{ path: 'h', rule: 'R03', reason: 'readonly' }], heldCount: 1 }],
      ['a conflict waits', { conflicts: [{ path: 'c', type: 'content', resolution: 'manual' }] }],
    ])('but at everything, for as long as %s', async (_what, standing) => {
      world.script.push({}, standing, standing, {});
      await begin();
      expect(await minutes(3)).toEqual(['everything', 'everything', 'bucket']);
    });

    it('but at everything after a cycle over the bucket left something of the folder', async () => {
      world.script.push({}, {}, { problems: [problem] }, {});
      await begin();
      expect(await minutes(3)).toEqual(['bucket', 'everything', 'bucket']);
    });

    it('also where something stands in the bucket that cannot be handled, and tells it once', async () => {
      const told: string[] = [];
      world.script.push({ problems: [{ ...problem, side: 'remote' }] });
      await begin();
      monitor.on('problem', ({ path }) => told.push(path));
      expect(await minutes(12)).toContain('bucket');
      expect(told).toEqual([]);
    });

    it.each<[string, Partial<CycleResult> | Error]>([
      ['failed', new Error('cut off')],
      ['could not carry all', { touchedPaths: 1, problems: [problem] }],
      ['could not look at all', { touchedPaths: 0, leftPaths: 1 }],
    ])('but at everything after a cycle over what changed %s', async (_what, found) => {
      world.script.push({}, {}, found, ...(found instanceof Error ? [] : [{ touchedPaths: 1 }]), {});
      await begin();
      world.listener?.onChange('a', 'written');
      await world.clock.pass(1000);
      // One after it that left nothing settles only its own.
      world.listener?.onChange('b', 'written');
      await world.clock.pass(1000);
      expect((await minutes(3)).slice(0, 2)).toEqual(['everything', 'bucket']);
    });

    it('and forgets nothing of what still waits to be carried', async () => {
      await begin();
      await world.clock.pass(MINUTE_MS - 950);
      world.listener?.onChange('a', 'written');
      world.looked.length = 0;
      await world.clock.pass(1000);
      expect(world.looked).toEqual(['bucket', 'a']);
    });

    it('and goes on counting what it deleted in the bucket', async () => {
      const gone: PathChange = { path: 'x', operation: 'deleted', origin: 'local' };
      world.script.push({}, {}, { touchedPaths: 1, changes: [gone] }, {});
      await begin();
      world.listener?.onChange('x', 'gone');
      await world.clock.pass(1000);
      world.deletedBefore.length = 0;
      await minutes(11);
      expect(world.deletedBefore).toEqual([...Array.from({ length: 10 }, () => 1), 0]);
    });

    it('and counts anew where the bucket alone was not enough', async () => {
      const gone: PathChange = { path: 'x', operation: 'deleted', origin: 'local' };
      world.script.push({}, {}, { touchedPaths: 1, changes: [gone] }, {});
      world.pollsSuffice = false;
      await begin();
      world.listener?.onChange('x', 'gone');
      await world.clock.pass(1000);
      world.deletedBefore.length = 0;
      await minutes(2);
      expect(world.deletedBefore).toEqual([1, 0]);
    });

    it('but never for single files that were asked for', async () => {
      await begin({ files: ['a'] });
      expect(await minutes(2)).toEqual(['everything', 'everything']);
    });
  });

  it('goes on without watching when that fails', async () => {
    const monitor = new Monitor(
      'photos',
      'folder',
      { client },
      {
        ...world.ports,
        watchFolder: () => ({
          hearsEverything: true,
          start: () => Promise.reject(new Error('no watches left')),
          check: async () => undefined,
          close: async () => undefined,
        }),
      },
    );
    monitor.on('error', (error) => world.errors.push(error));
    await monitor.start();
    await world.clock.pass(60_000);
    expect(world.cycles).toBe(2);
    expect(world.errors.map(({ message }) => message)).toEqual(['no watches left']);
    await monitor.stop();
  });

  it('ends without a last cycle when its signal is aborted', async () => {
    const abort = new AbortController();
    const finished: unknown[] = [];
    const monitor = world.monitor({ signal: abort.signal, remove: true });
    monitor.addOnFinishHandle((changes) => finished.push(changes));
    await monitor.start();
    abort.abort();
    await monitor.finished;
    expect(world.cycles).toBe(1);
    expect(finished).toEqual([[]]);
    expect(world.errors.map((error) => 'code' in error && error.code)).toEqual(['ERR_FOLDER_KEPT']);
  });

  it('cancels a running cycle when its signal is aborted, and tells no error', async () => {
    const abort = new AbortController();
    world.script.push(
      {},
      (signal) => new Promise((_, reject) => signal?.addEventListener('abort', () => reject(signal.reason))),
    );
    const monitor = world.monitor({ signal: abort.signal, delaySeconds: 1 });
    await monitor.start();
    await world.clock.pass(1000);
    abort.abort(new Error('enough'));
    await monitor.finished;
    expect(world.errors).toEqual([]);
  });

  it('stops at the end of its scope', async () => {
    {
      await using monitor = await Monitor.start('photos', 'folder', { client, watch: false }, world.ports);
      expect(monitor).toBeInstanceOf(Monitor);
    }
    expect(world.cycles).toBe(2);
  });
});

describe('Monitor with remove', () => {
  const heldReadonly = { held: [{ path: 'h', rule: 'R03', reason: 'readonly' }], heldCount: 1 } as const;

  it.each([
    ['true', { remove: true }, {}, 'removed without unsynced'],
    ['force, without readonly', { remove: 'force' }, {}, 'removed without unsynced'],
    ['force under readonly', { remove: 'force', readonly: true }, heldReadonly, 'removed with unsynced'],
    ['true under readonly', { remove: true, readonly: true }, {}, 'removed without unsynced'],
    ['a notice', { remove: true }, { problems: [{ ...problem, severity: 'notice' }] }, 'removed without unsynced'],
  ] as const)('deletes the folder after a last cycle without any failure: %s', async (_case, options, last, wanted) => {
    world.script.push({}, last);
    const monitor = world.monitor(options);
    await monitor.start();
    await monitor.stop();
    expect(world.log).toEqual([wanted]);
    expect(world.errors).toEqual([]);
  });

  it.each([
    ['the last cycle fails', { remove: true }, new Error('no')],
    ['the last cycle fails, even with force', { remove: 'force', readonly: true }, new Error('no')],
    ['a file failed', { remove: true }, { problems: [problem] }],
    ['a file failed, even with force', { remove: 'force', readonly: true }, { problems: [problem] }],
    ['a conflict waits', { remove: true }, { conflicts: [{ path: 'c', type: 'content', resolution: 'manual' }] }],
    ['an edit was never uploaded', { remove: true, readonly: true }, heldReadonly],
    [
      'a path was held for another reason, even with force',
      { remove: 'force', readonly: true },
      { held: [{ path: 'h', rule: 'R16', reason: 'problem' }], heldCount: 1 },
    ],
    ['more was held than is named', { remove: true }, { heldCount: 5000 }],
  ] as const)('keeps the folder and says why: %s', async (_case, options, last) => {
    world.script.push({}, last);
    const monitor = world.monitor(options);
    await monitor.start();
    await monitor.stop();
    expect(world.log).toEqual([]);
    expect(world.errors.at(-1)).toMatchObject({ code: 'ERR_FOLDER_KEPT' });
  });

  it('tells why the deletion itself refused', async () => {
    world.removeError = new FileCloudSyncError('ERR_FOLDER_KEPT', 'a new file');
    const monitor = world.monitor({ remove: true });
    await monitor.start();
    await monitor.stop();
    expect(world.errors).toEqual([world.removeError]);
  });
});

describe('sync', () => {
  it('answers the changes, with problems, conflicts and held beside them', async () => {
    world.script.push({ changes: [added], problems: [problem] });
    const changes = await sync(client, 'photos', 'folder', {}, world.ports.open);
    expect([...changes]).toEqual([{ key: 'a.txt', operation: 'added', location: 'local' }]);
    expect(changes.problems).toEqual([problem]);
    expect(changes.heldCount).toBe(0);
    expect(JSON.parse(JSON.stringify(changes))).toEqual([...changes]);
  });

  it('closes the pair when the cycle fails', async () => {
    world.script.push(new HaltError('ERR_SIDE_EMPTY', 'empty'));
    await expect(sync(client, 'photos', 'folder', {}, world.ports.open)).rejects.toMatchObject({
      code: 'ERR_SIDE_EMPTY',
    });
  });

  it('looks at nothing when it is used wrongly or was aborted', async () => {
    await expect(sync({} as S3Client, 's', '', { maxDelete: 3 }, world.ports.open)).rejects.toMatchObject({
      data: { errors: expect.objectContaining({ length: 4 }) },
    });
    await expect(
      sync(client, 'photos', 'folder', { signal: AbortSignal.abort() }, world.ports.open),
    ).rejects.toMatchObject({ name: 'AbortError' });
    expect(world.cycles).toBe(0);
  });
});

describe('checkChanges', () => {
  it('answers what sync would do, and does it not', async () => {
    const changes = await checkChanges(client, 's3://photos/x', 'folder', {}, world.ports.open);
    expect([...changes]).toEqual([{ key: 'a.txt', operation: 'added', location: 'local' }]);
    expect(changes.compares).toEqual(['c']);
    expect(changes.halt).toBeUndefined();
    expect(world.cycles).toBe(0);
  });
});

function resultOf(found: Partial<CycleResult>): CycleResult {
  return {
    runId: 'run',
    changes: [],
    conflicts: [],
    problems: [],
    held: [],
    counts: {
      changes: 0,
      uploads: 0,
      downloads: 0,
      renames: 0,
      deletions: 0,
      settledConflicts: 0,
      waitingConflicts: 0,
      errors: 0,
      notices: 0,
    },
    heldCount: 0,
    localFiles: 0,
    remoteFiles: 0,
    uploadedBytes: 0,
    downloadedBytes: 0,
    hashedFiles: 0,
    rebuilt: false,
    startedAtMs: 0,
    endedAtMs: 0,
    ...found,
  };
}

function eventsOf(result: CycleResult): SessionEvent[] {
  return [
    ...result.changes.map((change): SessionEvent => ({
      type: 'done',
      path: change.path,
      action: 'upload',
      rule: 'R11',
      sizeBytes: 1,
      change,
    })),
    ...result.conflicts.map((conflict): SessionEvent => ({ type: 'conflict', conflict })),
    ...result.problems.map((each): SessionEvent => ({ type: 'problem', problem: each })),
    { type: 'end', result },
  ];
}

/** Lets all promises settle that need no time. */
async function settle(): Promise<void> {
  for (let i = 0; i < 5; i++) await new Promise((resolve) => setImmediate(resolve));
}
