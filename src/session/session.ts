import { FileCloudSyncError, StateDamagedError } from '../errors.js';
import type { StateStore } from '../store/state-store.js';
import type { CycleContext } from './cycle-context.js';
import { runCycle } from './cycle.js';
import { dryPlan } from './dry-plan.js';
import type { SessionListener } from './event.js';
import { LastCycle } from './last-cycle.js';
import type { SessionOptions } from './options.js';
import type { SessionPorts } from './ports.js';
import { purgeOldTrash } from './purge-old-trash.js';
import type { CycleResult, Plan, Verification } from './result.js';
import { verifySides } from './verify-sides.js';

/** What each call of a session may be given. */
export interface SessionCall {
  /** Aborted: what runs is cancelled. */
  readonly signal?: AbortSignal;
  /** Aborted: nothing new is begun, what runs is finished and recorded, then the call ends. */
  readonly softSignal?: AbortSignal;
  readonly onEvent?: SessionListener;
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
  #store: StateStore;
  #recovered = false;

  constructor(ports: Omit<SessionPorts, 'runId'>, options: SessionOptions, newRunId: () => string) {
    const { store, ...rest } = ports;
    this.#ports = rest;
    this.#store = store;
    this.#options = options;
    this.#newRunId = newRunId;
  }

  /** The memory of the pair; another one after a cycle had to rebuild it. */
  get store(): StateStore {
    return this.#store;
  }

  /** Runs one cycle. Goes on by itself after a crash or with a damaged memory; see `runCycle` for what it throws. */
  async cycle(call: SessionCall = {}): Promise<CycleResult> {
    if (!this.#recovered) {
      await this.#ports.local.cleanUp(call.signal);
      this.#recovered = true;
    }
    const context = this.#context(call);
    try {
      const result = await this.#withRepair(context, runCycle);
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
    return this.#withRepair(this.#context(call), dryPlan);
  }

  /** Compares both sides and the baseline by content. Touches nothing. */
  async verify(sample: number, call: SessionCall = {}): Promise<Verification> {
    return this.#withRepair(this.#context(call), (context) => verifySides(context, sample));
  }

  async close(): Promise<void> {
    await this.#store.close();
  }

  #context(call: SessionCall): CycleContext {
    const { signal, softSignal, onEvent } = call;
    return {
      ports: { ...this.#ports, store: this.#store, runId: this.#newRunId() },
      options: { ...this.#options, ...call.options },
      ...(signal === undefined ? {} : { signal }),
      ...(softSignal === undefined ? {} : { softSignal }),
      ...(onEvent === undefined ? {} : { onEvent }),
    };
  }

  /** Damage is found at any row. The damaged memory is put aside once, and the call starts over with an empty one. */
  async #withRepair<T>(context: CycleContext, work: (context: CycleContext) => Promise<T>): Promise<T> {
    try {
      return await work(context);
    } catch (error) {
      if (!(error instanceof StateDamagedError)) throw error;
      this.#store = await this.#ports.reopenStore();
      return work({ ...context, ports: { ...context.ports, store: this.#store } });
    }
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
