import type { Clock } from '../core/runtime.js';
import type { MonitorOptions } from '../s3/monitor-options.js';
import type { ConnectOptions } from '../s3/connect-options.js';
import type { OpenPair } from '../s3/open-port.js';
import type { ServiceClient } from '../s3/slim-client.js';
import type { DemoWorld } from './demo/demo-world.js';
import type { Terminals, TextOutput } from './screen.js';
import type { StopSignal } from './stop-signals.js';

/** A connected client. The command hands it on and never looks inside. */
export type Client = ServiceClient;

/** What `watch` needs of a monitor. */
export interface MonitorPort {
  /** Resolves after the first cycle. */
  start(): Promise<unknown>;
  /** Runs a last cycle and ends. */
  stop(): Promise<unknown>;
  readonly finished: Promise<unknown>;
  on(event: 'error', listener: (error: unknown) => void): unknown;
}

/** Everything the command takes from outside, so that it can run inside a test. */
export interface CommandDependencies {
  readonly openPair: OpenPair;
  connect(options: ConnectOptions): Promise<Client>;
  createMonitor(bucket: string, folder: string, options: MonitorOptions): Promise<MonitorPort>;
  /** Starts what the demo needs: a server of its own on this machine. */
  startDemoWorld(options: { readonly directory: string; readonly port: number }): Promise<DemoWorld>;
  readonly stdout: TextOutput;
  readonly stderr: TextOutput;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  readonly clock: Clock;
  readonly isTTY: Terminals;
  /** Width of the terminal. */
  columns(): number;
  /** Calls back for every signal that asks to end; answers how to stop listening. */
  onSignal(listener: (signal: StopSignal) => void): () => void;
  /** Asks a person; `undefined` when the input ended. */
  ask(question: string, signal: AbortSignal): Promise<string | undefined>;
  /** Leaves at once, whatever runs. */
  exit(code: number): void;
  readonly version: string;
}
