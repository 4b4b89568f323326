import type { OptionCall } from './option-row.js';
import { UsageError } from '../errors.js';
import { nearestName } from './nearest-name.js';
import { isOptionName, optionNames, optionRow } from './option-table.js';

/**
 * Checks the options of a call against the table.
 *
 * An option whose value is `undefined` counts as not given.
 *
 * @throws UsageError `ERR_USAGE`, once, with everything that is wrong; `data.errors` has one line for each.
 */
export function checkOptions(call: OptionCall, options: unknown): void {
  throwUsageErrors(call, optionErrors(call, options));
}

/** Everything that is wrong with the options of a call, one sentence each; an empty list when nothing is. */
export function optionErrors(call: OptionCall, options: unknown): string[] {
  if (options === undefined) return [];
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    return ['the options must be an object, such as { readonly: true }'];
  }
  const errors: string[] = [];
  const given = Object.entries(options).filter(([, value]) => value !== undefined);
  for (const [name, value] of given) {
    const error =
      isOptionName(name) && optionRow(name).calls.includes(call) ? optionRow(name).check(value) : unknown(call, name);
    if (error !== undefined) errors.push(`"${name}" ${error}`);
  }
  return [...errors, ...contradictions(new Set(given.map(([name]) => name)))];
}

/** Throws one `UsageError` `ERR_USAGE` that says everything in `errors`, when there is anything. */
export function throwUsageErrors(call: string, errors: readonly string[]): void {
  const [first, ...others] = errors;
  if (first === undefined) return;
  const message =
    others.length === 0
      ? `Wrong use of ${call}: ${first}.`
      : `Wrong use of ${call}, ${errors.length} times:\n${errors.map((error) => `- ${error}.`).join('\n')}`;
  throw new UsageError('ERR_USAGE', message, { data: { call, errors } });
}

function unknown(call: OptionCall, name: string): string {
  if (isOptionName(name)) return `is not an option of ${call}, but of ${optionRow(name).calls.join(' and ')}`;
  const nearest = nearestName(name, optionNames(call));
  return nearest === undefined
    ? `is not an option of ${call}`
    : `is not an option of ${call}; did you mean "${nearest}"?`;
}

function contradictions(given: ReadonlySet<string>): string[] {
  const errors: string[] = [];
  const keys = ['accessKeyId', 'secretAccessKey', 'sessionToken'].filter((name) => given.has(name));
  if (given.has('accessKeyId') !== given.has('secretAccessKey')) {
    errors.push('"accessKeyId" and "secretAccessKey" belong together: give both or none');
  } else if (given.has('sessionToken') && !given.has('accessKeyId')) {
    errors.push('"sessionToken" belongs to "accessKeyId" and "secretAccessKey": give all three or none');
  }
  if (given.has('profile') && keys.length > 0) {
    errors.push(
      `"profile" cannot be combined with ${keys.map((name) => `"${name}"`).join(', ')}: give one or the other`,
    );
  }
  if (given.has('client')) {
    const others = optionNames('connect').filter((name) => given.has(name));
    if (others.length > 0) {
      errors.push(
        `"client" is already connected: it cannot be combined with ${others.map((name) => `"${name}"`).join(', ')}`,
      );
    }
  }
  return errors;
}
