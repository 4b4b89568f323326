/** One flag of the command alone, which no library call knows. */
export interface FlagRow {
  /** In the syntax of commander. */
  readonly flag: string;
  readonly help: string;
  /** What may be given, when that is a list. */
  readonly choices?: readonly string[];
  /** Turns the text into a value, or answers what is wrong with it, as the end of a sentence that begins with the flag. */
  readonly parse?: (text: string) => { readonly value: unknown } | { readonly error: string };
}

/** Flags that every command has, by their names in the code. */
export const COMMON_FLAGS = {
  json: { flag: '--json', help: 'one JSON object a line on stdout, for programs (see docs/json.md)' },
  quiet: { flag: '-q, --quiet', help: 'only what needs you: problems, waiting conflicts, failures' },
  verbose: { flag: '-v, --verbose', help: 'every decision, with the id of its rule' },
  log: { flag: '--log <file>', help: 'append every event to this file, as lines of JSON' },
  color: { flag: '--no-color', help: 'no colours (also: NO_COLOR)' },
} as const satisfies Readonly<Record<string, FlagRow>>;
