import { FileCloudSyncError, StateDamagedError } from '../errors.js';
import type { StateStore } from '../store/state-store.js';
import type { CycleContext } from './cycle-context.js';
import { runCycle } from './cycle.js';
import { dryPlan } from './dry-plan.js';
import type { SessionListener } from './event.js';
import { LastCycle } from './last-cycle.js';
import { LastPoll } from './last-poll.js';
import type { SessionOptions } from './options.js';
import type { SessionPorts } from './ports.js';
import { purgeOldTrash } from './purge-old-trash.js';
import { Report } from './report.js';
import type { CycleResult, Plan, Verification } from './result.js';
import { isRootNoted, ROOT_FACT } from './root-fact.js';
import { runPoll } from './run-poll.js';
import { StampedStore } from './stamped-store.js';
import { runTouchedCycle } from './touched-cycle.js';
import { verifySides } from './verify-sides.js';
import { WholeLookNeeded } from './whole-look-needed.js';

/** What each call of a session may be given. */
export interface SessionCall {
  /** Aborted: what runs is cancelled. */
  readonly signal?: AbortSignal;
  /** Aborted: nothing new is begun, what runs is finished and recorded, then the call ends. */
  readonly softSignal?: AbortSignal;
  readonly onEvent?: SessionListener;
  /** How many entries each list of the result has at most; all are counted and told. Default: all. */
  readonly listed?: number;
  /**
   * Paths of the folder at which something may have changed, directories that are new among them: only they are looked at,
   * if that is enough to judge them; else everything is.
   */
  readonly touched?: readonly string[];
  /**
   * The folder is believed to be as it was agreed: only the remote side is looked at, and the folder where something was done there,
   * if that is enough to judge it; else everything is. No promise depends on the belief; what was done in the folder all the same
   * is found by the next look at everything. Not beside `touched`.
   */
  readonly poll?: boolean;
  /** Deletions that cycles with `touched` or `poll` carried to the remote side since the last one that looked at everything. Default 0. */
  readonly deletedBefore?: number;
  /** Replaces some of the session's options for this call. */
  readonly options?: Partial<SessionOptions>;
}

/**
 * Works on one pair of replicas: cycles, plans, comparisons. The caller holds the lock on the pair, has prepared both
 * replicas, and closes the session, which closes the store but not the replicas.
 */
export class Session {
  readonly #ports: Omit<SessionPorts, 'store' | 'runId'>;
  readonly #options: SessionOptions;
  readonly #newRunId: () => string;
  #store: StampedStore;
  #recovered = false;
  readonly #lastPoll = new LastPoll();

  constructor(ports: Omit<SessionPorts, 'runId'>, options: SessionOptions, newRunId: () => string) {
    const { store, ...rest } = ports;
    this.#ports = rest;
    this.#store = this.#stamped(store);
    this.#options = options;
    this.#newRunId = newRunId;
  }

  /** The memory of the pair; another one after a cycle had to rebuild it. */
  get store(): StateStore {
    return this.#store;
  }

  /** Runs one cycle. Goes on by itself after a crash or with a damaged memory; see `runCycle` for what it throws. */
  async cycle(call: SessionCall = {}): Promise<CycleResult> {
    const { touched, poll } = call;
    const context = this.#context(call);
    // One for the whole call: what was done before the memory turned out to be damaged was done.
    const report = new Report(context.onEvent, context.listed);
    let result: CycleResult | undefined;
    if (touched !== undefined) result = await this.#partOf(context, (each) => runTouchedCycle(each, report, touched));
    else if (poll === true) result = await this.#partOf(context, (each) => this.#poll(each, report));
    return result ?? this.#wholeCycle(context, report);
  }

  /** Does what reads the memory before a call, as to find out what the store can do; with a damaged memory once more, with an empty one. */
  async prepare<T>(work: () => Promise<T>, onEvent?: SessionListener): Promise<T> {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof StateDamagedError)) throw error;
      this.#store = this.#stamped(await this.#ports.reopenStore());
      onEvent?.({ type: 'remark', message: BEGUN_ANEW });
      return work();
    }
  }

  /** Goes on with a memory that was closed and opened again. */
  resume(store: StateStore): void {
    this.#store = this.#stamped(store);
  }

  /** Looks at a part only; `undefined` when that is not enough to judge it, and nothing was changed. */
  async #partOf(
    context: CallContext,
    work: (context: CycleContext) => Promise<CycleResult>,
  ): Promise<CycleResult | undefined> {
    try {
      const result = await this.#withRepair(context, work, (store) => store.startAfresh());
      if (result.touchedPaths === 0) return result;
      await this.#store.settle();
      const last = new LastCycle(this.#store.facts);
      await (result.poll === true ? last.succeeded(result) : last.carried(result));
      return result;
    } catch (error) {
      if (error instanceof WholeLookNeeded) return undefined;
      await this.#noteFailure(error);
      throw error;
    }
  }

  async #poll(context: CycleContext, report: Report): Promise<CycleResult> {
    return runPoll(context, report, this.#lastPoll, await this.#store.generation());
  }

  async #wholeCycle(context: CallContext, report: Report): Promise<CycleResult> {
    if (!this.#recovered) {
      await this.#ports.local.cleanUp({ signal: context.signal });
      this.#recovered = true;
    }
    try {
      const work = (each: CycleContext): Promise<CycleResult> => runCycle(each, report);
      const result = await this.#withRepair(context, work, (store) => store.startAfresh());
      await this.#store.settle();
      await new LastCycle(this.#store.facts).succeeded(result);
      await purgeOldTrash(this.#store.facts, this.#ports.local.trash, {
        nowMs: result.endedAtMs,
        trashDays: context.options.trashDays,
      });
      return result;
    } catch (error) {
      await this.#noteFailure(error);
      throw error;
    }
  }

  /** What a cycle would do. Touches neither side nor the memory. */
  async plan(call: SessionCall = {}): Promise<Plan> {
    return this.#withRepair(this.#context(call), dryPlan, forgetForNow);
  }

  /** Compares both sides and the baseline by content. Touches nothing. */
  async verify(sample: number, call: SessionCall = {}): Promise<Verification> {
    return this.#withRepair(this.#context(call), (context) => verifySides(context, sample), forgetForNow);
  }

  async close(): Promise<void> {
    await this.#store.close();
  }

  #context(call: SessionCall): CallContext {
    const { signal, softSignal, onEvent, listed, deletedBefore } = call;
    return {
      ports: { ...this.#ports, store: this.#store, runId: this.#newRunId() },
      options: { ...this.#options, ...call.options },
      ...(signal === undefined ? {} : { signal }),
      ...(softSignal === undefined ? {} : { softSignal }),
      ...(onEvent === undefined ? {} : { onEvent }),
      ...(listed === undefined ? {} : { listed }),
      ...(deletedBefore === undefined ? {} : { deletedBefore }),
    };
  }

  /** Damage is found at any row. The damaged memory is put aside once, and the call starts over with an empty one. */
  async #withRepair<T>(context: CallContext, work: (context: CycleContext) => Promise<T>, forget: Forget): Promise<T> {
    return this.prepare(() => this.#believing(context, work, forget), context.onEvent);
  }

  /** A memory that is of another time than the folder, or not whole, is not believed: what it knows is forgotten first. */
  async #believing<T>(context: CallContext, work: (context: CycleContext) => Promise<T>, forget: Forget): Promise<T> {
    const store = this.#store;
    const notedRoot = await store.facts.get<string>(ROOT_FACT);
    const isWhole = await isRootNoted(notedRoot, store);
    if (isWhole && (await store.belongsToFolder(() => hasKnownFile(context, store)))) {
      return work({ ...context, notedRoot, folderLostStamp: store.isStampLost, ports: { ...context.ports, store } });
    }
    context.onEvent?.({ type: 'remark', message: isWhole ? OF_ANOTHER_TIME : BEGUN_ANEW });
    return work({ ...context, notedRoot, ports: { ...context.ports, store: (await forget(store)) ?? store } });
  }

  #stamped(store: StateStore): StampedStore {
    return new StampedStore(store, this.#ports.local, this.#ports.runtime.random);
  }

  async #noteFailure(error: unknown): Promise<void> {
    const code = error instanceof FileCloudSyncError ? error.code : 'ERR_UNEXPECTED';
    const message = error instanceof Error ? error.message : String(error);
    try {
      await new LastCycle(this.#store.facts).failed({ code, message, atMs: this.#ports.runtime.clock.nowMs() });
    } catch {
      // The failure itself is what the caller has to see; a memory that cannot note it is told by the next call.
    }
  }
}

/** Whether any file of the folder is one that the memory knows; looks no further than the first. */
async function hasKnownFile({ ports, options, signal }: CallContext, store: StateStore): Promise<boolean> {
  for await (const { entries } of ports.local.scan({ filter: options.filter, ...(signal && { signal }) })) {
    for (const { kind, path } of entries) {
      if (kind === 'file' && (await store.baseline.get(path)) !== undefined) return true;
    }
  }
  return false;
}

/** What a call works with before its memory was found to be worth believing. */
type CallContext = Omit<CycleContext, 'notedRoot'>;

/** Makes a store forget what both sides agreed on, and nothing else; answers another store when the first is to stay as it is. */
type Forget = (store: StampedStore) => Promise<StateStore | void>;

const OF_ANOTHER_TIME =
  'The folder and what is remembered about it are of different times: one of them was restored from a backup. What both sides agreed on is found out anew, and nothing is deleted meanwhile.';

const BEGUN_ANEW =
  'What is remembered about the folder was found to be damaged and is put aside. The comparison begins anew, and nothing is deleted meanwhile.';

/** For calls that touch nothing, the memory included. */
async function forgetForNow(store: StampedStore): Promise<StateStore> {
  const { facts, journal, uploads, parts } = store;
  const baseline: StateStore['baseline'] = {
    scan: async function* () {},
    scanBelow: async function* () {},
    get: async () => undefined,
    put: async () => {},
    delete: async () => {},
    clear: async () => {},
  };
  return { baseline, journal, uploads, parts, facts, rebuilt: true, close: async () => {} };
}
