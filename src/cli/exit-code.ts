import { FileCloudSyncError, HaltError, isAbort, LockedError, UsageError } from '../errors.js';
import type { CycleResult } from '../session/result.js';

/** What the command answers to the shell. The numbers are a promise. */
export const EXIT = {
  done: 0,
  failed: 1,
  usage: 2,
  problems: 3,
  conflicts: 4,
  halted: 10,
  locked: 11,
  stopped: 130,
} as const;

/** One of the numbers of {@link EXIT}. */
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** One row for each exit code, in the order of the help text and the reference page. */
export const EXIT_CODES: readonly { readonly code: ExitCode; readonly meaning: string }[] = [
  { code: EXIT.done, meaning: 'done, and nothing waits for you' },
  { code: EXIT.failed, meaning: 'failed: the message says why' },
  { code: EXIT.usage, meaning: 'wrong usage; nothing was touched' },
  { code: EXIT.problems, meaning: 'some paths failed or differ, the others are done (goes before 4)' },
  { code: EXIT.conflicts, meaning: 'conflicts wait for you' },
  { code: EXIT.halted, meaning: 'halted by a guard before anything was changed' },
  { code: EXIT.locked, meaning: 'another run holds this pair' },
  { code: EXIT.stopped, meaning: 'stopped by Ctrl-C or a signal; what was done is saved' },
];

/** The exit code of an error that ended a command. */
export function exitCodeOfError(error: unknown): ExitCode {
  if (isAbort(error)) return EXIT.stopped;
  if (error instanceof HaltError) return EXIT.halted;
  if (error instanceof LockedError) return EXIT.locked;
  if (error instanceof UsageError) return EXIT.usage;
  if (error instanceof FileCloudSyncError && error.code === 'ERR_LOCKED') return EXIT.locked;
  return EXIT.failed;
}

/** The exit code of a cycle that ran to its end. Failed paths go before waiting conflicts: a conflict stays, a failure may be lost. */
export function exitCodeOfCycle({ counts }: Pick<CycleResult, 'counts'>): ExitCode {
  if (counts.errors > 0) return EXIT.problems;
  if (counts.waitingConflicts > 0) return EXIT.conflicts;
  return EXIT.done;
}
