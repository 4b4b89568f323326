import type { TextOutput } from './screen.js';

/** A {@link TextOutput} that may hold back what was written in this turn of the event loop. */
export interface GatheredOutput extends TextOutput {
  /** Writes what is held back. */
  flush(): void;
}

/**
 * Writes the lines of one turn of the event loop together: a line for each of thousands of files is thousands of calls into
 * the system.
 */
export function gatherOutput(output: TextOutput): GatheredOutput {
  let held = '';
  const flush = (): void => {
    if (held === '') return;
    const text = held;
    held = '';
    output.write(text);
  };
  return {
    write(text) {
      if (held === '') setImmediate(flush);
      held += text;
    },
    flush,
  };
}
