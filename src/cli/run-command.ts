import { CommanderError } from 'commander';
import { isAbort, UsageError } from '../errors.js';
import type { CommandContext } from './context.js';
import type { CommandDependencies } from './dependencies.js';
import { EventLog } from './event-log.js';
import { EXIT, type ExitCode, exitCodeOfError } from './exit-code.js';
import { explainUsage } from './explain-usage.js';
import { JsonReporter } from './json-reporter.js';
import { withLog } from './logged-reporter.js';
import { isAddress, readPairNames } from './pair-names.js';
import { buildProgram, type Invocation } from './program.js';
import type { Reporter } from './reporter.js';
import { Screen } from './screen.js';
import { StopSignals, type StopStage } from './stop-signals.js';
import { createStyle, wantsColour } from './style.js';
import { environmentValues, longFlag, throwWrong, toTableOptions } from './table-options.js';
import { TextReporter } from './text-reporter.js';

/**
 * Runs one command line: `argv` without the program's name. Never throws and never ends the process, except through
 * `exit` at the third signal; answers the exit code.
 */
export async function runCommand(argv: readonly string[], dependencies: CommandDependencies): Promise<ExitCode> {
  let exitCode: ExitCode = EXIT.done;
  const program = buildProgram({
    version: dependencies.version,
    columns: dependencies.isTTY.stdout ? dependencies.columns() : 100,
    out: (text) => dependencies.stdout.write(text),
    err: (text) => dependencies.stderr.write(text),
    onCommand: async (invocation) => {
      exitCode = await runInvocation(invocation, dependencies);
    },
  });
  if (argv.length === 0) {
    dependencies.stderr.write(program.helpInformation());
    return EXIT.usage;
  }
  try {
    await program.parseAsync([...argv], { from: 'user' });
    return exitCode;
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    // Help and version come this way too, with code 0.
    if (error.exitCode === 0) return EXIT.done;
    const reporter = createReporter(dependencies, { json: argv.includes('--json') });
    reporter.error(explainUsage(error, argv));
    return EXIT.usage;
  }
}

async function runInvocation(invocation: Invocation, dependencies: CommandDependencies): Promise<ExitCode> {
  const switches = {
    json: invocation.flags.get('json') === true,
    quiet: invocation.flags.get('quiet') === true,
    verbose: invocation.flags.get('verbose') === true,
    color: invocation.flags.get('color') !== false,
  };
  const reporter = createReporter(dependencies, switches);
  const stops = new StopSignals(dependencies.clock, (stage, signal) => {
    if (switches.json) reporter.result({ type: 'stopping', signal, stage }, () => '');
    else reporter.warn(STAGE_WORDS[stage]);
    if (stage === 'exit') dependencies.exit(EXIT.stopped);
  });
  const stopListening = dependencies.onSignal(stops.receive);
  let log: EventLog | undefined;
  try {
    log = openLog(invocation, dependencies, reporter);
    const speaker = log === undefined ? reporter : withLog(reporter, log);
    const context = createContext(invocation, dependencies, { reporter: speaker, stops, log, color: switches.color });
    const run = await invocation.command.load();
    return await run(context);
  } catch (error) {
    if (isAbort(error) && stops.stopped) {
      reporter.warn('Stopped. What was done is saved; run the same command again to go on.');
      return EXIT.stopped;
    }
    log?.error(error);
    reporter.error(error);
    return exitCodeOfError(error);
  } finally {
    stopListening();
    reporter.close();
    log?.close();
  }
}

const STAGE_WORDS: Readonly<Record<StopStage, string>> = {
  finish: 'Finishing what is running, and saving. Press Ctrl-C again to cancel.',
  cancel: 'Cancelling. Press Ctrl-C again to leave at once.',
  exit: 'Leaving at once.',
};

interface Speech {
  readonly reporter: Reporter;
  readonly stops: StopSignals;
  readonly log: EventLog | undefined;
  readonly color: boolean;
}

/** Checks all that was given, and throws one error about everything that is wrong, before anything is opened. */
function createContext(invocation: Invocation, dependencies: CommandDependencies, speech: Speech): CommandContext {
  const { command, values } = invocation;
  const flags = checkedFlags(invocation);
  const given = new Set(values.map(({ name }) => name));
  const options = toTableOptions([...values, ...environmentValues(command.options, given, dependencies.env)]);
  const pairNames = (): ReturnType<CommandContext['pairNames']> =>
    readPairNames({
      folder: textArgument(invocation, 'folder'),
      address: textArgument(invocation, 'bucket'),
      prefix: options.sync.prefix,
      cwd: dependencies.cwd,
      needsFolder: command.needsFolder === true,
    });
  if (command.arguments.some(({ name }) => name === 'bucket')) pairNames();
  return {
    dependencies,
    reporter: speech.reporter,
    stops: speech.stops,
    log: speech.log,
    style: createStyle(wantsColour(dependencies.isTTY.stdout, dependencies.env, speech.color)),
    arguments: invocation.arguments,
    flags,
    options,
    pairNames,
  };
}

function checkedFlags(invocation: Invocation): Record<string, unknown> {
  const flags: Record<string, unknown> = {};
  const errors: string[] = [];
  for (const [name, value] of invocation.flags) {
    const row = invocation.command.flags[name];
    const result = row?.parse === undefined || typeof value !== 'string' ? { value } : row.parse(value);
    if ('error' in result) errors.push(`${longFlag(row?.flag ?? name)} ${result.error}`);
    else flags[name] = result.value;
  }
  throwWrong(errors);
  return flags;
}

function textArgument(invocation: Invocation, name: string): string {
  const value = invocation.arguments[name];
  if (typeof value === 'string' && value !== '') return value;
  throw new UsageError(
    'ERR_USAGE',
    `The ${name} is empty. Name it, as in: filecloudsync ${invocation.command.name} photos s3://my-bucket/photos`,
  );
}

function openLog(invocation: Invocation, dependencies: CommandDependencies, reporter: Reporter): EventLog | undefined {
  const path = invocation.flags.get('log');
  if (typeof path !== 'string') return undefined;
  const folder = invocation.arguments['folder'];
  return new EventLog({
    path,
    cwd: dependencies.cwd,
    folder: typeof folder === 'string' && !isAddress(folder) ? folder : undefined,
    clock: dependencies.clock,
    onFailure: (message) => reporter.warn(message),
  });
}

function createReporter(
  dependencies: CommandDependencies,
  switches: { readonly json: boolean; readonly quiet?: boolean; readonly verbose?: boolean; readonly color?: boolean },
): Reporter {
  const { isTTY, env, clock } = dependencies;
  const { json, quiet = false, verbose = false, color = true } = switches;
  const screen = new Screen({
    stdout: dependencies.stdout,
    stderr: dependencies.stderr,
    clock,
    live: isTTY.stderr && !json && !quiet && env['TERM'] !== 'dumb',
    columns: () => dependencies.columns(),
  });
  if (json) return new JsonReporter({ screen, clock, quiet, verbose });
  return new TextReporter({
    screen,
    clock,
    quiet,
    verbose,
    outStyle: createStyle(wantsColour(isTTY.stdout, env, color)),
    errStyle: createStyle(wantsColour(isTTY.stderr, env, color)),
  });
}
