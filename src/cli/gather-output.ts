import type { TextOutput } from './screen.js';

/** How long a line waits for others, in milliseconds: less than anybody notices. */
const HOLD_MS = 20;

/** A {@link TextOutput} that may hold back what was written a moment ago. */
export interface GatheredOutput extends TextOutput {
  /** Writes what is held back. */
  flush(): void;
}

/**
 * Writes the lines of a moment together: a line for each of thousands of files is thousands of calls into the system, each of
 * which wakes whoever reads them.
 *
 * @param later - calls what it is given after a moment. Default: 20 ms.
 */
export function gatherOutput(
  output: TextOutput,
  later: (run: () => void) => void = (run) => void setTimeout(run, HOLD_MS),
): GatheredOutput {
  let held = '';
  const flush = (): void => {
    if (held === '') return;
    const text = held;
    held = '';
    output.write(text);
  };
  return {
    write(text) {
      if (held === '') later(flush);
      held += text;
    },
    flush,
  };
}
