import { UsageError } from '../errors.js';
import type { ConnectOptions } from '../s3/connect-options.js';
import type { MonitorOptions } from '../s3/monitor-options.js';
import { optionRow, type OptionName } from '../s3/option-table.js';
import type { SyncOptions } from '../s3/sync-options.js';

/** The options that flags and environment gave, by the call that takes them. */
export interface TableOptions {
  readonly sync: SyncOptions;
  readonly connect: ConnectOptions;
  readonly monitor: MonitorOptions;
}

/** One value as it was given. */
export interface GivenValue {
  readonly name: OptionName;
  readonly value: unknown;
  /** The flag or variable it came from, for messages. */
  readonly from: string;
}

/** The name of a row's flag without its value: `--max-delete`. */
export function longFlag(flag: string): string {
  return /--[a-z0-9-]+/.exec(flag)?.[0] ?? flag;
}

/**
 * Reads what the environment says for options whose flag is absent. Only variables that the library does not read by
 * itself; an empty one counts as not set.
 */
export function environmentValues(
  names: readonly OptionName[],
  given: ReadonlySet<OptionName>,
  env: Readonly<Record<string, string | undefined>>,
): GivenValue[] {
  const values: GivenValue[] = [];
  for (const name of names) {
    const row = optionRow(name);
    if (given.has(name) || row.environment === undefined || row.environmentReadBy !== 'command') continue;
    const text = env[row.environment];
    if (text !== undefined && text !== '') values.push({ name, value: row.parse(text), from: row.environment });
  }
  return values;
}

/**
 * Checks values against the table and sorts them by the calls that take them.
 *
 * @throws UsageError `ERR_USAGE`, once, with everything that is wrong.
 */
export function toTableOptions(values: readonly GivenValue[]): TableOptions {
  const errors: string[] = [];
  const sync: Record<string, unknown> = {};
  const connect: Record<string, unknown> = {};
  const monitor: Record<string, unknown> = {};
  for (const { name, value, from } of values) {
    const row = optionRow(name);
    const wrong = row.check(value);
    if (wrong !== undefined) errors.push(`${from} ${wrong}`);
    if (row.calls.includes('sync')) sync[name] = value;
    if (row.calls.includes('connect')) connect[name] = value;
    if (row.calls.includes('Monitor')) monitor[name] = value;
  }
  throwWrong(errors);
  return { sync, connect, monitor };
}

/** Throws one `UsageError` that says everything in `errors`, when there is anything. */
export function throwWrong(errors: readonly string[]): void {
  const [first, ...others] = errors;
  if (first === undefined) return;
  const message =
    others.length === 0
      ? `${first}.`
      : `${errors.length} things are wrong:\n${errors.map((error) => `- ${error}.`).join('\n')}`;
  throw new UsageError('ERR_USAGE', message, { data: { errors } });
}
