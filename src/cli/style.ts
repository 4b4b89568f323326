/** Colours by meaning. Each function gives its text back unchanged when colours are off. */
export interface Style {
  readonly good: (text: string) => string;
  readonly arrived: (text: string) => string;
  readonly gone: (text: string) => string;
  readonly warning: (text: string) => string;
  readonly bad: (text: string) => string;
  readonly faint: (text: string) => string;
  readonly strong: (text: string) => string;
}

/** Makes the colours of one stream. */
export function createStyle(coloured: boolean): Style {
  const paint = (open: number, close: number) => (text: string) =>
    coloured && text !== '' ? `\u001B[${open}m${text}\u001B[${close}m` : text;
  return {
    good: paint(32, 39),
    arrived: paint(36, 39),
    gone: paint(35, 39),
    warning: paint(33, 39),
    bad: paint(31, 39),
    faint: paint(2, 22),
    strong: paint(1, 22),
  };
}

/** Tells whether a stream gets colours: only a terminal that can, and neither `NO_COLOR` nor `--no-color`. */
export function wantsColour(
  isTerminal: boolean,
  env: Readonly<Record<string, string | undefined>>,
  flag: boolean,
): boolean {
  const noColor = env['NO_COLOR'] ?? '';
  return isTerminal && flag && noColor === '' && env['TERM'] !== 'dumb';
}
