import type { ConnectOptions } from '../s3/connect-options.js';
import { withDefaults } from '../s3/default-options.js';
import type { Pair } from '../s3/pair.js';
import type { SessionListener } from '../session/event.js';
import type { CommandDependencies } from './dependencies.js';
import type { EventLog } from './event-log.js';
import type { ExitCode } from './exit-code.js';
import type { Reporter } from './reporter.js';
import type { StopSignals } from './stop-signals.js';
import type { Style } from './style.js';
import type { TableOptions } from './table-options.js';

/** A folder and a bucket as they were named. */
export interface PairNames {
  readonly folder: string;
  /** As it was typed, for messages and commands to copy. */
  readonly address: string;
  readonly bucket: string;
}

/** All that a command works with. */
export interface CommandContext {
  readonly dependencies: CommandDependencies;
  readonly reporter: Reporter;
  readonly log: EventLog | undefined;
  readonly stops: StopSignals;
  /** Colours of stdout. */
  readonly style: Style;
  /** The arguments, by name; a variadic one is a list. */
  readonly arguments: Readonly<Record<string, string | readonly string[] | undefined>>;
  /** The command's own flags, by their names in the table. */
  readonly flags: Readonly<Record<string, unknown>>;
  /** The options of the library, checked. */
  readonly options: TableOptions;
  /** The pair that the arguments name. Throws `UsageError` where they name none. */
  pairNames(): PairNames;
}

/** How many entries the lists of an answer have: everything is told by events, and memory must not grow with a run. */
export const LISTED = 1000;

/** Runs one command. What it throws becomes the exit code. */
export type CommandRun = (context: CommandContext) => Promise<ExitCode>;

/** Connects and opens the pair, gives it to `work`, and closes it whatever happens. */
export async function withPair<T>(context: CommandContext, work: (pair: Pair) => Promise<T>): Promise<T> {
  const { dependencies, stops, options } = context;
  const names = context.pairNames();
  const connectOptions: ConnectOptions = { ...options.connect, bucket: names.bucket };
  const client = await stops.race(dependencies.connect(connectOptions));
  try {
    const opening = dependencies.openPair(
      client,
      names.address,
      names.folder,
      withDefaults({ ...options.sync, signal: stops.hard }),
    );
    const pair = await stops.race(opening).catch((error: unknown) => {
      // A pair that opens after all would hold its lock until the process ends.
      opening.then(
        (late) => late.close(),
        () => undefined,
      );
      throw error;
    });
    try {
      return await work(pair);
    } finally {
      await pair.close();
    }
  } finally {
    client.destroy();
  }
}

/** Tells the reporter and the log about each event. */
export function listener(context: CommandContext): SessionListener {
  return (event) => {
    context.log?.event(event);
    context.reporter.event(event);
  };
}
