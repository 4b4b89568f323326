/** The calls that take options. */
export type OptionCall = 'sync' | 'checkChanges' | 'Monitor' | 'connect';

/** What a value is, as far as a command line is concerned. `program`: can only be given by a program. */
export type OptionKind = 'text' | 'texts' | 'number' | 'boolean' | 'choice' | 'program';

/**
 * One option: everything that the check, the command and the reference page know about it.
 *
 * `Value` is the type of the option in the TypeScript interfaces.
 */
export interface OptionRow<Value = unknown> {
  /** The calls it belongs to. */
  readonly calls: readonly OptionCall[];
  readonly kind: OptionKind;
  /** The type, as TypeScript writes it. */
  readonly type: string;
  /** The value that counts when none is given; `undefined`: see `defaultText`. */
  readonly default: Value | undefined;
  /** The default in words, for the help and the reference page. */
  readonly defaultText: string;
  /** Answers what is wrong with a value, as the end of a sentence that begins with the name; `undefined`: nothing is. */
  readonly check: (value: unknown) => string | undefined;
  /** The command's flag, in the syntax of commander; `undefined`: cannot be given on a command line, see `reference`. */
  readonly flag: string | undefined;
  /** Environment variable with the same meaning; `undefined`: none. */
  readonly environment: string | undefined;
  /** Who reads `environment`: the command, where the flag is missing, or the library itself (the command leaves it alone). */
  readonly environmentReadBy: 'command' | 'library';
  /** Turns the text of a flag or variable into a value for `check`; text that makes no sense is given back as it is. */
  readonly parse: (text: string) => unknown;
  /** Only with `choice`: the values that can be written down. */
  readonly choices?: readonly string[];
  /** One line for `--help`. */
  readonly help: string;
  /** What the reference page says: unit, consequence, limits. */
  readonly reference: string;
}
