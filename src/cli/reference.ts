import { optionNames, optionRow, type OptionName } from '../s3/option-table.js';
import { type CommandRow, COMMANDS } from './command-table.js';
import { EXIT_CODES } from './exit-code.js';
import { COMMON_FLAGS, type FlagRow } from './flag-row.js';
import { JSON_LINES, type JsonLineRow, jsonSchema } from './json-schema.js';

/** A generated page: its path below the project, and its text. */
export interface ReferencePage {
  readonly path: string;
  readonly text: string;
}

/** Makes the reference pages from the tables of commands, options, exit codes and lines of JSON. */
export function referencePages(): ReferencePage[] {
  return [
    { path: 'docs/reference.md', text: referencePage() },
    { path: 'docs/json.md', text: jsonPage() },
    { path: 'docs/json.schema.json', text: `${JSON.stringify(jsonSchema(), undefined, 2)}\n` },
  ];
}

const GENERATED = '<!-- Made by scripts/reference.mjs. Change the tables in src/, not this page. -->';

function referencePage(): string {
  return `# Reference

${GENERATED}

[Commands](#commands) · [Options](#options) · [Environment](#environment) · [Exit codes](#exit-codes)

## Commands

${COMMANDS.map(commandSection).join('\n\n')}

### Flags of every command that works on a pair

${flagTable(Object.values(COMMON_FLAGS))}

## Options

The options of \`sync\`, \`checkChanges\`, \`Monitor\` and \`connect\` in the library, and of the commands.

${optionNames().map(optionSection).join('\n\n')}

## Environment

A variable counts where the flag is absent. An empty variable counts as not set. Switches take \`true\`, \`1\`, \`yes\`, \`on\`, or \`false\`, \`0\`, \`no\`, \`off\`; lists take one item a line.

| variable | same as | meaning |
|---|---|---|
${environmentRows().join('\n')}
| \`NO_COLOR\` | \`--no-color\` | no colours |

## Exit codes

| code | meaning |
|---|---|
${EXIT_CODES.map(({ code, meaning }) => `| ${code} | ${cell(meaning)} |`).join('\n')}

Failed paths (3) go before waiting conflicts (4). \`plan\` gives 10 when \`sync\` would halt; \`conflicts\` gives 4 when any wait; \`verify\` gives 3 when anything differs. \`watch\` that was asked to end gives the code of its last cycle, and 130 when it was cancelled by a second signal.

The first Ctrl-C (or SIGTERM) finishes what is running and saves; the second cancels; the third leaves at once. Whatever the signal, the same command goes on where it was.
`;
}

function commandSection(row: CommandRow): string {
  const own = Object.entries<FlagRow>(row.flags).flatMap(([name, flag]) => (name in COMMON_FLAGS ? [] : [flag]));
  const options = row.options.flatMap((name) => {
    const { flag } = optionRow(name);
    return flag === undefined ? [] : [`[\`${(flag.match(/--[a-z0-9-]+/) ?? [flag])[0]}\`](#${anchor(name)})`];
  });
  const usage = row.arguments.map(({ name, optional, variadic }) => {
    const shown = name === 'bucket' ? 's3://bucket/prefix' : `${name}${variadic === true ? '...' : ''}`;
    return optional === true ? `[${shown}]` : `<${shown}>`;
  });
  return [
    `### \`filecloudsync ${row.name}\``,
    row.description,
    `\`\`\`\nfilecloudsync ${[row.name, ...usage].join(' ')}\n\`\`\``,
    ...(own.length > 0 ? [flagTable(own)] : []),
    ...(options.length > 0 ? [`Options: ${[...new Set(options)].join(', ')}.`] : []),
    `\`\`\`sh\n${row.examples.join('\n')}\n\`\`\``,
  ].join('\n\n');
}

function flagTable(flags: readonly FlagRow[]): string {
  return [
    '| flag | meaning |',
    '|---|---|',
    ...flags.map(({ flag, help }) => `| \`${cell(flag)}\` | ${cell(help)} |`),
  ].join('\n');
}

function optionSection(name: OptionName): string {
  const row = optionRow(name);
  return [
    `### ${name}`,
    row.reference,
    [
      '| | |',
      '|---|---|',
      `| type | \`${cell(row.type)}\` |`,
      `| default | ${cell(row.defaultText)} |`,
      `| flag | ${row.flag === undefined ? 'none' : `\`${cell(row.flag)}\``} |`,
      `| environment | ${row.environment === undefined ? 'none' : `\`${row.environment}\``} |`,
      `| belongs to | ${row.calls.map((call) => `\`${call}\``).join(', ')} |`,
    ].join('\n'),
  ].join('\n\n');
}

function environmentRows(): string[] {
  return optionNames().flatMap((name) => {
    const { environment, help } = optionRow(name);
    return environment === undefined ? [] : [`| \`${environment}\` | [${name}](#${anchor(name)}) | ${cell(help)} |`];
  });
}

function jsonPage(): string {
  const rows: readonly (readonly [string, JsonLineRow])[] = Object.entries(JSON_LINES);
  return `# Lines of JSON

${GENERATED}

With \`--json\`, every command writes one JSON object a line to stdout, each with \`type\`; what is meant for people goes to stderr. Fields may be added, never changed or taken away: ignore what you do not know. The same as a JSON Schema: [json.schema.json](json.schema.json).

\`--log <file>\` appends the same lines, each with \`atMs\` (milliseconds since 1970), and \`decision\` and \`start\` in any case: who deleted a file is answered by its \`decision\`, the run by the last \`begin\` before it.

Sizes are bytes, times are milliseconds since 1970. Characters that a terminal would obey are always escaped. \`--quiet\` keeps \`conflict\`, \`problem\`, \`error\` and the answer to the command; \`--verbose\` adds \`decision\` and \`start\`.

\`\`\`sh
filecloudsync sync photos s3://my-bucket --json | jq -c 'select(.type == "problem") | .problem'
\`\`\`

| type | when | fields |
|---|---|---|
${rows.map(([type, row]) => `| \`${type}\` | ${cell(row.description)} | ${fieldList(row)} |`).join('\n')}
`;
}

function fieldList(row: JsonLineRow): string {
  return Object.keys(row.fields)
    .map((name) => `\`${name}${row.optional?.includes(name) === true ? '?' : ''}\``)
    .join(', ');
}

function anchor(name: string): string {
  return name.toLowerCase();
}

/** A pipe would end the cell. */
function cell(text: string): string {
  return text.replaceAll('|', String.raw`\|`);
}
