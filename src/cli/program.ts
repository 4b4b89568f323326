import { Argument, Command, Option } from 'commander';
import { optionRow, type OptionName } from '../s3/option-table.js';
import { type CommandRow, COMMANDS } from './command-table.js';
import { EXIT_CODES } from './exit-code.js';
import { COMMON_FLAGS, type FlagRow } from './flag-row.js';
import { TOPICS } from './help-topics.js';
import type { GivenValue } from './table-options.js';
import { longFlag } from './table-options.js';

/** What the command line said, before it was checked. */
export interface Invocation {
  readonly command: CommandRow;
  readonly arguments: Readonly<Record<string, string | readonly string[] | undefined>>;
  /** Values of the command's own flags that were given, by their names in the table, as text or `true` or `false`. */
  readonly flags: ReadonlyMap<string, unknown>;
  /** Values of options of the library that were given as flags. */
  readonly values: readonly GivenValue[];
}

/** Where the program writes, and what it calls. */
export interface ProgramOptions {
  readonly version: string;
  readonly columns: number;
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
  readonly onCommand: (invocation: Invocation) => Promise<void>;
}

/** The headings under which options of the library stand in the help. */
const GROUPS: readonly (readonly [heading: string, names: readonly OptionName[]])[] = [
  ['What takes part:', ['prefix', 'files', 'include', 'exclude']],
  ['What may happen:', ['readonly', 'conflict', 'maxDelete', 'trashDays', 'remove']],
  ['How:', ['delaySeconds', 'watch', 'concurrency', 'partSizeMiB', 'bandwidth', 'probe', 'stateDir', 'allowOverlap']],
  ['Where:', ['endpoint', 'region', 'profile', 'forcePathStyle', 'timeoutSeconds']],
];

const OUTPUT_GROUP = 'Output:';

/** Builds the tree of commands from the tables. Reads nothing, runs nothing. */
export function buildProgram(options: ProgramOptions): Command {
  const program = new Command('filecloudsync');
  configure(program, options)
    .description(
      'Keeps a local folder and an S3 bucket the same, in both directions, and never loses a version of a file.',
    )
    .version(options.version, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print this help; after a command, its own')
    .usage('<command> <folder> <s3://bucket/prefix> [options]')
    .helpCommand(false)
    .addHelpText('after', closingHelp());
  for (const row of COMMANDS) program.addCommand(buildCommand(row, options));
  program.addCommand(buildHelp(program, options));
  return program;
}

function configure(command: Command, options: ProgramOptions): Command {
  return (
    command
      .exitOverride()
      .showSuggestionAfterError(true)
      // The arguments are in the usage line; repeated here they push the words off the screen.
      .configureHelp({ subcommandTerm: (child) => child.name() })
      .configureOutput({
        writeOut: options.out,
        writeErr: options.err,
        // The failure is told once, by whoever catches it, in text or in JSON.
        outputError: () => undefined,
        getOutHelpWidth: () => options.columns,
        getErrHelpWidth: () => options.columns,
        getOutHasColors: () => false,
        getErrHasColors: () => false,
      })
  );
}

function buildCommand(row: CommandRow, options: ProgramOptions): Command {
  const command = configure(new Command(row.name), options)
    .summary(row.summary)
    .description(row.description)
    .helpGroup(row.group)
    .addHelpOption(new Option('-h, --help', 'print this help').helpGroup(OUTPUT_GROUP))
    .addHelpText('after', examplesHelp(row.examples));
  for (const argument of row.arguments) {
    const name = argument.variadic === true ? `${argument.name}...` : argument.name;
    const added = new Argument(argument.optional === true ? `[${name}]` : `<${name}>`, argument.help);
    if (argument.choices !== undefined) added.choices(argument.choices);
    command.addArgument(added);
  }
  const tableFlags = new Map<string, OptionName>();
  const ownFlags = new Map<string, string>();
  const addOwn = (common: boolean): void => {
    for (const [name, flag] of Object.entries<FlagRow>(row.flags)) {
      if (name in COMMON_FLAGS !== common) continue;
      const option = ownOption(flag, common ? OUTPUT_GROUP : 'Options:');
      ownFlags.set(option.attributeName(), name);
      command.addOption(option);
    }
  };
  // What only this command has is read first.
  addOwn(false);
  for (const name of inGroups(row.options)) {
    const option = tableOption(name);
    if (option === undefined) continue;
    tableFlags.set(option.attributeName(), name);
    command.addOption(option);
  }
  addOwn(true);
  return command.action(async () => {
    const flags = new Map<string, unknown>();
    const values: GivenValue[] = [];
    for (const [attribute, value] of Object.entries<unknown>(command.opts())) {
      if (command.getOptionValueSource(attribute) !== 'cli') continue;
      const own = ownFlags.get(attribute);
      const name = tableFlags.get(attribute);
      if (own !== undefined) flags.set(own, value);
      if (name !== undefined)
        values.push({ name, value: parsed(name, value), from: longFlag(optionRow(name).flag ?? name) });
    }
    const given: readonly (string | readonly string[] | undefined)[] = command.processedArgs;
    const named = Object.fromEntries(row.arguments.map((argument, index) => [argument.name, given[index]]));
    await options.onCommand({ command: row, arguments: named, flags, values });
  });
}

/** The option of a row, or `undefined` when it has no flag. A list is given by repeating the flag, so that it never swallows the folder. */
function tableOption(name: OptionName): Option | undefined {
  const row = optionRow(name);
  if (row.flag === undefined) return undefined;
  const list = row.flag.includes('...');
  const standard = row.default === undefined || row.kind === 'boolean' ? '' : ` (default: ${row.defaultText})`;
  const option = new Option(row.flag.replace('...', ''), `${row.help}${list ? '; may be repeated' : ''}${standard}`);
  if (list)
    option.argParser((text: string, earlier: readonly string[] | undefined) => [
      ...(earlier ?? []),
      ...(text === '' ? [] : [text]),
    ]);
  return option.helpGroup(GROUPS.find(([, names]) => names.includes(name))?.[0] ?? 'Options:');
}

function ownOption(row: FlagRow, group: string): Option {
  const option = new Option(row.flag, row.help).helpGroup(group);
  return row.choices === undefined ? option : option.choices(row.choices);
}

function parsed(name: OptionName, value: unknown): unknown {
  return typeof value === 'string' ? optionRow(name).parse(value) : value;
}

function inGroups(names: readonly OptionName[]): OptionName[] {
  const rank = (name: OptionName): number => {
    const group = GROUPS.findIndex(([, members]) => members.includes(name));
    return group === -1 ? GROUPS.length * 100 : group * 100 + (GROUPS[group]?.[1].indexOf(name) ?? 0);
  };
  return [...new Set(names)].sort((a, b) => rank(a) - rank(b));
}

function buildHelp(program: Command, options: ProgramOptions): Command {
  const topics = Object.keys(TOPICS);
  return configure(new Command('help'), options)
    .summary(`help about a command, or about ${topics.join(', ')}`)
    .description(`Prints the help of a command, or one of the pages: ${topics.join(', ')}.`)
    .helpGroup('Get started:')
    .helpOption('-h, --help', 'print this help')
    .argument('[topic]', 'a command, or a page')
    .action((topic: string | undefined) => {
      const page = topic === undefined ? undefined : TOPICS[topic];
      if (page !== undefined) {
        options.out(page);
        return;
      }
      const command = topic === undefined ? program : program.commands.find((candidate) => candidate.name() === topic);
      if (command === undefined)
        program.error(`error: unknown command '${topic}'`, { code: 'commander.unknownCommand' });
      else command.outputHelp();
    });
}

function examplesHelp(examples: readonly string[]): string {
  return `\nExamples:\n${examples.map((example) => `  ${example}`).join('\n')}\n`;
}

function closingHelp(): string {
  return `
Examples:
  filecloudsync demo
  filecloudsync plan photos s3://my-bucket/photos
  filecloudsync sync photos s3://my-bucket/photos
  filecloudsync watch photos s3://my-bucket/photos --endpoint https://storage.example.com

Keys, the first that is found:
  S3_ACCESS_KEY and S3_SECRET_KEY, ./.s3conf.yml, ~/.s3conf.yml, then whatever
  the AWS tools would use. Every option has an environment variable too:
  filecloudsync help environment

Exit codes:
${EXIT_CODES.map(({ code, meaning }) => `  ${String(code).padStart(3)}  ${meaning}`).join('\n')}
`;
}
