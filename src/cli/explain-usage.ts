import type { CommanderError } from 'commander';
import { UsageError } from '../errors.js';
import { COMMANDS, type CommandRow } from './command-table.js';
import { displayPath } from './escape-text.js';
import { isAddress } from './pair-names.js';

/** Turns what commander found wrong into words that say what to do. */
export function explainUsage(error: CommanderError, argv: readonly string[]): UsageError {
  const row = COMMANDS.find((command) => argv.includes(command.name));
  const message =
    error.code === 'commander.missingArgument' && row !== undefined ? missing(row, argv) : fromCommander(error);
  const help = row === undefined ? 'filecloudsync --help' : `filecloudsync ${row.name} --help`;
  return new UsageError('ERR_USAGE', `${message}\nSee: ${help}`, { cause: error });
}

function fromCommander(error: CommanderError): string {
  const text = error.message.replace(/^error: /, '').trim();
  const sentence = `${text.charAt(0).toUpperCase()}${text.slice(1)}`;
  return /[.?)]$/.test(sentence) ? sentence : `${sentence}.`;
}

/** Says which of folder and bucket is missing, and shows the whole line. */
function missing(row: CommandRow, argv: readonly string[]): string {
  const operands = argv.slice(argv.indexOf(row.name) + 1).filter((word) => !word.startsWith('-'));
  const usage = `filecloudsync ${row.name} ${row.arguments.map(({ name }) => (name === 'bucket' ? '<s3://bucket/prefix>' : `<${name}>`)).join(' ')}`;
  if (row.arguments[0]?.name !== 'folder') return `Something is missing: ${usage}`;
  const [first] = operands;
  if (first === undefined) return `Which folder and which bucket? ${usage}`;
  if (isAddress(first) && operands.length === 1)
    return `Which folder? The folder comes first, then the bucket: ${usage}`;
  if (operands.length === 1) {
    return `Which bucket is ${displayPath(first)} to be kept the same with? Name it as s3://bucket or s3://bucket/prefix: ${usage}`;
  }
  return `Something is missing: ${usage}`;
}
