import type { Problem } from '../core/problem.js';
import type { Side } from '../core/side.js';
import { FileCloudSyncError } from '../errors.js';

/** Turns what went wrong at one path into a problem to report. */
export function problemOf(error: unknown, path: string, side: Side): Problem {
  if (error instanceof FileCloudSyncError) {
    return { path, side, code: error.code, message: error.message, severity: 'error' };
  }
  const text = error instanceof Error ? error.message : String(error);
  return {
    path,
    side,
    code: 'ERR_UNEXPECTED',
    message: `${path} could not be handled: ${text}. It is left as it is and tried again in the next cycle; please report this.`,
    severity: 'error',
  };
}
