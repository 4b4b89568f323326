import type { S3Client } from '@aws-sdk/client-s3';
import { EventEmitter } from 'node:events';
import { FileCloudSyncError, isAbort, S3ConnectionError, UsageError } from '../errors.js';
import type { SessionEvent } from '../session/event.js';
import { isWholeLook } from '../session/is-whole-look.js';
import type { CycleResult } from '../session/result.js';
import type { FolderWatcher } from '../session/watch.js';
import type { Change } from './change.js';
import { throwUsageErrors } from './check-options.js';
import type { ConnectOptions } from './connect-options.js';
import { CyclePacer, type Due } from './cycle-pacer.js';
import { withDefaults, type ResolvedSyncOptions } from './default-options.js';
import { folderKept, reasonToKeepFolder, removesUnsynced } from './folder-removal.js';
import { CycleNews, leavesNothing } from './monitor-cycle.js';
import type { ChangeHandle, FinishHandle, MonitorEvents } from './monitor-events.js';
import type { MonitorOptions } from './monitor-options.js';
import { processMonitorPorts, type MonitorPorts } from './monitor-ports.js';
import { callOptions, pairErrors } from './open-port.js';
import { optionNames, optionTable } from './option-table.js';
import type { Pair, PairSyncOptions } from './pair.js';
import { toSyncResult } from './sync-result.js';

/**
 * Keeps a folder and a bucket (or a prefix of it) the same until it is stopped: a cycle at the start, one every
 * `delaySeconds`, one soon after each local change, and a last one at the end. The one after a local change looks only at what
 * changed, and the periodic one only at the bucket while all that changes in the folder is heard, unless what is found cannot be
 * judged so. Every ten minutes everything is looked at in any case.
 *
 * An error, or a handler that throws, never ends a monitor: it is told by the event `error`, and the next cycle comes,
 * after a longer wait while it keeps failing. An error for which nobody listens becomes a warning of the process.
 * Between two cycles the pair is free for other calls and commands.
 *
 * @example
 * ```ts
 * import { s3 } from 'filecloudsync';
 * const monitor = new s3.Monitor('s3://pictures/2026', 'photos', { delaySeconds: 30 });
 * monitor.addOnChangeHandle((key, operation, location) => console.log(location, operation, key));
 * monitor.on('error', (error) => console.error(error.message));
 * await monitor.start();
 * process.once('SIGINT', () => void monitor.stop());
 * await monitor.finished;
 * ```
 */
export class Monitor extends EventEmitter<MonitorEvents> {
  readonly #bucket: string;
  readonly #folder: string;
  readonly #options: MonitorOptions;
  readonly #syncOptions: ResolvedSyncOptions;
  readonly #ports: MonitorPorts;
  readonly #pacer: CyclePacer;
  readonly #news: CycleNews;
  readonly #ended = withResolver();
  readonly #onAbort = (): void => void this.stop();
  #client: S3Client | undefined;
  #watcher: FolderWatcher | undefined;
  /** Rests between two cycles over what changed in the folder or in the bucket; opened anew for each over everything. */
  #pair: Pair | undefined;
  /** Whether the cycles since everything was last looked at, and that one, left nothing of the folder to be looked at again. */
  #isSettled = false;
  /** Deletions that were carried to the bucket since everything was last looked at. */
  #deleted = 0;
  #starting: Promise<void> | undefined;
  #running: Promise<void> | undefined;
  #stopping: Promise<readonly Change[]> | undefined;
  #failures = 0;

  /**
   * Makes a monitor; nothing is read, written or sent before {@link Monitor.start}.
   *
   * @throws UsageError `ERR_USAGE` with everything that is wrong with the arguments.
   *
   * @example
   * ```ts
   * import { s3 } from 'filecloudsync';
   * const monitor = new s3.Monitor('pictures', 'photos', { readonly: true });
   * ```
   */
  constructor(bucket: string, folder: string, options: MonitorOptions = {}, ports: MonitorPorts = processMonitorPorts) {
    super();
    throwUsageErrors('Monitor', pairErrors('Monitor', bucket, folder, options));
    this.#bucket = bucket;
    this.#folder = folder;
    this.#options = options;
    this.#syncOptions = withDefaults(
      pick(
        options,
        optionNames('sync').filter((name) => name !== 'onProgress'),
      ),
    );
    this.#ports = ports;
    this.#pacer = new CyclePacer(ports.clock, (options.delaySeconds ?? optionTable.delaySeconds.default) * 1000);
    this.#news = new CycleNews({
      change: ({ key, operation, location }) => this.#tell('change', key, operation, location),
      conflict: (conflict) => this.#tell('conflict', conflict),
      problem: (problem) => this.#tell('problem', problem),
    });
  }

  /**
   * Makes and starts a monitor. Handlers that are added to it afterwards miss its first cycle.
   *
   * @throws what the constructor and {@link Monitor.start} throw.
   *
   * @example
   * ```ts
   * import { s3 } from 'filecloudsync';
   * await using monitor = await s3.Monitor.start('pictures', 'photos');
   * console.log(monitor.listenerCount('error'));
   * ```
   */
  static async start(
    bucket: string,
    folder: string,
    options: MonitorOptions = {},
    ports?: MonitorPorts,
  ): Promise<Monitor> {
    const monitor = new Monitor(bucket, folder, options, ports);
    await monitor.start();
    return monitor;
  }

  /**
   * Resolves when the monitor has stopped: after the last cycle and the finish handlers. Never rejects.
   *
   * @example
   * ```ts
   * import { s3 } from 'filecloudsync';
   * const monitor = await s3.Monitor.start('pictures', 'photos', { signal: AbortSignal.timeout(3_600_000) });
   * await monitor.finished;
   * ```
   */
  get finished(): Promise<void> {
    return this.#ended.promise;
  }

  /**
   * Connects, runs the first cycle, and resolves after it; its changes are told to the handlers like any others.
   * A second call answers the same promise.
   *
   * It rejects when there is nothing to monitor: wrong options, no connection, no such bucket. What goes wrong in the
   * first cycle itself is told by `error`, like in any other cycle.
   *
   * @throws UsageError, S3ConnectionError; `UsageError` `ERR_MONITOR_ENDED` after `stop`: a monitor runs once.
   *
   * @example
   * ```ts
   * import { s3 } from 'filecloudsync';
   * const monitor = new s3.Monitor('pictures', 'photos');
   * await monitor.start();
   * ```
   */
  start(): Promise<void> {
    if (this.#starting !== undefined) return this.#starting;
    if (this.#stopping !== undefined) {
      return Promise.reject(
        new UsageError('ERR_MONITOR_ENDED', 'This monitor was stopped and cannot be started. Make a new one.'),
      );
    }
    this.#starting = this.#begin();
    return this.#starting;
  }

  /**
   * Runs a last cycle, tells the finish handlers its changes, and ends. With `remove`, the folder is deleted if that
   * cycle succeeded for every file. A cycle that runs is finished first. A second call answers the same promise.
   * Never rejects: what goes wrong is told by `error`. After an abort of `signal` there is no last cycle.
   *
   * @returns the changes of the last cycle.
   *
   * @example
   * ```ts
   * import { s3 } from 'filecloudsync';
   * const monitor = await s3.Monitor.start('pictures', 'photos');
   * const changes = await monitor.stop();
   * console.log(`${changes.length} changes at the end`);
   * ```
   */
  stop(): Promise<readonly Change[]> {
    this.#stopping ??= this.#end();
    return this.#stopping;
  }

  /** Stops the monitor, at the end of `await using`. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  /**
   * Adds a function that is told each change as soon as it was carried over: `(key, operation, location)`.
   * The same as `on('change', …)`.
   *
   * @example
   * ```ts
   * import { s3 } from 'filecloudsync';
   * const monitor = new s3.Monitor('pictures', 'photos');
   * monitor.addOnChangeHandle((key, operation, location) => console.log(key, operation, location));
   * ```
   */
  addOnChangeHandle(handle: ChangeHandle): this {
    return this.on('change', handle);
  }

  /**
   * Adds a function that is told the changes of the last cycle when the monitor has stopped. The same as `on('finish', …)`.
   *
   * @example
   * ```ts
   * import { s3 } from 'filecloudsync';
   * const monitor = new s3.Monitor('pictures', 'photos');
   * monitor.addOnFinishHandle((changes) => console.log(`${changes.length} changes at the end`));
   * ```
   */
  addOnFinishHandle(handle: FinishHandle): this {
    return this.on('finish', handle);
  }

  /**
   * Removes a function that was added by {@link Monitor.addOnChangeHandle} or {@link Monitor.addOnFinishHandle}.
   *
   * @returns whether there was one.
   *
   * @example
   * ```ts
   * import { s3 } from 'filecloudsync';
   * const monitor = new s3.Monitor('pictures', 'photos');
   * const handle: s3.ChangeHandle = (key) => console.log(key);
   * monitor.addOnChangeHandle(handle).removeHandle(handle);
   * ```
   */
  removeHandle(handle: ChangeHandle | FinishHandle): boolean {
    const before = this.listenerCount('change') + this.listenerCount('finish');
    // One function may have been added for both.
    this.off('change', handle as ChangeHandle);
    this.off('finish', handle as FinishHandle);
    return this.listenerCount('change') + this.listenerCount('finish') < before;
  }

  async #begin(): Promise<void> {
    const { signal } = this.#options;
    try {
      signal?.throwIfAborted();
      signal?.addEventListener('abort', this.#onAbort, { once: true });
      this.#client = this.#options.client ?? (await this.#ports.connect(this.#connectOptions()));
      await this.#cycle('first');
    } catch (error) {
      await this.#release();
      throw error;
    }
    if (this.#stopping !== undefined) return;
    await this.#watch();
    this.#running = this.#run();
  }

  async #run(): Promise<void> {
    while (this.#stopping === undefined) {
      const due = await this.#pacer.next(this.#failures);
      if (this.#stopping === undefined) await this.#cycle('middle', due);
    }
  }

  async #end(): Promise<readonly Change[]> {
    this.#pacer.stop();
    // Nothing was begun, or it failed to begin: there is no last cycle and nobody to tell.
    const began = await this.#starting?.then(
      () => true,
      () => false,
    );
    if (began !== true) {
      await this.#release();
      return [];
    }
    await this.#running;
    await this.#watcher?.close().catch((error: unknown) => this.#fail(error));
    this.#news.begin();
    if (this.#options.signal?.aborted !== true) await this.#cycle('last');
    else if (this.#remove !== undefined)
      this.#fail(folderKept(this.#folder, 'the monitor was aborted, so there was no last cycle'));
    const changes = this.#news.changes;
    this.#tell('finish', changes);
    await this.#release();
    return changes;
  }

  /** Runs one cycle. Rejects only for the first one, when there is nothing to monitor. */
  async #cycle(which: 'first' | 'middle' | 'last', due: Due = 'everything'): Promise<void> {
    const { signal, onProgress } = this.#options;
    const client = this.#client;
    if (client === undefined) return;
    this.#news.begin();
    let begun = false;
    let rests = false;
    try {
      const look = await this.#prepare(due);
      this.#pair ??= await this.#ports.open(client, this.#bucket, this.#folder, this.#syncOptions);
      const pair = this.#pair;
      const listener = (event: SessionEvent): void => {
        begun = true;
        if (isRemoteDeletion(event)) this.#deleted++;
        this.#news.take(event);
        this.#quietly(() => onProgress?.(event));
      };
      const call = { ...callOptions(signal, listener), deletedBefore: this.#deleted };
      const result = await pair.sync({ ...call, ...look });
      this.#failures = 0;
      const isWhole = isWholeLook(result);
      if (isWhole) this.#deleted = 0;
      this.#isSettled = (isWhole || this.#isSettled) && leavesNothing(result);
      this.#news.end(result);
      // Our own downloads are heard of like anything else, and ask for nothing.
      if (result.touchedPaths !== 0) this.#tell('cycle', toSyncResult(result));
      if (which === 'last') await this.#removeFolder(pair, result);
      else if (this.#watches) {
        await pair.rest();
        rests = true;
      }
    } catch (error) {
      this.#failures++;
      const isHopeless = !begun && (error instanceof UsageError || error instanceof S3ConnectionError);
      if (which === 'first' && isHopeless) throw error;
      const aborted = signal?.aborted === true && (isAbort(error) || error === signal.reason);
      if (!aborted) this.#fail(error);
      if (which === 'last' && this.#remove !== undefined) this.#fail(folderKept(this.#folder, 'the last cycle failed'));
    } finally {
      if (!rests) await this.#closePair();
    }
  }

  /**
   * Answers what a cycle is to look at. What was found out about both sides holds for as long as not everything is looked at, and
   * the folder is believed for as long as everything that changes in it is heard, and nothing in it waits to be looked at again.
   */
  async #prepare(due: Due): Promise<Pick<PairSyncOptions, 'touched' | 'poll'>> {
    if (typeof due !== 'string') return { touched: due };
    await this.#watcher?.check();
    const hears = this.#watcher?.hearsEverything === true && !this.#pacer.isLost;
    const isKnown = this.#isSettled && this.#pair !== undefined && this.#syncOptions.files === undefined;
    if (due === 'bucket' && hears && isKnown) {
      this.#pacer.polled();
      return { poll: true };
    }
    await this.#closePair();
    this.#pacer.began();
    return {};
  }

  async #closePair(): Promise<void> {
    const pair = this.#pair;
    this.#pair = undefined;
    await pair?.close().catch((error: unknown) => this.#fail(error));
  }

  get #watches(): boolean {
    return this.#options.watch ?? optionTable.watch.default;
  }

  get #remove(): true | 'force' | undefined {
    const { remove } = this.#options;
    return remove === true || remove === 'force' ? remove : undefined;
  }

  async #removeFolder(pair: Pair, result: CycleResult): Promise<void> {
    const remove = this.#remove;
    if (remove === undefined) return;
    const wish = { remove, readonly: this.#syncOptions.readonly };
    const reason = reasonToKeepFolder(result, wish);
    if (reason !== undefined) return this.#fail(folderKept(this.#folder, reason));
    const { signal } = this.#options;
    try {
      await pair.removeFolder({ unsynced: removesUnsynced(wish), ...(signal !== undefined && { signal }) });
    } catch (error) {
      this.#fail(error);
    }
  }

  async #watch(): Promise<void> {
    if (!this.#watches) return;
    try {
      this.#watcher = this.#ports.watchFolder(this.#folder, this.#syncOptions);
      await this.#watcher.start({
        onChange: (path, heard) => this.#pacer.changed(path, heard),
        onLost: () => this.#pacer.lost(),
        onTrouble: (error) => this.#fail(error),
      });
      // What changed before the watch stood was heard by nobody.
      this.#pacer.lost();
    } catch (error) {
      this.#fail(error);
    }
  }

  #connectOptions(): ConnectOptions {
    return pick<ConnectOptions>(this.#options, optionNames('connect'));
  }

  /** Tells all listeners of an event, each on its own: one that throws or rejects is told by `error`. */
  #tell<K extends keyof MonitorEvents>(event: K, ...args: MonitorEvents[K]): void {
    for (const listener of this.rawListeners(event)) {
      const failed = (error: unknown): void => {
        if (event === 'error') this.#warn(error);
        else this.#fail(handlerFailed(event, error));
      };
      try {
        const answer: unknown = Reflect.apply(listener, this, args);
        if (answer instanceof Promise) answer.catch(failed);
      } catch (error) {
        failed(error);
      }
    }
  }

  #fail(thrown: unknown): void {
    const error =
      thrown instanceof Error
        ? thrown
        : new FileCloudSyncError('ERR_UNEXPECTED', `Something was thrown that is no error: ${String(thrown)}`);
    if (this.listenerCount('error') === 0) this.#warn(error);
    else this.#tell('error', error);
  }

  #warn(thrown: unknown): void {
    const code =
      thrown instanceof Error && 'code' in thrown && typeof thrown.code === 'string' ? thrown.code : 'ERR_UNEXPECTED';
    this.#ports.warn(
      `A monitor of ${this.#folder} goes on after an error: ${thrown instanceof Error ? thrown.message : String(thrown)}`,
      code,
    );
  }

  #quietly(work: () => void): void {
    try {
      work();
    } catch {
      // As documented: what `onProgress` throws is ignored.
    }
  }

  async #release(): Promise<void> {
    this.#stopping ??= Promise.resolve([]);
    await this.#closePair();
    this.#options.signal?.removeEventListener('abort', this.#onAbort);
    if (this.#client !== this.#options.client) this.#client?.destroy();
    this.#ended.resolve();
  }
}

function isRemoteDeletion(event: SessionEvent): boolean {
  if (event.type !== 'done' || event.change === undefined) return false;
  const { operation, origin, to } = event.change;
  // A rename takes nothing away.
  return operation === 'deleted' && origin === 'local' && to === undefined;
}

function handlerFailed(event: string, cause: unknown): FileCloudSyncError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new FileCloudSyncError('ERR_HANDLER', `A handler of the event "${event}" threw: ${reason}`, {
    cause,
    data: { event },
  });
}

function pick<T extends object>(options: T, names: readonly string[]): T {
  return Object.fromEntries(
    Object.entries(options).filter(([name, value]) => value !== undefined && names.includes(name)),
  ) as T;
}

function withResolver(): { readonly promise: Promise<void>; readonly resolve: () => void } {
  let resolve = (): void => {};
  const promise = new Promise<void>((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}
