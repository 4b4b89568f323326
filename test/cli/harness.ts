import { EventEmitter } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach } from 'vitest';
import type { CommandDependencies, MonitorPort } from '../../src/cli/dependencies.js';
import { runCommand } from '../../src/cli/run-command.js';
import type { StopSignal } from '../../src/cli/stop-signals.js';
import type { ConnectOptions } from '../../src/s3/connect-options.js';
import type { MonitorOptions } from '../../src/s3/monitor-options.js';
import type { Pair } from '../../src/s3/pair.js';
import type { ResolvedSyncOptions } from '../../src/s3/default-options.js';
import type { SessionEvent } from '../../src/session/event.js';
import type { CycleResult, Plan, PlanTotals } from '../../src/session/result.js';

export const TOTALS: PlanTotals = {
  uploads: 0,
  uploadBytes: 0,
  downloads: 0,
  downloadBytes: 0,
  compares: 0,
  localDeletes: 0,
  remoteDeletes: 0,
  localMoves: 0,
  remoteMoves: 0,
  held: 0,
};

export function cycle(part: Partial<CycleResult> = {}): CycleResult {
  const { changes = [], conflicts = [], problems = [] } = part;
  const count = <T>(all: readonly T[], isMeant: (one: T) => boolean): number => all.filter(isMeant).length;
  const plain = changes.filter(({ from, to }) => from === undefined && to === undefined);
  return {
    runId: 'run1',
    counts: {
      changes: changes.length,
      uploads: count(plain, ({ operation, origin }) => operation !== 'deleted' && origin === 'local'),
      downloads: count(plain, ({ operation, origin }) => operation !== 'deleted' && origin === 'remote'),
      renames: count(changes, ({ from }) => from !== undefined),
      deletions: count(plain, ({ operation }) => operation === 'deleted'),
      settledConflicts: count(conflicts, ({ resolution }) => resolution !== 'manual'),
      waitingConflicts: count(conflicts, ({ resolution }) => resolution === 'manual'),
      errors: count(problems, ({ severity }) => severity === 'error'),
      notices: count(problems, ({ severity }) => severity === 'notice'),
    },
    changes: [],
    conflicts: [],
    problems: [],
    held: [],
    heldCount: 0,
    localFiles: 0,
    remoteFiles: 0,
    uploadedBytes: 0,
    downloadedBytes: 0,
    hashedFiles: 0,
    rebuilt: false,
    startedAtMs: 0,
    endedAtMs: 1200,
    ...part,
  };
}

export function plan(part: Partial<Plan> = {}): Plan {
  const problems = part.problems ?? [];
  const errors = problems.filter(({ severity }) => severity === 'error').length;
  return { totals: TOTALS, changes: [], compares: [], problems, errors, held: [], halt: undefined, ...part };
}

/** Answers a plan as a pair does that was asked to list nothing: all of it is told by events. */
export function planTold(part: Partial<Plan> = {}): Pair['plan'] {
  return async ({ onEvent } = {}) => {
    const whole = plan(part);
    for (const change of whole.changes) onEvent?.({ type: 'change', change });
    for (const path of whole.compares) onEvent?.({ type: 'compare', path });
    for (const problem of whole.problems) onEvent?.({ type: 'problem', problem });
    for (const held of whole.held) onEvent?.({ type: 'held', ...held });
    return { ...whole, changes: [], compares: [], problems: [], held: [] };
  };
}

/** A pair whose answers a test chooses. What no test has answered for throws. */
export function fakePair(part: Partial<Pair>): Pair {
  const no = (name: string) => (): never => {
    throw new Error(`the command called ${name}, which this test does not expect`);
  };
  return {
    rest: async () => {},
    sync: no('sync'),
    plan: no('plan'),
    status: no('status'),
    conflicts: no('conflicts'),
    resolve: no('resolve'),
    trash: no('trash'),
    purgeTrash: no('purgeTrash'),
    restore: no('restore'),
    verify: no('verify'),
    forget: no('forget'),
    removeFolder: no('removeFolder'),
    close: async () => undefined,
    ...part,
  };
}

/** A monitor that a test drives. */
export class FakeMonitor extends EventEmitter implements MonitorPort {
  readonly finished: Promise<void>;
  stops = 0;
  readonly #finish: () => void;
  readonly #script: { start?: () => Promise<void> | void; stop?: () => Promise<void> | void };

  constructor(script: { start?: () => Promise<void> | void; stop?: () => Promise<void> | void } = {}) {
    super();
    this.#script = script;
    let finish = (): void => undefined;
    this.finished = new Promise((resolve) => {
      finish = resolve;
    });
    this.#finish = finish;
  }

  async start(): Promise<void> {
    await this.#script.start?.();
  }

  async stop(): Promise<void> {
    this.stops += 1;
    await this.#script.stop?.();
    this.#finish();
  }
}

export interface RunOptions {
  readonly pair?: Partial<Pair>;
  readonly env?: Readonly<Record<string, string>>;
  readonly terminal?: boolean;
  readonly stdinTerminal?: boolean;
  readonly columns?: number;
  readonly answer?: string;
  readonly cwd?: string;
  readonly monitor?: (options: MonitorOptions) => FakeMonitor;
  readonly connect?: (options: ConnectOptions) => Promise<void>;
  readonly overrides?: Partial<CommandDependencies>;
}

/** A command line that ran inside the test. */
export class Run {
  stdout = '';
  stderr = '';
  nowMs = 1_000_000;
  destroyed = 0;
  closed = 0;
  exited: number | undefined;
  listening = 0;
  readonly connects: ConnectOptions[] = [];
  readonly opened: { readonly bucket: string; readonly folder: string; readonly options: ResolvedSyncOptions }[] = [];
  readonly questions: string[] = [];
  #signal: ((signal: StopSignal) => void) | undefined;

  /** Lines of JSON on stdout. */
  get lines(): Record<string, unknown>[] {
    return this.stdout
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line));
  }

  /** Sends a signal, a moment after the last one. */
  readonly press = (signal: StopSignal = 'SIGINT', afterMs = 1000): void => {
    this.nowMs += afterMs;
    this.#signal?.(signal);
  };

  async run(argv: readonly string[], options: RunOptions = {}): Promise<number> {
    const { pair = {}, terminal = false } = options;
    const client = { destroy: () => (this.destroyed += 1) };
    return runCommand(argv, {
      connect: async (given) => {
        this.connects.push(given);
        await options.connect?.(given);
        return client as unknown as Awaited<ReturnType<CommandDependencies['connect']>>;
      },
      openPair: async (_client, bucket, folder, given) => {
        this.opened.push({ bucket, folder, options: given });
        const fake = fakePair(pair);
        return {
          ...fake,
          close: async () => {
            this.closed += 1;
            await fake.close();
          },
        };
      },
      createMonitor: async (_bucket, _folder, given) => {
        if (options.monitor === undefined) throw new Error('this test expects no monitor');
        return options.monitor(given);
      },
      startDemoWorld: async () => {
        throw new Error('this test expects no demo');
      },
      stdout: { write: (text) => (this.stdout += text) },
      stderr: { write: (text) => (this.stderr += text) },
      env: options.env ?? {},
      cwd: options.cwd ?? temporaryFolder(),
      clock: {
        nowMs: () => this.nowMs,
        sleep: () => Promise.reject(new Error('commands do not sleep')),
      },
      isTTY: { stdin: options.stdinTerminal ?? terminal, stdout: terminal, stderr: terminal },
      columns: () => options.columns ?? 100,
      onSignal: (listener) => {
        this.#signal = listener;
        this.listening += 1;
        return () => {
          this.listening -= 1;
        };
      },
      ask: async (question) => {
        this.questions.push(question);
        return options.answer;
      },
      exit: (code) => {
        this.exited = code;
      },
      version: '1.2.3',
      ...options.overrides,
    });
  }
}

/** Runs a command line whose folder is the current one. */
export async function run(argv: readonly string[], options: RunOptions = {}): Promise<Run & { readonly code: number }> {
  const made = new Run();
  const code = await made.run(argv, options);
  return Object.assign(made, { code });
}

/** Runs a command on the folder `.` and the bucket `s3://bucket/photos`. */
export function runPair(
  command: string,
  options: RunOptions & { readonly more?: readonly string[] } = {},
): ReturnType<typeof run> {
  return run([command, '.', 's3://bucket/photos', ...(options.more ?? [])], options);
}

/** A `sync` that tells these events and answers this. */
export function syncWith(events: readonly SessionEvent[], result: CycleResult = cycle()): Pick<Pair, 'sync'> {
  return {
    sync: async (options) => {
      for (const event of events) options?.onEvent?.(event);
      options?.onEvent?.({ type: 'end', result });
      return result;
    },
  };
}

const folders: string[] = [];

/** An empty folder that is removed after the test. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'filecloudsync-cli-'));
  folders.push(folder);
  return folder;
}

afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});
