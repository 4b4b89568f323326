import { setMaxListeners } from 'node:events';
import { hostname } from 'node:os';
import type { Conflict, ConflictAnswer } from '../core/conflict.js';
import { copyWith } from '../core/copy-with.js';
import type { Runtime } from '../core/runtime.js';
import { PathError } from '../errors.js';
import { createDefaultFileSystem } from '../replica/local/default-file-system.js';
import type { FileSystem } from '../replica/local/file-system.js';
import { createPathFilter, IGNORE_FILE_NAME } from '../replica/local/filter.js';
import { createLocalReplica, type LocalReplica } from '../replica/local/local-replica.js';
import { resolveRoot } from '../replica/local/resolve-root.js';
import type { PathFilter } from '../replica/replica.js';
import type { ConfiguredClient } from '../replica/s3/client-config.js';
import { resolveBucketEndpoint } from '../replica/s3/endpoint.js';
import { isAboutStore } from '../replica/s3/prepare.js';
import { createS3Replica, type S3Replica } from '../replica/s3/index.js';
import type { S3Transport } from '../replica/s3/transport.js';
import type { TrashItem } from '../replica/trash.js';
import { LastCycle } from '../session/last-cycle.js';
import type { SessionOptions } from '../session/options.js';
import { removeFolder } from '../session/remove-folder.js';
import { restoreVersions, type RestoreSelection } from '../session/restore-versions.js';
import type { CycleResult, PairStatus, Plan, Verification } from '../session/result.js';
import { Session, type SessionCall } from '../session/session.js';
import { WaitingConflicts } from '../session/waiting-conflicts.js';
import type { DatabaseHome } from '../store/database.js';
import { forgetPair, openPair as openPairState, type OpenPair as PairState } from '../store/open-pair.js';
import type { PairIdentity } from '../store/pair-identity.js';
import { openSharedFacts, type SharedFacts } from '../store/shared-facts.js';
import { stateDirectoryOf } from '../store/state-directory.js';
import { addressText, toAddress, type Address } from './address.js';
import { toBytesPerSecond } from './bandwidth.js';
import type { ResolvedSyncOptions } from './default-options.js';
import { nameRules } from './file-replicas.js';
import { leaveOut, refuseFolderOfState, stateInside } from './leave-out-state.js';
import type { Pair, PairCallOptions, PairSyncOptions, Restored } from './pair.js';
import { runIdAt } from './run-id.js';
import { systemRuntime } from './system-runtime.js';

const MIB = 1024 * 1024;

/** The ports a pair stands on. Those that are not given are the real ones. */
export interface PairPorts {
  readonly runtime?: Runtime;
  readonly fileSystem?: FileSystem;
  /** Makes the home of the pair's database in a directory. */
  readonly databaseHome?: (directory: string) => DatabaseHome;
  /** Sends the requests; closed with the pair. */
  readonly transport?: S3Transport;
  /** Divides large files both ways into pieces of so many bytes. Default: what the options say upwards, 8 MiB downwards. */
  readonly pieceBytes?: number;
  /** Stands for the service where it is remembered what a store can do. Default: the client's endpoint. */
  readonly service?: string;
}

export { preloadDatabase } from '../store/level-database.js';

/**
 * Opens a folder and a bucket for work and takes the lock on the pair. Neither side is touched before the first call.
 *
 * @throws UsageError `ERR_FOLDER_MISSING`, `ERR_FOLDER_PAIRED_ELSEWHERE` and the like; LockedError `ERR_LOCKED`.
 */
export function openPair(
  client: ConfiguredClient,
  bucket: string,
  folder: string,
  options: ResolvedSyncOptions,
): Promise<Pair> {
  return openPairOn({}, client, bucket, folder, options);
}

/** {@link openPair} on other ports than the real ones, so that each step that reaches a disk or a store can be watched. */
export async function openPairOn(
  ports: PairPorts,
  client: ConfiguredClient,
  bucket: string,
  folder: string,
  options: ResolvedSyncOptions,
): Promise<Pair> {
  const address = toAddress(bucket, options.prefix);
  const root = await resolveRoot(folder);
  const { origin } = await resolveBucketEndpoint(client, '');
  const identity: PairIdentity = { endpoint: origin, bucket: address.bucket, prefix: address.prefix, folder: root };
  const { stateDir, signal, allowOverlap } = options;
  const stateDirectory = stateDirectoryOf({ environment: process.env, ...(stateDir !== undefined && { stateDir }) });
  const runtime = ports.runtime ?? systemRuntime;
  await refuseFolderOfState(root, stateDirectory);
  const openState = (): Promise<PairState> =>
    openPairState(stateDirectory, identity, {
      clock: runtime.clock,
      allowOverlap,
      ...(signal !== undefined && { signal }),
      ...(ports.databaseHome !== undefined && { databaseHome: ports.databaseHome }),
    });
  const state = await openState();
  try {
    const stateInFolder = await stateInside(root, stateDirectory);
    const place = { client, address, identity, stateDirectory, stateInFolder };
    return new OpenedPair({ ports, runtime, ...place, openState, options }, state);
  } catch (error) {
    await state.close();
    throw error;
  }
}

interface OpenedPairParts {
  readonly ports: PairPorts;
  readonly runtime: Runtime;
  readonly client: ConfiguredClient;
  readonly address: Address;
  readonly identity: PairIdentity;
  readonly stateDirectory: string;
  /** Its path within the folder, when it lies there. */
  readonly stateInFolder: string | undefined;
  readonly openState: () => Promise<PairState>;
  readonly options: ResolvedSyncOptions;
}

class OpenedPair implements Pair {
  readonly #parts: OpenedPairParts;
  readonly #local: LocalReplica;
  readonly #remote: S3Replica;
  readonly #session: Session;
  /** `undefined` while the pair rests. */
  #state: PairState | undefined;
  #runId: string;
  #prepared: 'no' | 'to-read' | 'to-write' = 'no';
  #closed = false;
  #lastFilter: { readonly ignoreFile: string | undefined; readonly filter: PathFilter } | undefined;

  constructor(parts: OpenedPairParts, state: PairState) {
    const { ports, runtime, client, address, identity, options } = parts;
    this.#parts = parts;
    this.#state = state;
    this.#runId = runIdAt(runtime);
    this.#local = createLocalReplica({
      root: identity.folder,
      fileSystem: ports.fileSystem ?? createDefaultFileSystem(),
      runtime,
      pathRules: nameRules,
      runId: () => this.#runId,
      trashDays: options.trashDays,
      pairId: state.pairId,
      keepsStages: true,
      ...(ports.pieceBytes !== undefined && { stageRangeBytes: ports.pieceBytes }),
      beforeReplace: async (path) => {
        const { baseline } = this.#session.store;
        const row = await baseline.get(path);
        if (row !== undefined) await baseline.put([copyWith(row, { replacing: true })], { sync: true });
      },
    });
    this.#remote = createS3Replica({
      client,
      ...(ports.transport !== undefined && { transport: ports.transport }),
      ...(ports.service !== undefined && { endpoint: ports.service }),
      bucket: address.bucket,
      prefix: address.prefix,
      // The store may be opened anew when its state was damaged: always the one of this moment is meant.
      uploads: {
        get: (path) => this.#session.store.uploads.get(path),
        put: (record) => this.#session.store.uploads.put(record),
        delete: (path, uploadId) => this.#session.store.uploads.delete(path, uploadId),
        list: () => this.#session.store.uploads.list(),
      },
      facts: {
        // What a store can do holds for all pairs of this machine: it is tried once.
        get: <T>(name: string) => this.#factsFor(name).get<T>(name),
        put: (name, value) => this.#factsFor(name).put(name, value),
      },
      runtime,
      pathRules: nameRules,
      partSizeBytes: ports.pieceBytes ?? options.partSizeMiB * MIB,
      concurrency: options.concurrency,
      bandwidthBytesPerSecond: toBytesPerSecond(options.bandwidth),
      probe: options.probe,
      // Every byte of a small download came with the ETag that was seen: another request would say nothing new.
      trustWholeReads: true,
      // What can still be gone on with; anything else is of a version that nobody will send any more.
      keepUpload: async ({ path, fingerprint }) => {
        const entry = await this.#local.observe(path);
        return entry?.kind === 'file' && entry.fingerprint === fingerprint;
      },
    });
    this.#session = new Session(
      {
        local: this.#local,
        remote: this.#remote,
        store: state.store,
        reopenStore: () => (this.#state ?? state).reopen(),
        runtime,
        nameRules,
      },
      sessionOptions(options),
      () => this.#nextRunId(),
    );
  }

  async sync({ touched, poll, deletedBefore, ...options }: PairSyncOptions = {}): Promise<CycleResult> {
    await this.#wake();
    await this.#prepare(this.#parts.options.readonly, options);
    const call = await this.#call(options);
    // What was left out may take part now, and the other way round: that concerns all files.
    const isEnough =
      touched !== undefined && this.#parts.options.files === undefined && !touched.includes(IGNORE_FILE_NAME);
    return this.#session.cycle({
      ...call,
      ...(isEnough && { touched }),
      ...(poll !== undefined && { poll }),
      ...(deletedBefore !== undefined && { deletedBefore }),
    });
  }

  async rest(): Promise<void> {
    const state = this.#state;
    this.#state = undefined;
    await state?.close();
  }

  async plan(options: PairCallOptions = {}): Promise<Plan> {
    await this.#prepare(true, options);
    return this.#session.plan(await this.#call(options));
  }

  async status(): Promise<PairStatus> {
    const { identity, address } = this.#parts;
    const { facts } = this.#session.store;
    const [last, waiting, trash] = await Promise.all([
      new LastCycle(facts).read(),
      new WaitingConflicts(facts).list(),
      this.#local.trash.list(),
    ]);
    return {
      folder: identity.folder,
      address: addressText(address),
      endpoint: identity.endpoint,
      knownFiles: last?.knownFiles ?? 0,
      lastCycle: last,
      waitingConflicts: waiting.length,
      trashItems: trash.length,
      trashBytes: trash.reduce((sum, item) => sum + item.sizeBytes, 0),
    };
  }

  async conflicts(): Promise<Conflict[]> {
    return (await new WaitingConflicts(this.#session.store.facts).list()).map(({ conflict }) => conflict);
  }

  async resolve(
    path: string,
    answer: Exclude<ConflictAnswer, 'manual'>,
    options: PairCallOptions = {},
  ): Promise<CycleResult> {
    const waiting = await new WaitingConflicts(this.#session.store.facts).get(path);
    if (waiting === undefined) {
      throw new PathError(
        'ERR_CONFLICT_NOT_FOUND',
        `No conflict waits at "${path}". List the waiting ones with "conflicts".`,
        { data: { path } },
      );
    }
    const isKind = waiting.conflict.type === 'kind';
    if (isKind && answer !== 'keep-both') {
      throw new PathError(
        'ERR_CONFLICT_ANSWER',
        `"${path}" is a file on one side and a folder on the other, so neither side can win alone: settle it with keep-both, or rename one of them.`,
        { data: { path, answer } },
      );
    }
    await this.#prepare(this.#parts.options.readonly, options);
    const call = await this.#call(options);
    // A conflict of kinds is about a path and all that lies below it on the other side: only a whole look can settle it.
    const scope = isKind ? {} : { files: [path] };
    return this.#session.cycle({ ...call, options: { ...call.options, ...scope, conflict: answer } });
  }

  trash(): Promise<TrashItem[]> {
    return this.#local.trash.list();
  }

  purgeTrash(select: (item: TrashItem) => boolean): Promise<number> {
    return this.#local.trash.purge(select);
  }

  async restore(what: RestoreSelection, options: PairCallOptions = {}): Promise<Restored[]> {
    const { readonly } = this.#parts.options;
    await this.#prepare(readonly, options);
    this.#nextRunId();
    const items = await restoreVersions(this.#local, what, options.signal);
    const call = await this.#call(options);
    await this.#session.cycle({ ...call, options: { ...call.options, files: items.map(({ path }) => path) } });
    return items.map((item) => ({ item, path: item.path }));
  }

  async verify({ sample = 1, ...options }: PairCallOptions & { readonly sample?: number } = {}): Promise<Verification> {
    await this.#prepare(true, options);
    return this.#session.verify(sample, await this.#call(options));
  }

  async forget(): Promise<void> {
    const { stateDirectory, identity, runtime } = this.#parts;
    await this.close();
    await forgetPair(stateDirectory, identity, { clock: runtime.clock });
  }

  async removeFolder({
    unsynced,
    signal,
  }: {
    readonly unsynced: boolean;
    readonly signal?: AbortSignal;
  }): Promise<void> {
    await this.#prepare(true, {});
    await removeFolder(this.#local, this.#session.store, {
      folder: this.#parts.identity.folder,
      unsynced,
      ...(signal !== undefined && { signal }),
    });
    await this.forget();
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    try {
      await this.#remote.close();
      await this.#local.close();
    } finally {
      await this.rest();
    }
  }

  async #wake(): Promise<void> {
    if (this.#state !== undefined) return;
    this.#state = await this.#parts.openState();
    this.#session.resume(this.#state.store);
  }

  /** Finds out what both sides can do, once; a pair that was only read so far is looked at again before it is written. */
  async #prepare(readonly: boolean, { signal, onEvent }: PairCallOptions): Promise<void> {
    const wanted = readonly ? 'to-read' : 'to-write';
    if (this.#prepared === wanted || this.#prepared === 'to-write') return;
    allowManyListeners(signal);
    const options = { readonly, ...(signal !== undefined && { signal }) };
    // The folder is written to under `readonly` as well; only a plan leaves it alone, and needs no more than to read it.
    const local = await this.#local.prepare({ ...options, readonly: readonly && !this.#parts.options.readonly });
    const remote = await this.#session.prepare(() => this.#remote.prepare(options), onEvent);
    this.#prepared = wanted;
    for (const message of [...local.remarks, ...remote.remarks]) onEvent?.({ type: 'remark', message });
  }

  async #call({ signal, softSignal, onEvent, listed }: PairCallOptions): Promise<SessionCall> {
    allowManyListeners(signal, softSignal);
    return {
      options: { filter: await this.#filter() },
      ...(signal !== undefined && { signal }),
      ...(softSignal !== undefined && { softSignal }),
      ...(onEvent !== undefined && { onEvent }),
      ...(listed !== undefined && { listed }),
    };
  }

  /** Read for each call: the file of patterns is one of the user's files. As long as it says the same, it is the same filter. */
  async #filter(): Promise<PathFilter> {
    const { include, exclude } = this.#parts.options;
    const ignoreFile = await this.#local.readIgnoreFile();
    if (this.#lastFilter !== undefined && this.#lastFilter.ignoreFile === ignoreFile) return this.#lastFilter.filter;
    const filter = createPathFilter({
      ...(include !== undefined && { include }),
      ...(exclude !== undefined && { exclude }),
      ...(ignoreFile !== undefined && { ignoreFile }),
    });
    this.#lastFilter = { ignoreFile, filter: leaveOut(filter, this.#parts.stateInFolder) };
    return this.#lastFilter.filter;
  }

  #factsFor(name: string): SharedFacts {
    return isAboutStore(name) ? openSharedFacts(this.#parts.stateDirectory) : this.#session.store.facts;
  }

  #nextRunId(): string {
    this.#runId = runIdAt(this.#parts.runtime);
    return this.#runId;
  }
}

/** Every request in flight listens to them: dozens are no leak. */
function allowManyListeners(...signals: readonly (AbortSignal | undefined)[]): void {
  for (const each of signals) if (each !== undefined) setMaxListeners(0, each);
}

function sessionOptions(options: ResolvedSyncOptions): SessionOptions {
  return {
    filter: createPathFilter(),
    readonly: options.readonly,
    conflict: options.conflict,
    maxDelete: options.maxDelete,
    concurrency: options.concurrency,
    trashDays: options.trashDays,
    machine: hostname(),
    ...(options.files !== undefined && { files: Array.from(options.files) }),
  };
}
